"""Frozen sets of powder patterns: whole or not there, the same whether interrupted or not, and what they say."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from unscatter.cli import main
from unscatter.powder.samples import frozen
from unscatter.powder.samples.draw import CachedCrystals, RandomCrystals, draw_samples, read_recipe
from unscatter.powder.samples.frozen import read_samples, write_samples

RECIPE = read_recipe("measured")
COUNT = 10


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(frozen, "BLOCK", 3)


@pytest.fixture
def known(cache_path):
    return CachedCrystals([cache_path])


def content(path):
    with h5py.File(path, "r") as file:
        return {name: data[()].tobytes() for name, data in file.items()}


def write_interrupted(path, known, after, monkeypatch, **changes):
    def draw_or_stop(recipe, crystals, rows, seed, first):
        if first >= after:
            raise KeyboardInterrupt
        return draw_samples(recipe, crystals, rows, seed, first)

    with monkeypatch.context() as patch:
        patch.setattr(frozen, "draw_samples", draw_or_stop)
        with pytest.raises(KeyboardInterrupt):
            write_samples(path, RECIPE, COUNT, known, 4, progress=False)


@pytest.mark.parametrize("after", [0, 3, 9])
def test_interrupted_and_taken_up_again_equals_written_at_once(tmp_path, known, monkeypatch, after):
    at_once, resumed = tmp_path / "at_once.h5", tmp_path / "resumed.h5"
    write_samples(at_once, RECIPE, COUNT, known, 4, progress=False)
    write_interrupted(resumed, known, after, monkeypatch)
    assert not resumed.exists()
    write_samples(resumed, RECIPE, COUNT, known, 4, progress=False)
    assert content(resumed) == content(at_once)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["at_once.h5", "resumed.h5"]


@pytest.mark.parametrize("other", ["recipe", "seed", "structures"])
def test_the_beginning_of_another_set_is_refused(tmp_path, known, monkeypatch, other):
    path = tmp_path / "set.h5"
    write_interrupted(path, known, 3, monkeypatch)
    recipe = replace(RECIPE, counts=(5.0, 6.0)) if other == "recipe" else RECIPE
    crystals = RandomCrystals() if other == "structures" else known
    with pytest.raises(ValueError, match=f"its {other} is"):
        write_samples(path, recipe, COUNT, crystals, 5 if other == "seed" else 4, progress=False)


def test_a_set_gives_back_its_samples(tmp_path, known):
    write_samples(tmp_path / "set.h5", RECIPE, COUNT, known, 4, progress=False)
    stored = read_samples(tmp_path / "set.h5")
    assert (len(stored), stored.recipe, stored.seed) == (COUNT, RECIPE, 4)
    with h5py.File(tmp_path / "set.h5") as file:
        rows = file["row"][()]
    drawn = draw_samples(RECIPE, known, rows, 4, 0)
    blocks = list(stored.blocks(4))
    assert [len(block.group) for block in blocks] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([block.inputs for block in blocks]), drawn.inputs)
    np.testing.assert_array_equal(stored.read().group, drawn.group)
    np.testing.assert_array_equal(stored.read(2, 5).cell, drawn.cell[2:5])


def test_what_cannot_be_written_is_refused(tmp_path, known):
    with pytest.raises(ValueError, match="one sample or more"):
        write_samples(tmp_path / "set.h5", RECIPE, 0, known)
    with pytest.raises(FileNotFoundError, match="make it first"):
        write_samples(tmp_path / "none" / "set.h5", RECIPE, 1, known)


def test_a_cache_is_no_set(cache_path):
    with pytest.raises(ValueError, match="unscatter simulate powder"):
        read_samples(cache_path)


def test_commands_go_from_structures_to_a_set(tmp_path, table):
    lines, out = tmp_path / "lines.h5", tmp_path / "set.h5"
    for arguments in (
        ["simulate", "reflections", str(table), "--out", str(lines)],
        ["simulate", "powder", "--structures", str(lines), "--out", str(out), "--count", "4", "--axis", "instrument"],
    ):
        with pytest.raises(SystemExit) as done:
            main(arguments)
        assert done.value.code == 0
    assert read_samples(out).read().inputs.shape == (4, 1, 3041)
