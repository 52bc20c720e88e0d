"""A real server, in a process of its own, for tests of what comes over the wire."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from live import Live


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    pytest.importorskip("uvicorn", reason='needs uvicorn: pip install "unscatter[serve]"')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "unscatter", "serve", "--port", str(port), "--upload", "64", "--seconds", "300"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert server.stdout is not None
    assert "open http://127.0.0.1" in server.stdout.readline()
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield Live(port, server.pid)
    server.terminate()
    server.wait(20)
    server.stdout.close()
