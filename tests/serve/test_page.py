"""The page in a real browser: a file in, a result to look at, a refinement, a download, and errors in words."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser: pip install playwright")
pytest.importorskip("uvicorn", reason='needs uvicorn: pip install "unscatter[serve]"')
expect = sync_api.expect
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: apt-get install chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "unscatter", "serve", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert server.stdout is not None
    assert "open http://127.0.0.1" in server.stdout.readline()
    for _ in range(300):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(20)
    server.stdout.close()


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        yield page
        assert not faults
        browser.close()


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    axis = np.linspace(-3, 3, 64)
    h, k = np.meshgrid(axis, axis)
    values = 100 * np.exp(-0.1 * (h**2 + k**2)) * (1 - 0.4 * np.cos(2 * np.pi * h)) * (1 + 0.2 * np.cos(2 * np.pi * k))
    path = tmp_path_factory.mktemp("page") / "plane.npy"
    np.save(path, values)
    return path


def take_apart(page: Any, plane: Path) -> None:
    page.set_input_files("#file", plane)
    page.fill("[name=axes]", "h=-3:3 k=-3:3 l=0")
    page.fill("[name=cell]", "10 10 7 90 90 90")
    page.click("#ask button[type=submit]")
    expect(page.locator("#status")).to_have_text("done", timeout=60_000)


def test_a_plane_goes_in_and_factors_alphas_and_files_come_out(page: Any, plane: Path, tmp_path: Path) -> None:
    take_apart(page, plane)
    assert "explained" in page.inner_text("#text")
    page.select_option("#layer", "I_SRO")
    page.hover("#plane")
    assert "r.l.u." in page.inner_text("#cursor")
    with page.expect_download() as download:
        page.click("#files a:has-text('factorized.h5')")
    download.value.save_as(tmp_path / "result.h5")
    assert (tmp_path / "result.h5").read_bytes()[:4] == b"\x89HDF"
    page.click("#refine button")
    expect(page.locator("#text")).to_contain_text("alpha", timeout=60_000)


def test_a_mask_that_is_drawn_is_taken_out(page: Any, plane: Path) -> None:
    take_apart(page, plane)
    page.check("#masking")
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"], steps=30)
    page.mouse.up()
    page.click("#again")
    expect(page.locator("#text")).not_to_contain_text("100.0 % of the pixels", timeout=60_000)
    measured = float(page.inner_text("#text").split("measured")[1].split("%")[0])
    assert 80 < measured < 100


def test_a_pattern_without_its_wavelength_says_what_is_missing_and_then_works(page: Any, tmp_path: Path) -> None:
    from unscatter.powder.demonstration import simulate_corundum

    pattern = simulate_corundum()
    np.savetxt(tmp_path / "corundum.xy", np.stack([pattern.two_theta, pattern.intensity], axis=1))
    page.set_input_files("#file", tmp_path / "corundum.xy")
    assert page.is_checked("[name=job][value=classify]")
    page.click("#ask button[type=submit]")
    page.wait_for_selector("#status.error")
    assert "wavelength is not known" in page.inner_text("#status")
    page.fill("[name=wavelength]", str(pattern.wavelength))
    page.select_option("[name=radiation]", "neutron")
    page.click("#ask button[type=submit]")
    expect(page.locator("#status")).to_have_text("done", timeout=60_000)
    assert "Bravais lattice" in page.inner_text("#text")
    page.hover("#curve")
    assert "d = " in page.inner_text("#curve-cursor")
    assert page.locator("#ranking tbody tr").count() == 10
    assert "167" in page.inner_text("#ranking tbody tr:has-text('R-3c')")
    assert page.inner_text("#fit option:first-child").startswith("hR, 4.7")
    # The pixels of the fit's own colour are there with the fit, and gone without it.
    assert pixels_of(page, "199, 91, 0") > 100
    page.select_option("#fit", "-1")
    assert pixels_of(page, "199, 91, 0") == 0
    page.select_option("#fit", "0")
    page.screenshot(path=tmp_path / "pattern.png", full_page=True)


def pixels_of(page: Any, colour: str) -> int:
    """Pixels of the pattern's canvas in just this colour."""
    return int(
        page.evaluate(
            "(rgb) => { const c = document.getElementById('curve');"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
            " for (let k = 0; k < d.length; k += 4)"
            " if (Math.abs(d[k] - rgb[0]) + Math.abs(d[k + 1] - rgb[1]) + Math.abs(d[k + 2] - rgb[2]) < 12) n++;"
            " return n; }",
            [int(part) for part in colour.split(",")],
        )
    )


def test_everything_is_reached_by_keyboard_and_has_a_name(page: Any) -> None:
    page.keyboard.press("Tab")
    seen = set()
    for _ in range(14):
        seen.add(
            page.evaluate("document.activeElement.id || document.activeElement.name || document.activeElement.tagName")
        )
        page.keyboard.press("Tab")
    assert {"drop", "file", "axes", "cell"} <= seen
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input, select, canvas')].filter(e => !(e.labels && e.labels.length)"
        " && !e.getAttribute('aria-label')).map(e => e.outerHTML)"
    )
    assert unnamed == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
