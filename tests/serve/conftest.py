"""A real server, in a process of its own, for tests of what comes over the wire, and a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from live import Live

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def page(live: Live) -> Iterator[Any]:
    """The page on the screen of a laptop; a fault of its scripts fails the test."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser: pip install playwright")
    if BROWSER is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(300_000)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(live.address)
        yield page
        assert not faults
        browser.close()


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    pytest.importorskip("uvicorn", reason='needs uvicorn: pip install "unscatter[serve]"')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "unscatter", "serve", "--port", str(port), "--upload", "64", "--seconds", "280"]
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
