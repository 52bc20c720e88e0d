"""A result can be made again from itself: unscatter options RESULT, then --options."""

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.cli import main
from unscatter.diffuse.demonstration import CELL, simulate_demonstration
from unscatter.io.results.components import read_components, write_components
from unscatter.io.results.order_tables import read_order_record
from unscatter.powder.demonstration import simulate_corundum, write_pattern


def run(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert not caught.value.code, caught.value.code


def options_of(result: Path, toml: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    run("options", result)
    text = capsys.readouterr().out
    toml.write_text(text, encoding="utf-8")
    return text


def test_a_factorization(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    intensity = simulate_demonstration(pixels=96).plane.intensity
    np.save(tmp_path / "bare.npy", np.nan_to_num(intensity) - 0.01)
    np.save(tmp_path / "mask.npy", ~np.isfinite(intensity))
    first = ["--axes", "h=-6:6 k=-6:6 l=1", "--cell", *map(str, CELL.parameters), "--negative", "clip"]
    run("factorize", tmp_path / "bare.npy", "--out", tmp_path, "--no-picture", "--mask", tmp_path / "mask.npy", *first)
    text = options_of(tmp_path / "bare.factorized.h5", tmp_path / "options.toml", capsys)
    assert "bare.npy: sha256" in text
    assert "mask.npy: sha256" in text
    again = tmp_path / "again"
    run("factorize", tmp_path / "bare.npy", "--out", again, "--no-picture", "--options", tmp_path / "options.toml")
    before, after = (read_components(folder / "bare.factorized.h5") for folder in (tmp_path, again))
    np.testing.assert_array_equal(before.form_factor, after.form_factor)
    np.testing.assert_array_equal(before.short_range_order, after.short_range_order)
    assert before.provenance["options"] == after.provenance["options"]
    assert before.findings == after.findings


def test_a_classification_and_what_is_typed_wins(
    classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pattern(tmp_path / "corundum.xye", simulate_corundum())
    how = ["--no-picture", "--out"]
    run("classify", tmp_path / "corundum.xye", "--weights", classifier, "--subtract-background", *how, tmp_path)
    options_of(tmp_path / "corundum.classified.json", tmp_path / "options.toml", capsys)
    replay = ["classify", tmp_path / "corundum.xye", "--options", tmp_path / "options.toml", *how]
    run(*replay, tmp_path / "same")
    run(*replay, tmp_path / "other", "--no-subtract-background", "--wavelength", "1.6")
    tables = [
        json.loads((folder / "corundum.classified.json").read_text())
        for folder in (tmp_path, tmp_path / "same", tmp_path / "other")
    ]
    assert tables[0]["levels"] == tables[1]["levels"]
    assert tables[0]["provenance"]["options"] == tables[1]["provenance"]["options"]
    assert tables[2]["provenance"]["options"]["subtract_background"] is False
    assert tables[2]["pattern"]["wavelength_A"] == 1.6
    assert tables[2]["provenance"]["options"]["weights"] == classifier


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "plane.factorized.h5"
    write_components(path, simulate_demonstration(pixels=96))
    return path


def test_refined_order_and_the_crystal_drawn_from_it(
    result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = ["--laue", "6/m", "--vectors", "1,0,0", "2,0,0", "--bootstrap", "20", "--seed", "3"]
    run("refine", "order", result, *how, "--no-picture")
    before = read_order_record(result)
    options_of(result, tmp_path / "order.toml", capsys)
    run("refine", "order", result, "--options", tmp_path / "order.toml", "--no-picture")
    after = read_order_record(result)
    assert after["parameters"] == before["parameters"]
    assert after["provenance"]["options"] == before["provenance"]["options"]
    assert after["provenance"]["options"]["bootstrap"] == 20

    run("supercell", result, "--box", "8", "8", "1", "--boxes", "2", "--seed", "5", "--out", tmp_path)
    options_of(tmp_path / "plane.supercell.cif", tmp_path / "cell.toml", capsys)
    run("supercell", result, "--options", tmp_path / "cell.toml", "--out", tmp_path / "again")
    tables = [(folder / "plane.supercell.csv").read_text() for folder in (tmp_path, tmp_path / "again")]
    assert tables[0] == tables[1]
    assert next(csv.DictReader(tables[0].splitlines()))["u"] == "1"


def test_a_result_of_an_earlier_unscatter_says_that_it_cannot_tell(
    result: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with h5py.File(result, "r+") as file:
        del file["entry/process/provenance"]
        file["entry/process/provenance"] = json.dumps({"version": "0.0.1", "weights": "factorize-256"})
    with pytest.raises(SystemExit) as caught:
        main(["options", str(result)])
    assert caught.value.code == 2
    assert "does not say with which options" in capsys.readouterr().err


@pytest.mark.parametrize("wing", ["diffuse", "powder"])
def test_a_frozen_set(wing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if wing == "diffuse":
        pytest.importorskip("unscatter_training_data", reason="its bank of order: pip install unscatter[train]")
    sets = [tmp_path / "one.h5", tmp_path / "two.h5"]
    run("simulate", wing, "--out", sets[0], "--count", "2", "--seed", "7", "--recipe", "paper", "-q")
    text = options_of(sets[0], tmp_path / "set.toml", capsys)
    assert f"unscatter simulate {wing} --options" in text
    run("simulate", wing, "--out", sets[1], "--options", tmp_path / "set.toml", "-q")
    name = "intensity" if wing == "diffuse" else "inputs"
    with h5py.File(sets[0]) as one, h5py.File(sets[1]) as other:
        assert len(one[name]) == 2
        np.testing.assert_array_equal(one[name][()], other[name][()])


def test_a_cache_of_reflections(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    caches = [tmp_path / "one.h5", tmp_path / "two.h5"]
    run("simulate", "reflections", "random:4,7", "--out", caches[0], "-q")
    text = options_of(caches[0], tmp_path / "cache.toml", capsys)
    assert "unscatter simulate reflections random:4,7 --options" in text
    run("simulate", "reflections", "random:4,7", "--out", caches[1], "--options", tmp_path / "cache.toml", "-q")
    with h5py.File(caches[0]) as one, h5py.File(caches[1]) as other:
        np.testing.assert_array_equal(one["records"][()], other["records"][()])
