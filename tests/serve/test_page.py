"""The page in a real browser: a plane or a volume in, a result to look at and to change, downloads."""

import csv
import tomllib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

pytest.importorskip("uvicorn", reason='needs uvicorn: pip install "unscatter[serve]"')
sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser: pip install playwright")
expect = sync_api.expect


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    axis = np.linspace(-3, 3, 64)
    h, k = np.meshgrid(axis, axis)
    values = 100 * np.exp(-0.1 * (h**2 + k**2)) * (1 - 0.4 * np.cos(2 * np.pi * h)) * (1 + 0.2 * np.cos(2 * np.pi * k))
    path = tmp_path_factory.mktemp("page") / "plane.npy"
    np.save(path, values)
    return path


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    axis, upwards = np.linspace(-2, 2, 25), np.linspace(-1.5, 1.5, 19)
    l, k, h = np.meshgrid(upwards, axis, axis, indexing="ij")  # noqa: E741
    order = (1 - 0.4 * np.cos(2 * np.pi * h)) * (1 + 0.2 * np.cos(2 * np.pi * k)) * (1 + 0.3 * np.cos(2 * np.pi * l))
    path = tmp_path_factory.mktemp("page") / "volume.h5"
    with h5py.File(path, "w") as file:
        file.update({"format": "Yell 1.0", "is_direct": False, "unit_cell": np.array([10.0, 10, 7, 90, 90, 90])})
        file["lower_limits"], file["step_sizes"] = np.array([-2, -2, -1.5]), np.full(3, 1 / 6)
        file["data"] = (100 * np.exp(-0.1 * (h**2 + k**2 + l**2)) * order).transpose(2, 1, 0)
    return path


def take_apart(page: Any, plane: Path) -> None:
    page.set_input_files("#file", plane)
    page.fill("[name=axes]", "h=-3:3 k=-3:3 l=0")
    page.fill("[name=cell]", "10 10 7 90 90 90")
    page.click("#ask button[type=submit]")
    expect(page.locator("#status")).to_have_text("done", timeout=300_000)


