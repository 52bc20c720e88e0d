"""The command that serves a local page."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path


def serve(
    host: str = "127.0.0.1",
    port: int = 8501,
    token: str = "",
    hosts: tuple[str, ...] = (),
    upload: float = 512.0,
    memory: float = 3.0,
    seconds: float = 300.0,
    workers: int = 2,
) -> int:
    """Serve a page on this machine: drop a plane, a volume or a pattern on it; and the same as a JSON API.

    Files and results are kept in a temporary folder until the server ends.

    Args:
        host: where to listen; anything but this machine asks for a token.
        port: where to listen.
        token: what a request must carry, 16 characters or more.
        hosts: other names under which the server is asked, such as beamline7.example:8501.
        upload: largest file in MB.
        memory: of a task in GiB.
        seconds: of a task.
        workers: tasks at once.
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise ValueError('unscatter serve needs FastAPI and uvicorn; type: pip install "unscatter[serve]"')
    import uvicorn

    from unscatter.serve.api import make_app
    from unscatter.serve.limits import Limits

    with tempfile.TemporaryDirectory(prefix="unscatter-") as folder:
        limits = Limits(
            folder=Path(folder),
            host=host,
            port=port,
            token=token,
            upload=int(upload * 2**20),
            memory=int(memory * 2**30),
            seconds=seconds,
            workers=workers,
            hosts=hosts,
        )
        print(f"open http://{host}:{port}{'?token=' + token if token else ''} (Ctrl-C ends it)", flush=True)
        uvicorn.run(make_app(limits), host=host, port=port, log_level="warning")
    return 0
