"""Many uploads at once: each is taken or refused in words, and the server stays small."""

import http.client
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason='needs FastAPI: pip install "unscatter[serve]"')
from live import Live

from unscatter.serve.api import make_app
from unscatter.serve.limits import Limits
from unscatter.serve.tasks import Desk

#: What docs/how-to/use-the-page.md says that the server itself takes at most.
STATED = 256 * 2**20


def test_of_fifty_uploads_at_once_each_is_taken_and_memory_stays_as_stated(live: Live) -> None:
    content = bytes(12 * 2**20)

    def send(number: int) -> int:
        request = urllib.request.Request(f"{live.address}/api/files?name={number}.npy", data=content, method="POST")
        with urllib.request.urlopen(request, timeout=300) as answer:
            return int(answer.status)

    before = live.peak
    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(send, range(50)))
    assert codes == [201] * 50
    # All of them together are 600 MiB.
    assert live.peak < STATED
    assert live.peak - before < 64 * 2**20


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[int]:
    """Port of a server that receives one file at a time."""
    uvicorn = pytest.importorskip("uvicorn", reason='needs uvicorn: pip install "unscatter[serve]"')
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
        limits = Limits(folder=tmp_path / "served", port=port, sending=1, silence=0.5)
        server = uvicorn.Server(uvicorn.Config(make_app(limits), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield port
        server.should_exit = True
        thread.join(20)


def post(port: int, content: bytes | Iterator[bytes]) -> tuple[int, str, str | None]:
    """Status, words and Retry-After of an upload; a body that is an iterator is sent piece by piece."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/files?name=x.npy", body=content, encode_chunked=not isinstance(content, bytes))
    answer = connection.getresponse()
    told = answer.status, answer.read().decode(), answer.getheader("Retry-After")
    connection.close()
    return told


def test_an_upload_beyond_those_that_are_received_at_once_is_refused_in_words(narrow: int) -> None:
    begun = threading.Event()

    def slowly() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x"
            begun.set()
            time.sleep(0.2)

    for _ in range(100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", narrow)) == 0:
                break
        time.sleep(0.1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, narrow, slowly())
        assert begun.wait(20)
        status, words, again = post(narrow, bytes(2**20))
        assert first.result()[0] == 201
    assert (status, again) == (503, "30")
    assert "1 files are being received" in words
    assert post(narrow, b"z")[0] == 201, "the next has its turn"


def test_an_upload_of_which_nothing_more_comes_is_given_up(tmp_path: Path) -> None:
    import asyncio

    from starlette.requests import Request

    from unscatter.serve import uploads

    async def never() -> dict[str, object]:
        await asyncio.sleep(60)
        return {}

    async def ask() -> None:
        request = Request({"type": "http", "method": "POST", "headers": []}, never)
        await uploads._receive(request, tmp_path / "x", Limits(folder=tmp_path, silence=0.1))

    with pytest.raises(Exception, match="nothing came for") as told:
        asyncio.run(ask())
    assert getattr(told.value, "status_code", 0) == 408


def test_files_beyond_the_room_for_them_go_the_oldest_first(tmp_path: Path) -> None:
    desk = Desk(Limits(folder=tmp_path, disk=2500))
    kept = []
    for number in range(4):
        with desk.receiving(f"{number}.npy") as (name, path):
            path.write_bytes(bytes(1000))
        kept.append(desk.end_upload(name, path).id)
    assert list(desk.files) == kept[2:]
    assert len(list((tmp_path / "files").iterdir())) == 2
    desk.close()