def fetch(page: Any, name: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click(f"#files a:text-is('{name}')")
    download.value.save_as(folder / name)
    return folder / name


def test_a_plane_goes_in_and_factors_alphas_and_files_come_out(page: Any, plane: Path, tmp_path: Path) -> None:
    take_apart(page, plane)
    assert "explained" in page.inner_text("#text")
    assert page.evaluate("document.activeElement.id") == "title"
    page.select_option("#layer", "I_SRO")
    page.hover("#plane")
    assert "r.l.u." in page.inner_text("#cursor")
    assert fetch(page, "plane.factorized.h5", tmp_path).read_bytes()[:4] == b"\x89HDF"
    assert fetch(page, "plane.factorized.png", tmp_path).read_bytes()[1:4] == b"PNG"
    options = tomllib.loads(fetch(page, "plane.options.toml", tmp_path).read_text())
    assert options["factorize"]["cell"] == [10, 10, 7, 90, 90, 90]

    page.select_option("#refine select", "mmm")
    page.click("#refine button")
    expect(page.locator("#alphas caption")).to_contain_text("Laue class mmm", timeout=300_000)
    cells = page.locator("#alphas tbody tr:has-text('(1 0 0)') td").all_inner_texts()
    assert float(cells[2]) == pytest.approx(-0.2, abs=0.02)
    with fetch(page, "plane.order.csv", tmp_path).open() as table:
        alphas = {(row["u"], row["v"], row["w"]): float(row["alpha"]) for row in csv.DictReader(table)}
    assert alphas[("1", "0", "0")] == pytest.approx(float(cells[2]), abs=1e-4)
    with h5py.File(fetch(page, "plane.factorized.h5", tmp_path)) as file:
        assert "order_parameters" in file["entry"], "the newest file of a name is the one with the table"
    assert (
        tomllib.loads(fetch(page, "plane.order.options.toml", tmp_path).read_text())["refine"]["order"]["laue"] == "mmm"
    )


def test_the_cross_reads_indices_or_spacings_by_keyboard(page: Any, plane: Path, tmp_path: Path) -> None:
    take_apart(page, plane)
    page.focus("#plane")
    for _ in range(16):
        page.keyboard.press("ArrowRight")
    # The middle of 64 pixels is pixel 32; 16 further is h = 6 * 48 / 63 - 3.
    assert page.inner_text("#cursor").startswith("h k l = 1.571 0.048 0.000 r.l.u.")
    page.select_option("#unit", "d")
    h, k = 6 * 48 / 63 - 3, 6 * 32 / 63 - 3
    assert page.inner_text("#cursor").startswith(f"d = {10 / np.hypot(h, k):.4f} Å")
    with page.expect_download() as download:
        page.click("#save-csv")
    download.value.save_as(tmp_path / "plane.csv")
    table = np.genfromtxt(tmp_path / "plane.csv", delimiter=",", skip_header=1)
    assert np.allclose(table[:, 1:], np.load(plane), rtol=1e-5)


def test_axes_and_colours_are_told_in_numbers(page: Any, plane: Path) -> None:
    take_apart(page, plane)
    assert page.inner_text("#directions") == "→ [h 0 0] (r.l.u.), ↑ [0 k 0] (r.l.u.)"
    assert page.inner_text("#lowest") == "0"
    highest = float(page.inner_text("#highest").split(",")[0])
    # Two pixels in a thousand are brighter than the colours reach.
    assert highest == pytest.approx(np.percentile(np.load(plane), 99.8), rel=0.02)
    assert page.evaluate("round_marks(-3, 3, 8)") == [-3, -2, -1, 0, 1, 2, 3]
    assert page.evaluate("round_marks(0.12, 0.31, 5)") == pytest.approx([0.15, 0.2, 0.25, 0.3])


def test_any_option_of_the_command_is_typed_as_the_error_says_it(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "below_zero.npy"
    np.save(path, np.random.default_rng(0).normal(-50, 5, (64, 64)))
    page.set_input_files("#file", path)
    page.click("#ask button[type=submit]")
    expect(page.locator("#status.error")).to_contain_text("--negative shift", timeout=300_000)
    expect(page.locator("#status.error")).to_contain_text("goes under Other options")
    page.fill("#options-diffuse [data-others]", "shift")
    page.click("#ask button[type=submit]")
    expect(page.locator("#status.error")).to_contain_text('"shift" stands before any name')
    page.fill("#options-diffuse [data-others]", "--negative shift --no-volume --saturation 65000")
    assert page.evaluate("read_others()") == {"negative": "shift", "volume": False, "saturation": "65000"}
    page.click("#ask button[type=submit]")
    expect(page.locator("#status")).to_have_text("done", timeout=300_000)
    options = tomllib.loads(fetch(page, "below_zero.options.toml", tmp_path).read_text())["factorize"]
    assert options["negative"] == "shift"
    assert options["saturation"] == 65000


def test_a_mask_that_is_drawn_by_mouse_or_keyboard_is_taken_out(page: Any, plane: Path) -> None:
    take_apart(page, plane)
    page.click("#again")
    expect(page.locator("#status")).to_contain_text("draw a mask first")
    page.check("#masking")
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"], steps=30)
    page.mouse.up()
    by_mouse = page.evaluate("plane.mask.reduce((a, b) => a + b)")
    assert by_mouse > 40
    page.focus("#plane")
    for key in ("ArrowRight", "Space", "ArrowRight", "Space"):
        page.keyboard.press(key)
    by_both = page.evaluate("plane.mask.reduce((a, b) => a + b)")
    assert by_both > by_mouse
    page.keyboard.press("Delete")
    assert page.evaluate("plane.mask.reduce((a, b) => a + b)") < by_both
    left = page.evaluate("plane.mask.reduce((a, b) => a + b)")
    page.click("#again")
    expect(page.locator("#text")).not_to_contain_text("100.0 % of the pixels", timeout=300_000)
    measured = float(page.inner_text("#text").split("measured")[1].split("%")[0])
    assert measured == pytest.approx(100 * (1 - left / 64**2), abs=0.06)
    page.click("#unmask")
    assert page.evaluate("plane.masked") is False


def test_another_lattice_of_a_picture_is_chosen(page: Any, plane: Path) -> None:
    page.set_input_files("#file", plane)
    page.click("#ask button[type=submit]")
    expect(page.locator("#status")).to_have_text("done", timeout=300_000)
    names = page.locator("#lattices option").all_inner_texts()
    # A cell is 63 / 6 pixels.
    assert float(names[0].split()[0]) == pytest.approx(63 / 6, abs=0.06)
    assert names[-1] == "none: I_SRO by its strongest waves"
    page.click("#choose-lattice button")
    expect(page.locator("#text")).to_contain_text("known: I_SRO is periodic", timeout=300_000)
    page.goto(page.url)
    page.set_input_files("#file", plane)
    page.select_option("[name=lattice]", "none")
    page.click("#ask button[type=submit]")
    expect(page.locator("#text")).to_contain_text("not looked for: I_SRO by its strongest waves", timeout=300_000)


def test_one_moves_through_the_planes_of_a_volume_and_takes_one_apart(page: Any, volume: Path, tmp_path: Path) -> None:
    page.set_input_files("#file", volume)
    page.check("[name=kind][value=volume]")
    page.click("#ask button[type=submit]")
    expect(page.locator("#status")).to_have_text("done", timeout=300_000)
    names = page.evaluate("[...document.querySelectorAll('#layer option')].map(one => one.value)")
    assert names == ["I_D", "I_FF", "I_SRO", "product", "residual"]
    expect(page.locator("#directions")).to_have_text("→ h (r.l.u.), ↑ k (r.l.u.)")
    expect(page.locator("#where")).to_have_text("l = 0.000 (10 of 19)")
    page.focus("#plane")
    page.keyboard.press("PageUp")
    expect(page.locator("#where")).to_have_text("l = 0.167 (11 of 19)")
    page.focus("#slice")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#where")).to_have_text("l = 0.333 (12 of 19)")
    with h5py.File(volume) as file:
        layer = file["data"][:, :, 11].T
    drawn = page.evaluate("Array.from(plane.values)")
    assert np.allclose(np.reshape(drawn, (25, 25)), layer, rtol=1e-5)
    page.select_option("#across", "k")
    expect(page.locator("#where")).to_have_text("k = 0.000 (13 of 25)")
    page.select_option("#across", "l")
    expect(page.locator("#where")).to_have_text("l = 0.000 (10 of 19)")
    assert {"volume.factorized.h5", "volume.order.csv", "volume.options.toml"} <= set(
        page.locator("#files a").all_inner_texts()
    )
    cells = page.locator("#alphas tbody tr:has(td:text-is('1 0 0')) td").all_inner_texts()
    assert float(cells[2]) == pytest.approx(-0.2, abs=0.03)
    page.click("#cut")
    expect(page.locator("#text")).to_contain_text("25 x 25 pixels, hk0", timeout=300_000)
    page.click("#back")
    expect(page.locator("#where")).to_have_text("l = 0.000 (10 of 19)")
