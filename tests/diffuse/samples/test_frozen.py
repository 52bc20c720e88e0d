"""Frozen sets as facts: whole or not there, the same whether interrupted or not, and read back as nouns."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from unscatter.diffuse.samples import frozen
from unscatter.diffuse.samples.draw import collate, draw_sample, read_recipe, render
from unscatter.diffuse.samples.frozen import read_samples, write_samples

RECIPE = replace(read_recipe("measured"), pixels=16, scans=1)
COUNT = 10


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(frozen, "BLOCK", 3)


def write(path, **changes):
    options = {"recipe": RECIPE, "count": COUNT, "seed": 4, "progress": False, **changes}
    return write_samples(path, **options)


def write_interrupted(path, after, monkeypatch, **changes):
    """Raise after so many samples, as a full disk or Ctrl-C would."""

    def draw_or_stop(recipe, seed, index, split):
        if index >= after:
            raise KeyboardInterrupt
        return draw_sample(recipe, seed, index, split)

    with monkeypatch.context() as patch:
        patch.setattr(frozen, "draw_sample", draw_or_stop)
        with pytest.raises(KeyboardInterrupt):
            write(path, **changes)


def content(path):
    with h5py.File(path, "r") as file:
        return {name: (data.dtype, data.shape, data[()].tobytes()) for name, data in file.items()}


# --- whole or not there ---


@pytest.mark.parametrize("after", [0, 1, 4, 6, 9])
def test_interrupted_and_taken_up_again_equals_written_at_once(tmp_path, monkeypatch, after):
    at_once, resumed = tmp_path / "at_once.h5", tmp_path / "resumed.h5"
    write(at_once)
    write_interrupted(resumed, after, monkeypatch)
    assert not resumed.exists()
    write(resumed)
    assert content(resumed) == content(at_once)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["at_once.h5", "resumed.h5"]


def test_resuming_draws_no_finished_block_again(tmp_path, monkeypatch):
    path = tmp_path / "set.h5"
    write_interrupted(path, 7, monkeypatch)
    drawn = []
    monkeypatch.setattr(frozen, "draw_sample", lambda *which: drawn.append(which[2]) or draw_sample(*which))
    write(path)
    assert drawn == [6, 7, 8, 9]


def test_older_set_stays_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "set.h5"
    write(path, count=2)
    before = path.read_bytes()
    write_interrupted(path, 5, monkeypatch)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"recipe": replace(RECIPE, q_max=(5.0, 6.0))}, "recipe"),
        ({"seed": 5}, "seed"),
        ({"count": 11}, "count"),
        ({"split": "validation"}, "split"),
        ({"precision": "float16"}, "precision"),
        ({"alphas": True}, "alphas"),
    ],
)
def test_another_call_does_not_continue_the_set(tmp_path, monkeypatch, change, name):
    path = tmp_path / "set.h5"
    write_interrupted(path, 4, monkeypatch)
    with pytest.raises(ValueError, match=f"beginning of another set: its {name} is .*delete it"):
        write(path, **change)
    write(path)
    assert len(read_samples(path)) == COUNT


def test_damaged_beginning_is_a_one_line_error(tmp_path):
    (tmp_path / "set.h5.part").write_bytes(b"\x89HDF\r\n\x1a\n damaged")
    with pytest.raises(ValueError, match=r"set\.h5\.part"):
        write(tmp_path / "set.h5")


def test_folder_that_is_not_there_and_empty_sets_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        write(tmp_path / "nowhere" / "set.h5")
    with pytest.raises(ValueError, match="one sample or more"):
        write(tmp_path / "set.h5", count=0)


# --- read back ---


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("float16", 1e-3)])
def test_samples_come_back_as_they_were_rendered(tmp_path, precision, tolerance):
    path = tmp_path / "set.h5"
    assert write(path, precision=precision, split="validation") == COUNT
    samples = read_samples(path)
    assert (len(samples), samples.recipe, samples.seed, samples.split) == (COUNT, RECIPE, 4, "validation")
    for index, sample in enumerate(samples):
        draw = draw_sample(RECIPE, 4, index, "validation")
        truth = render(collate(RECIPE, [draw]))
        np.testing.assert_array_equal(sample.plane.measured, truth.measured[0])
        for found, expected in (
            (sample.form_factor, truth.form_factor[0]),
            (sample.short_range_order, truth.short_range_order[0]),
            (np.nan_to_num(sample.plane.intensity), truth.intensity[0] * truth.measured[0]),
        ):
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * truth.intensity.max())
        assert sample.plane.cell == draw.cell
        np.testing.assert_array_equal(sample.plane.axes.hkl(), draw.axes.hkl())
        assert (sample.provenance["index"], tuple(sample.provenance["names"])) == (index, draw.names)
        assert sample.plane.simulated


def test_set_is_a_sequence(tmp_path):
    path = tmp_path / "set.h5"
    write(path, count=4)
    samples = read_samples(path)
    indices = [sample.provenance["index"] for sample in (samples[-1], *samples[1:3])]
    assert indices == [3, 1, 2]
    with pytest.raises(IndexError):
        samples[4]


def test_order_parameters_are_stored_on_demand(tmp_path):
    path = tmp_path / "set.h5"
    write(path, count=2, alphas=True)
    order = draw_sample(RECIPE, 4, 1).order
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["alpha"][1], order.alpha)
        np.testing.assert_array_equal(file["vectors"][1], order.vectors)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w"):
        pass
    with pytest.raises(ValueError, match="no unscatter samples"):
        read_samples(path)


# --- without near-duplicates ---


def test_near_duplicates_are_left_out(tmp_path, monkeypatch):
    """Samples 3 and 7 are made copies of 2: one of the three stays."""
    path = tmp_path / "set.h5"
    same = {3: 2, 7: 2}
    monkeypatch.setattr(
        frozen, "draw_sample", lambda r, s, index, split: draw_sample(r, s, same.get(index, index), split)
    )
    assert write(path, drop_duplicates=1e-5) == COUNT - 2
    assert [sample.provenance["index"] for sample in read_samples(path)] == [0, 1, 2, 4, 5, 6, 8, 9]
    assert [file.name for file in tmp_path.iterdir()] == ["set.h5"]


def test_interruption_while_leaving_out_is_taken_up_too(tmp_path, monkeypatch):
    path, at_once = tmp_path / "set.h5", tmp_path / "at_once.h5"
    write(at_once, drop_duplicates=1e-5)
    with monkeypatch.context() as patch:
        patch.setattr(frozen, "find_duplicates", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write(path, drop_duplicates=1e-5)
    assert not path.exists()
    write(path, drop_duplicates=1e-5)
    assert content(path) == content(at_once)
