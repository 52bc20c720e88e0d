"""Caches of reflections: the same as direct simulation, whole or not there, the same whether interrupted or not."""

import csv
import gzip
import pickle

import h5py
import numpy as np
import pytest

from structures import GROUPS
from unscatter.io.structures.crystal_symmetry import prototype_key
from unscatter.io.structures.crystals import read_crystals
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.samples import cache_writing
from unscatter.powder.samples.cache import LIMIT, X_RAY_WAVELENGTH, read_reflection_cache
from unscatter.powder.samples.cache_writing import prototype_number, read_years, write_reflection_cache


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(cache_writing, "BLOCK", 4)


def content(path):
    with h5py.File(path, "r") as file:
        return {name: data[()].tobytes() if data.shape else data[()] for name, data in file.items()}


@pytest.mark.parametrize("radiation", ["neutron", "x-ray"])
def test_cache_gives_what_direct_simulation_gives(cache_path, table, radiation):
    cache = read_reflection_cache(cache_path)
    wavelength = X_RAY_WAVELENGTH if radiation == "x-ray" else None
    compared = 0
    for i, crystal in enumerate(read_crystals(table)):
        direct = simulate_reflections(crystal, LIMIT, radiation, wavelength)
        if len(direct.inverse_d) > cache_writing.MOST_LINES:
            continue
        compared += 1
        cached = cache.lines(i, radiation)
        strength = direct.multiplicity * direct.f_squared
        faint = strength / direct.inverse_d**2
        expected = dict(zip(map(tuple, direct.hkl.tolist()), strength, strict=True))
        found = dict(zip(map(tuple, cached.hkl.tolist()), cached.strength * cached.inverse_d() ** 2, strict=True))
        bright = {tuple(h) for h, f in zip(direct.hkl.tolist(), faint, strict=True) if f > 1.01e-4 * faint.max()}
        assert bright <= set(found) <= set(expected)
        np.testing.assert_allclose([found[h] for h in bright], [expected[h] for h in bright], rtol=0.02)
        assert cached.cell.volume == pytest.approx(crystal.cell.volume)
    assert compared >= 6


def test_cache_knows_group_cell_year_and_prototype(cache_path, crystals):
    cache = read_reflection_cache(cache_path)
    assert cache.space_group.tolist() == list(GROUPS)
    np.testing.assert_allclose(cache.cells, [crystal.cell.parameters for crystal in crystals])
    assert cache.year.tolist() == [1999 if i == 3 else 0 for i in range(len(GROUPS))]
    assert cache.prototype.tolist() == [prototype_number(prototype_key(crystal)) for crystal in crystals]
    assert cache.name(3) == "s3"


def test_prototype_numbers_are_the_same_everywhere():
    assert prototype_number("225_A1B1_4.4") == prototype_number("225_A1B1_4.4") == 6922973120594840648
    assert prototype_number("225_A1B1_4.4") != prototype_number("216_A1B1_4.4")


def test_poles_are_axes_that_symmetry_keeps(cache_path):
    cache = read_reflection_cache(cache_path)
    poles = dict(zip(GROUPS, cache.poles.tolist(), strict=True))
    assert poles[2] == 0b111  # triclinic: every axis
    assert poles[14] == poles[62] == 0b111  # monoclinic, orthorhombic: each turns into itself or its opposite
    assert poles[136] == poles[194] == 0b100  # one unique axis
    assert poles[225] == 0  # cubic: none


@pytest.mark.parametrize("after", [0, 1, 2])
def test_interrupted_build_resumes_to_the_same_file(tmp_path, table, cache_path, small_blocks, monkeypatch, after):
    path = tmp_path / "resumed.h5"
    write_block, done = cache_writing._write_block, []

    def stop_after(*arguments):
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(arguments[0])
        write_block(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(cache_writing, "_write_block", stop_after)
        with pytest.raises(KeyboardInterrupt):
            write_reflection_cache(table, path, progress=False)
    assert not path.exists()
    write_reflection_cache(table, path, progress=False, years={"s3": 1999})
    assert content(path) == content(cache_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["resumed.h5"]


def test_two_processes_write_the_same_file_as_one(tmp_path, table, cache_path, small_blocks):
    path = tmp_path / "two.h5"
    write_reflection_cache(table, path, workers=2, progress=False, years={"s3": 1999})
    assert content(path) == content(cache_path)


def test_the_beginning_of_another_cache_is_refused(tmp_path, table, monkeypatch):
    path = tmp_path / "cache.h5"

    def write_and_stop(block, *_):
        block.touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache_writing, "_write_block", write_and_stop)
        with pytest.raises(KeyboardInterrupt):
            write_reflection_cache(table, path, progress=False)
    with pytest.raises(ValueError, match="beginning of another cache"):
        write_reflection_cache(table, path, limit=0.5, progress=False)


def test_what_cannot_be_computed_is_reported(tmp_path):
    path = tmp_path / "table.csv"
    rows = [["a", 225, "4 4 4 90 90 90", "29", "0 0 0"], ["b", 225, "4 4 4 90 90 90", "89", "0 0 0"]]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["material_id", "sg", "cell", "Z", "xyz"], *rows])
    failed = write_reflection_cache(path, tmp_path / "cache.h5", progress=False)
    assert list(failed) == ["b"]
    assert "Ac" in failed["b"]
    assert len(read_reflection_cache(tmp_path / "cache.h5")) == 1


def test_cache_travels_to_other_processes_by_its_path(cache_path):
    cache = read_reflection_cache(cache_path)
    there = pickle.dumps(cache)
    assert len(there) < 2000
    np.testing.assert_array_equal(pickle.loads(there).lines(5).strength, cache.lines(5).strength)


def test_structures_outside_a_cache_are_refused(cache_path):
    with pytest.raises(IndexError, match="structure 12 of a cache of 12"):
        read_reflection_cache(cache_path).lines(12)


def test_other_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(ValueError, match="unscatter simulate reflections"):
        read_reflection_cache(tmp_path / "other.h5")


def test_years_are_read_from_a_packed_table(tmp_path):
    with gzip.open(tmp_path / "years.csv.gz", "wt") as file:
        file.write("material_id,year\na,1999\nb,\n")
    assert read_years(tmp_path / "years.csv.gz") == {"a": 1999}
    (tmp_path / "other.csv").write_text("name,when\n")
    with pytest.raises(ValueError, match="expected material_id and year"):
        read_years(tmp_path / "other.csv")


def test_a_call_that_came_to_nothing_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="random crystals"):
        write_reflection_cache("random:many", tmp_path / "a.h5", progress=False)
    assert not list(tmp_path.iterdir())
