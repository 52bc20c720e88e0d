"""Hostile requests: to read a file of the machine, to reach another host, to overrun a limit. Each is refused."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

pytest.importorskip("fastapi", reason='needs FastAPI: pip install "unscatter[serve]"')
pytest.importorskip("httpx2", reason="the client of these tests: pip install httpx2")
from fastapi.testclient import TestClient

from unscatter.serve.api import make_app
from unscatter.serve.limits import Limits


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    limits = Limits(folder=tmp_path / "served", upload=2**21, waiting=3, workers=1)
    with TestClient(make_app(limits), headers={"host": "127.0.0.1:8501"}) as made:
        yield made


@pytest.mark.parametrize("host", ['ev"il', "back\\slash", 'both\\"'])
def test_the_reason_is_told_whatever_letters_it_holds(client: TestClient, host: str) -> None:
    answer = client.get("/api/jobs", headers={"host": host.encode("latin-1")})
    assert answer.status_code == 421
    assert repr(host) in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        '{"job": "\\ud800", "file": "x"}',
        '{"job": "factorize", "file": "\\ud800"}',
        '{"job": "factorize", "file": "x", "options": {"axes": "\\ud800"}}',
        '{"job": "factorize", "file": "x", "options": {"pixel": NaN}}',
        '{"job": "factorize", "file": "x", "surprise": 1}',
        "[" * 100_000,
        "",
    ],
)
def test_a_body_that_no_schema_knows_is_refused_in_words(client: TestClient, body: str) -> None:
    answer = client.post("/api/tasks", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert len(answer.json()["detail"]) > 10


@pytest.mark.parametrize("address", ["https://evil.example/x.onnx", "//evil.example/x", "file:///etc/passwd", "s3://x"])
@pytest.mark.parametrize("option", ["weights", "mask"])
def test_no_option_leads_to_another_host(client: TestClient, option: str, address: str) -> None:
    file = client.post("/api/files", content=b"x").json()["id"]
    answer = client.post("/api/tasks", json={"job": "factorize", "file": file, "options": {option: address}})
    assert answer.status_code == 400
    assert "names a file" in answer.json()["detail"] or "not shipped" in answer.json()["detail"]


def test_a_task_cannot_reach_another_host(tmp_path: Path) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        # A task whose reader was made to call home, as a hostile file may try.
        lure = (
            "import socket; from unscatter.serve import worker;"
            f"worker._RUNS['factorize'] = lambda *_: socket.create_connection(('127.0.0.1', {port}), 5);"
            "worker.main()"
        )
        (tmp_path / "request.json").write_text(json.dumps({"job": "factorize", "memory": 3 * 2**30}))
        subprocess.run([sys.executable, "-c", lure, str(tmp_path)], check=True, timeout=120)
        assert "may not reach other machines" in json.loads((tmp_path / "result.json").read_text())["error"]
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret.h5", "../secret.h5", "http://evil.example/x.h5"])
def test_a_link_inside_a_file_leads_to_no_other_file(tmp_path: Path, target: str) -> None:
    from unscatter.serve import worker

    for home in (tmp_path, tmp_path / "tasks"):
        home.mkdir(exist_ok=True)
        with h5py.File(home / "secret.h5", "w") as file:
            file["entry/data"] = np.full((32, 32), 12345.0)
    folder = tmp_path / "tasks" / "one"
    (folder / "out").mkdir(parents=True)
    with h5py.File(folder / "linked.h5", "w") as file:
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXdata", "signal": "data"})
        entry["data"] = h5py.ExternalLink(target, "/entry/data")
    with pytest.raises((ValueError, OSError)) as told:
        worker._factorize(folder, {"input": "linked.h5", "options": {}})
    assert "12345" not in str(told.value)


def test_a_path_of_the_page_leads_to_no_file_of_the_machine(client: TestClient) -> None:
    for path in (
        "/../limits.py",
        "/%2e%2e/limits.py",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/api/../limits.py",
    ):
        answer: Any = client.get(path)
        assert answer.status_code == 404
        assert "dataclass" not in answer.text
        assert "root:" not in answer.text


def test_a_length_that_is_no_number_is_refused(client: TestClient) -> None:
    for length in ("-1", "1e3", "x", "\u00b2"):
        answer = client.post("/api/files", content=b"x", headers={"content-length": length.encode("latin-1")})
        assert answer.status_code == 400
        assert "no number" in answer.json()["detail"]
