"""The page in a real browser: patterns, other lattices and zeros for them, a second phase, and errors in words."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

pytest.importorskip("uvicorn", reason='needs uvicorn: pip install "unscatter[serve]"')
sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser: pip install playwright")
expect = sync_api.expect
FITTED, SECOND = "199, 91, 0", "107, 63, 160"


@pytest.fixture(scope="module")
def corundum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from unscatter.powder.demonstration import simulate_corundum

    pattern = simulate_corundum()
    path = tmp_path_factory.mktemp("page") / "corundum.xy"
    np.savetxt(path, np.stack([pattern.two_theta, pattern.intensity], axis=1))
    return path


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


def with_second_phase(route: Any) -> None:
    """The answer of the server, as if it had found a second phase."""
    answer = route.fetch()
    task = answer.json()
    if task.get("curve"):
        line = {"name": "perhaps cF, 5.4309 A", "ticks": [28.4, 47.3, 56.1], "hkl": [[1, 1, 1], [2, 2, 0], [3, 1, 1]]}
        task["curve"]["second_phase"] = {
            **line,
            "bravais": "cF",
            "cell": [5.4309] * 3 + [90] * 3,
            "zero": 0,
            "foreign": [],
        }
    route.fulfill(response=answer, body=json.dumps(task))


def fetch(page: Any, name: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click(f"#files a:text-is('{name}')")
    download.value.save_as(folder / name)
    return folder / name


def test_a_pattern_is_named_fitted_and_fitted_anew(page: Any, corundum: Path, tmp_path: Path) -> None:
    page.route("**/api/tasks/*", with_second_phase)
    page.set_input_files("#file", corundum)
    assert page.is_checked("[name=kind][value=pattern]")
    page.click("#ask button[type=submit]")
    page.wait_for_selector("#status.error")
    assert "wavelength is not known" in page.inner_text("#status")
    page.fill("[name=wavelength]", "1.5403")
    page.select_option("[name=radiation]", "neutron")
    page.click("#ask button[type=submit]")
    expect(page.locator("#status")).to_have_text("done", timeout=300_000)
    assert "Bravais lattice" in page.inner_text("#text")
    page.hover("#curve")
    assert "d = " in page.inner_text("#curve-cursor")
    assert page.locator("#ranking tbody tr").count() == 10
    assert "167" in page.inner_text("#ranking tbody tr:has-text('R-3c')")
    assert page.inner_text("#fit option:first-child").startswith("hR, 4.7")
    # The pixels of the fit's own colour are there with the fit, and gone without it; so with the second phase.
    assert pixels_of(page, FITTED) > 100
    assert "perhaps cF" in page.inner_text("#second-name")
    assert pixels_of(page, SECOND) == 3 * 9
    page.uncheck("#second")
    assert pixels_of(page, SECOND) == 0
    page.select_option("#fit", "none")
    assert pixels_of(page, FITTED) == 0
    for name in ("corundum.classified.csv", "corundum.start.cif", "corundum.fit.h5", "corundum.classified.png"):
        assert fetch(page, name, tmp_path).stat().st_size > 200
    assert "_cell_length_a" in (tmp_path / "corundum.start.cif").read_text()
    assert "job" not in fetch(page, "corundum.options.toml", tmp_path).read_text().split("[classify]")[1]
    _another_lattice(page, tmp_path)


def _another_lattice(page: Any, folder: Path) -> None:
    """A typed cell, a little off, with another zero: the ticks move at once, and the fit finds back."""
    page.select_option("#fit", "other")
    page.fill("#other-cell", "4.75 4.75")
    page.click("#lattice-form button")
    expect(page.locator("#status")).to_contain_text("a cell has six numbers")
    page.select_option("#bravais", "hR")
    page.fill("#other-cell", "4.75 4.75 12.96 90 90 120")
    page.click("#lattice-form button")
    expect(page.locator("#status")).to_have_text("done", timeout=300_000)
    assert page.locator("#fit option:checked").inner_text().startswith("hR, 4.7")
    assert pixels_of(page, FITTED) > 100
    with h5py.File(fetch(page, "corundum.hR.fit.h5", folder)) as file:
        assert file["entry/sample/unit_cell"][2] == pytest.approx(12.99, abs=0.02)
    before = float(page.input_value("#zero"))
    page.focus("#zero")
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    assert page.evaluate("curve.shift") == pytest.approx(0.1, abs=2e-3)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("done", timeout=300_000)
    assert float(page.input_value("#zero")) == pytest.approx(before, abs=0.05)
    assert "fit.cif" in page.inner_text("#files")


def test_each_error_that_a_user_meets_is_told_in_words(page: Any, tmp_path: Path) -> None:
    status = page.locator("#status.error")
    page.click("#ask button[type=submit]")
    expect(status).to_have_text("choose a file first")
    words = tmp_path / "words.npy"
    words.write_text("no array at all")
    page.set_input_files("#file", words)
    page.click("#ask button[type=submit]")
    expect(status).to_contain_text("words.npy", timeout=300_000)
    page.fill("[name=cell]", "10 10 seven 90 90 90")
    page.click("#ask button[type=submit]")
    expect(status).to_have_text('the cell: "seven" is no number')
    page.fill("[name=cell]", "")
    page.route("**/api/limits", lambda route: route.fulfill(json={"upload": 4, "memory": 1, "seconds": 1}))
    other = tmp_path / "other.npy"
    other.write_text("no array either")
    page.set_input_files("#file", other)
    page.click("#ask button[type=submit]")
    expect(status).to_contain_text("are taken: cut or bin it")
    page.unroute("**/api/limits")
    page.context.set_offline(True)
    page.click("#ask button[type=submit]")
    expect(status).to_contain_text("is unscatter serve still running")
