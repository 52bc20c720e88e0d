"""unscatter refine order, as a user types it."""

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.cli import main
from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.io.order_tables import read_order_record
from unscatter.io.result import read_components, write_components, write_plane


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


@pytest.mark.parametrize(
    ("options", "words"),
    [
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
