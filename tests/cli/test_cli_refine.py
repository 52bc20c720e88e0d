"""unscatter refine order, as a user types it."""

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.cli import main
from unscatter.diffuse.demonstration import CELL, simulate_demonstration, trisamide_columns, trisamide_order
from unscatter.diffuse.plane.forward import (
    atom_pair,
    molecular_form_factor,
    order_waves,
    scattering_plane,
    short_range_order,
)
from unscatter.io.results.components import read_components, write_components, write_plane
from unscatter.io.results.order_tables import read_order_record
from unscatter.laue import laue_rotations, orbit
from unscatter.nouns.plane import PlaneAxes


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["refine", "order", *arguments])
    return int(caught.value.code or 0)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "plane.factorized.h5"
    write_components(path, simulate_demonstration(pixels=128))
    return path


def test_a_table_on_screen_in_files_and_in_the_result(
    result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_components(result)
    assert run(str(result), "--laue", "6/m", "--vectors", "1,0,0", "2,0,0", "2,1,0") == 0
    screen = capsys.readouterr().out
    for word in ("6/m", "(1 0 0)", "s.u.", "chi2"):
        assert word in screen
    with (tmp_path / "plane.order.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["(1 0 0)", "(2 0 0)", "(2 1 0)"]
    record = json.loads((tmp_path / "plane.order.json").read_text(encoding="utf-8"))
    assert record == read_order_record(result)
    assert record["parameters"][0]["alpha"] == pytest.approx(float(rows[0]["alpha"]))
    assert (tmp_path / "plane.order.png").read_bytes().startswith(b"\x89PNG")
    assert np.array_equal(read_components(result).form_factor, before.form_factor)


def test_refining_again_replaces_the_table(result: Path) -> None:
    for against in ("data", "order"):
        assert run(str(result), "--laue", "6/m", "--vectors", "1,0,0", "--against", against, "--no-picture") == 0
    with h5py.File(result) as file:
        assert file["entry/order_parameters/alpha"].shape == (1,)
    assert read_order_record(result)["against"] == "order"


def test_a_known_form_factor_and_no_trace_in_the_result(result: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "form.npy", read_components(result).form_factor)
    options = ("--form-factor", str(tmp_path / "form.npy"), "--laue", "6/m", "--no-store", "--no-picture")
    assert run(str(result), *options, "--out", str(tmp_path / "tables")) == 0
    assert (tmp_path / "tables" / "plane.order.csv").exists()
    with pytest.raises(ValueError, match="holds no order parameters"):
        read_order_record(result)


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The two columns of the demonstration as XYZ files."""
    folder = tmp_path_factory.mktemp("columns")
    paths = (folder / "a.xyz", folder / "b.xyz")
    for path, molecule in zip(paths, trisamide_columns(), strict=True):
        atoms = zip(molecule.elements, molecule.positions, strict=True)
        lines = [f"{symbol} {x:.6f} {y:.6f} {z:.6f}" for symbol, (x, y, z) in atoms]
        path.write_text("\n".join([str(len(lines)), molecule.name, *lines]) + "\n", encoding="utf-8")
    return paths


def read_differences(table: Path) -> tuple[np.ndarray, np.ndarray]:
    """Alphas of a CSV minus those of the demonstration, and their standard uncertainties."""
    order, rotations = trisamide_order(), laue_rotations("6/m")
    pairs = zip(order.vectors.tolist(), order.alpha, strict=True)
    truth = {tuple(w): alpha for v, alpha in pairs for w in orbit(v, rotations).tolist()}
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = [truth.get((int(row["u"]), int(row["v"]), int(row["w"])), 0.0) for row in rows]
    found = np.array([float(row["alpha"]) for row in rows])
    return found - expected, np.array([float(row["standard_error"]) for row in rows])


@pytest.mark.parametrize("model_b", ["b.xyz", "x,y,1/2-z"])
def test_structure_files_make_the_form_factor_known(
    result: Path, columns: tuple[Path, Path], model_b: str, tmp_path: Path
) -> None:
    b = str(columns[1]) if model_b == "b.xyz" else model_b
    options = ("--laue", "6/m", "--model-a", str(columns[0]), "--model-b", b, "--debye-waller", "0.06")
    assert run(str(result), *options, "--no-store", "--no-picture") == 0
    record = json.loads((tmp_path / "plane.order.json").read_text(encoding="utf-8"))
    assert record["against"] == "form-factor"
    difference, error = read_differences(tmp_path / "plane.order.csv")
    assert np.abs(difference / error).max() < 4.5
    assert np.abs(difference).max() < 0.02


def test_the_debye_waller_factor_of_the_model_is_refined(
    result: Path, columns: tuple[Path, Path], tmp_path: Path
) -> None:
    tables = []
    for number, given in enumerate(((), ("--debye-waller", "0.06"), ("--debye-waller", "0.3"))):
        out = tmp_path / str(number)
        model = ("--model-a", str(columns[0]), "--model-b", str(columns[1]), *given)
        options = ("--laue", "6/m", "--vectors", "1,0,0", "2,0,0", "2,1,0", *model)
        assert run(str(result), *options, "--no-store", "--no-picture", "--out", str(out)) == 0
        tables.append(json.loads((out / "plane.order.json").read_text(encoding="utf-8")))
    refined, right, wrong = ([p["alpha"] for p in table["parameters"]] for table in tables)
    assert np.allclose(refined, right, atol=1e-4)
    assert not np.allclose(wrong, right, atol=1e-3)


def test_planes_of_a_volume_refine_one_set(columns: tuple[Path, Path], tmp_path: Path) -> None:
    grid, levels = np.arange(-80, 81) / 20, np.array([1.0, 2.0])
    layers = []
    for level in levels:
        axes = PlaneAxes([0, 0, level], [1, 0, 0], [0, 1, 0], grid, grid)
        form = molecular_form_factor(atom_pair(*trisamide_columns()), scattering_plane(axes, CELL), 0.5)
        layers.append(form * short_range_order(order_waves(trisamide_order(), axes), grid, grid))
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        # Yell: data[h, k, l]; a plane is (k, h).
        file["data"] = np.stack([layer.T for layer in layers], axis=-1)
        file["format"] = "Yell 1.0"
        file["is_direct"] = False
        file["lower_limits"] = [grid[0], grid[0], levels[0]]
        file["step_sizes"] = [0.05, 0.05, 1.0]
        file["unit_cell"] = CELL.parameters
    with pytest.raises(SystemExit) as caught:
        main(["factorize", str(tmp_path / "volume.h5"), "--plane", "hk1", "--plane", "hk2", "--no-picture",
              "--out", str(tmp_path)])  # fmt: skip
    assert caught.value.code == 0
    results = [str(tmp_path / f"volume.hk{level}.factorized.h5") for level in (1, 2)]
    assert [read_components(path).plane.axes.origin[2] for path in results] == [1, 2]
    model = ("--model-a", str(columns[0]), "--model-b", str(columns[1]), "--debye-waller", "0")
    shared = ("--laue", "6/m", "--no-picture", *model)
    assert run(*results, *shared) == 0
    assert read_order_record(Path(results[0]))["pixels"] == 2 * grid.size**2
    difference, _ = read_differences(tmp_path / "volume.hk1.order.csv")
    assert np.abs(difference).max() < 2e-3


def test_a_plane_named_twice_is_refused(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["factorize", str(result), "--plane", "hk1", "--plane", "hk1"])
    assert caught.value.code == 2
    assert "twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model-a", "nosuch.cif"), "no file nosuch.cif"),
        (("--model-a", "a.cif", "--form-factor", "f.npy"), "give one of them"),
        (("--model-a", "a.cif", "--against", "order"), "as factorized"),
        (("--laue", "m-3m"), "does not have the symmetry"),
        (("--laue", "P6"), "no Laue class"),
        (("--vectors", "1,0"), "three whole numbers"),
    ],
)
def test_what_cannot_be_is_one_line(
    result: Path, options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(result), *options) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_plane_that_was_not_taken_apart_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plane(tmp_path / "plane.h5", simulate_demonstration(pixels=64).plane)
    assert run(str(tmp_path / "plane.h5")) == 2
    assert "unscatter factorize" in capsys.readouterr().err
