"""The API: from an upload to a result, and every request that must be refused."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='needs FastAPI: pip install "unscatter[serve]"')
pytest.importorskip("httpx2", reason="the client of these tests: pip install httpx2")
from fastapi.testclient import TestClient

from unscatter.powder.demonstration import simulate_corundum, write_pattern
from unscatter.serve.api import make_app
from unscatter.serve.limits import Limits
from unscatter.serve.requests import TaskRequest
from unscatter.serve.tasks import Desk

HOST = {"host": "127.0.0.1:8501"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    limits = Limits(folder=tmp_path / "served", upload=2**21, waiting=3, workers=1, seconds=300)
    with TestClient(make_app(limits), headers=HOST) as made:
        yield made


@pytest.fixture(scope="module")
def plane() -> bytes:
    axis = np.linspace(-3, 3, 48)
    h, k = np.meshgrid(axis, axis)
    values = np.exp(-0.1 * (h**2 + k**2)) * (1 - 0.4 * np.cos(2 * np.pi * h)) * (1 + 0.2 * np.cos(2 * np.pi * k))
    return npy(100 * values)


def npy(values: Any) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def send(client: TestClient, content: bytes, name: str) -> str:
    answer = client.post("/api/files", params={"name": name}, content=content)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def finish(client: TestClient, request: dict[str, Any], limit: float = 300.0) -> dict[str, Any]:
    begun = client.post("/api/tasks", json=request)
    assert begun.status_code == 202, begun.text
    end = time.monotonic() + limit
    while time.monotonic() < end:
        task: dict[str, Any] = client.get(f"/api/tasks/{begun.json()['id']}").json()
        if task["state"] in ("done", "failed"):
            return task
        time.sleep(0.1)
    raise AssertionError(f"not done within {limit} s")


WITH_AXES = {"axes": "h=-3:3 k=-3:3 l=0", "cell": [10, 10, 7, 90, 90, 90]}


def test_a_plane_is_taken_apart_masked_and_refined(client: TestClient, plane: bytes) -> None:
    file = send(client, plane, "plane.npy")
    task = finish(client, {"job": "factorize", "file": file, "options": WITH_AXES})
    assert task["state"] == "done", task
    assert task["result"]["explained"] > 0.9
    raw = client.get(f"/api/tasks/{task['id']}/files/I_SRO.f32")
    assert len(raw.content) == 4 * 48 * 48
    assert client.get(f"/api/tasks/{task['id']}/files/plane.factorized.h5").content[:4] == b"\x89HDF"

    mask = np.zeros((48, 48), dtype=np.uint8)
    mask[:24] = 1
    drawn = send(client, npy(mask), "mask.npy")
    masked = finish(client, {"job": "factorize", "file": file, "mask": drawn, "options": WITH_AXES})
    assert masked["result"]["plane"]["coverage"] == pytest.approx(0.5)

    refined = finish(
        client, {"job": "refine order", "result_of": task["id"], "options": {"radius": 15, "bootstrap": 20}}
    )
    alphas = {(row["u"], row["v"], row["w"]): row["alpha"] for row in refined["result"]["alphas"]}
    assert alphas[(1, 0, 0)] == pytest.approx(-0.2, abs=0.05)


def test_a_pattern_is_classified(client: TestClient, tmp_path: Path, small_classifier: str) -> None:
    write_pattern(tmp_path / "corundum.xye", simulate_corundum())
    file = send(client, (tmp_path / "corundum.xye").read_bytes(), "corundum.xye")
    task = finish(client, {"job": "classify", "file": file})
    assert task["state"] == "done", task
    assert len(task["curve"]["two_theta"]) == len(task["curve"]["intensity"])
    assert {"corundum.classified.json", "corundum.fit.h5", "corundum.fit.cif", "corundum.options.toml"} <= set(
        task["files"]
    )
    again = finish(client, {"job": "fit", "file": file, "options": {"bravais": "cP", "cell": [4, 4, 4, 90, 90, 90]}})
    assert again["fit"]["bravais"] == "cP"
    assert len(again["fit"]["calculated"]) == len(task["curve"]["two_theta"])
    assert "corundum.cP.fit.cif" in again["files"]
    no_cell = finish(client, {"job": "fit", "file": file, "options": {"bravais": "cP"}})
    assert "which cell" in no_cell["error"]


def test_a_volume_is_looked_at_plane_by_plane(client: TestClient) -> None:
    values = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    file = send(client, npy(values), "volume.npy")
    axes = {"axes": "h=-3:3 k=0:5 l=-2:2", "cell": [10, 10, 7, 90, 90, 90]}
    task = finish(client, {"job": "look", "file": file, "options": axes})
    assert task["state"] == "done", task
    assert task["volume"]["range"] == {"l": [-2, 2], "k": [0, 5], "h": [-3, 3]}
    for axis, index, plane in (("l", 3, values[3]), ("k", 0, values[:, 0]), ("h", 6, values[:, :, 6])):
        answer = client.get(f"/api/tasks/{task['id']}/volume/I_D", params={"axis": axis, "index": index})
        assert np.array_equal(np.frombuffer(answer.content, "<f4").reshape(plane.shape), plane)
    for name, axis, index, code in (
        ("I_D", "l", 5, 404),
        ("I_FF", "l", 0, 404),
        ("I_D", "x", 0, 422),
        ("I_D", "l", -1, 422),
    ):
        answer = client.get(f"/api/tasks/{task['id']}/volume/{name}", params={"axis": axis, "index": index})
        assert answer.status_code == code
    flat = finish(client, {"job": "look", "file": send(client, npy(values[0]), "flat.npy")})
    assert "is a plane, not a volume" in flat["error"]


def test_what_a_user_may_get_wrong_is_told_in_words(client: TestClient, plane: bytes) -> None:
    file = send(client, b"no pattern at all\n", "words.xye")
    failed = finish(client, {"job": "classify", "file": file})
    assert failed["state"] == "failed"
    assert "words.xye" in failed["error"]
    assert "/tasks/" not in failed["error"], "no path of the machine is told"
    unknown = client.post("/api/tasks", json={"job": "factorize", "file": file, "options": {"colour": 1}})
    assert unknown.status_code == 400
    assert "no option 'colour'" in unknown.json()["detail"]
    assert client.post("/api/tasks", json={"job": "bake", "file": file}).status_code == 400
    assert client.post("/api/tasks", json={"job": "factorize", "file": "0000"}).status_code == 404
    assert client.get("/api/tasks/0000").status_code == 404
    assert client.post("/api/files", content=b"").status_code == 400


@pytest.mark.parametrize(
    ("job", "options"),
    [
        ("factorize", {"mask": "/etc/passwd"}),
        ("factorize", {"weights": "/etc/passwd"}),
        ("classify", {"weights": "../../secret.onnx"}),
        ("refine order", {"form_factor": "/etc/passwd"}),
        ("refine order", {"model_a": "/etc/passwd"}),
        ("refine order", {"model_b": "/etc/passwd"}),
    ],
)
def test_no_option_reaches_a_file_of_the_machine(
    client: TestClient, plane: bytes, job: str, options: dict[str, str]
) -> None:
    file = send(client, plane, "plane.npy")
    answer = client.post("/api/tasks", json={"job": job, "file": file, "options": options})
    assert answer.status_code == 400
    assert "names a file" in answer.json()["detail"] or "not shipped" in answer.json()["detail"]


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "..\\..\\x", "/etc/passwd", "", ".hidden", "a/b/c.npy", "\x00"]
)
def test_a_name_of_an_upload_leads_nowhere(client: TestClient, plane: bytes, name: str, tmp_path: Path) -> None:
    answer = client.post("/api/files", params={"name": name}, content=plane)
    assert answer.status_code == 201
    kept = answer.json()["name"]
    assert "/" not in kept
    assert not kept.startswith(".")
    served = tmp_path / "served" / "files"
    assert [path.name for path in served.glob("*/*")] == [kept]


def test_only_files_that_a_task_tells_of_are_sent(client: TestClient, plane: bytes) -> None:
    file = send(client, plane, "plane.npy")
    task = finish(client, {"job": "factorize", "file": file, "options": WITH_AXES})
    for name in ("../request.json", "..%2Frequest.json", "request.json", "%2e%2e/result.json", "plane.npy"):
        assert client.get(f"/api/tasks/{task['id']}/files/{name}").status_code == 404


def test_a_name_of_another_site_is_not_answered(client: TestClient) -> None:
    for host in ("evil.example", "127.0.0.1:9999", "localhost.evil.example", ""):
        assert client.get("/api/jobs", headers={"host": host}).status_code == 421
    assert client.get("/api/jobs", headers={"host": "localhost:8501"}).status_code == 200


def test_a_page_of_another_site_may_not_use_it(client: TestClient) -> None:
    assert client.post("/api/files", content=b"x", headers={"origin": "https://evil.example"}).status_code == 403


def test_a_file_that_is_too_large_is_refused_whether_it_says_so_or_not(client: TestClient) -> None:
    assert client.post("/api/files", content=b"x" * (2**21 + 1)).status_code == 413
    assert client.post("/api/files", content=(b"x" * 2**16 for _ in range(40))).status_code == 413
    assert client.post("/api/tasks", content=b"[" * (2**20 + 1)).status_code == 413


def test_an_upload_without_room_is_told_and_leaves_nothing(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A disk that is full: the kernel itself refuses to write, with its own error.
    genuine = Path.open

    def full(path: Path, *args: Any, **keywords: Any) -> Any:
        return genuine(Path("/dev/full") if "served" in path.parts else path, *args, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        answer = client.post("/api/files", params={"name": "plane.npy"}, content=b"x" * 100_000)
    assert answer.status_code == 507
    assert "No space left" in answer.json()["detail"]
    assert not list((tmp_path / "served" / "files").iterdir())


def test_a_file_that_is_too_large_leaves_nothing(client: TestClient, tmp_path: Path) -> None:
    assert client.post("/api/files", content=(b"x" * 2**16 for _ in range(40))).status_code == 413
    assert not list((tmp_path / "served" / "files").iterdir())


def test_others_are_let_in_with_a_token_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give a --token"):
        Limits(folder=tmp_path, host="0.0.0.0")
    limits = Limits(folder=tmp_path, host="0.0.0.0", token="s" * 20, hosts=("beamline7",))
    with TestClient(make_app(limits), headers={"host": "beamline7"}) as client:
        assert client.get("/").status_code == 200
        assert client.get("/api/jobs").status_code == 401
        assert client.get("/api/jobs", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/api/jobs", headers={"authorization": f"Bearer {'s' * 20}"}).status_code == 200


def test_a_task_that_takes_too_long_or_too_much_memory_is_ended_and_told(tmp_path: Path, plane: bytes) -> None:
    with TestClient(make_app(Limits(folder=tmp_path / "a", seconds=0.2)), headers=HOST) as client:
        task = finish(client, {"job": "factorize", "file": send(client, plane, "p.npy"), "options": WITH_AXES})
        assert "longer than" in task["error"]
    with TestClient(make_app(Limits(folder=tmp_path / "b", memory=400 * 2**20)), headers=HOST) as client:
        task = finish(client, {"job": "factorize", "file": send(client, plane, "p.npy"), "options": WITH_AXES})
        assert task["state"] == "failed"


def test_of_many_requests_at_once_each_is_answered_or_refused(client: TestClient, plane: bytes) -> None:
    file = send(client, plane, "plane.npy")
    request = {"job": "factorize", "file": file, "options": WITH_AXES}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.post("/api/tasks", json=request), range(24)))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {202, 503}
    assert codes.count(202) == 4
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"] == "30"


def test_the_page_and_its_documentation_need_nothing_from_elsewhere(client: TestClient) -> None:
    for path in (
        "/",
        "/page.js",
        "/server.js",
        "/result.js",
        "/plane.js",
        "/curve.js",
        "/page.css",
        "/api/docs",
        "/api.js",
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "https://" not in answer.text
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/jobs",
        "/api/limits",
        "/api/files",
        "/api/tasks",
        "/api/tasks/{task}",
        "/api/tasks/{task}/files/{name}",
        "/api/tasks/{task}/volume/{name}",
    }


def test_what_a_task_told_lies_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    desk = Desk(Limits(folder=tmp_path / "served", workers=1))
    with desk.receiving("corundum.xye") as (number, path):
        write_pattern(path, simulate_corundum())
    file = desk.end_upload(number, path)
    task = desk.begin(TaskRequest(job="classify", file=file.id, options={"engine": "none"}))
    end = time.monotonic() + 300
    while task.state in ("waiting", "running") and time.monotonic() < end:
        time.sleep(0.1)
    desk.close()
    assert task.state == "done", task.answer
    assert len(task.to_dict()["curve"]["intensity"]) == 3241
    assert set(task.answer) <= {"error", "files", "images"}
