"""A whole volume from the command line and from Python: one answer, every file, and alphas that were put in."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import unscatter
from unscatter.cli.dispatch import main
from unscatter.io.hdf5 import open_own
from unscatter.io.planes.read import read_diffraction
from unscatter.io.planes.volumes import read_volume

ALPHAS = {(1, 0, 0): -0.12, (0, 1, 1): 0.08}


@pytest.fixture(scope="module")
def crystal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Yell 1.0 file of counts with a slab that was never reached, all zeros."""
    path = tmp_path_factory.mktemp("volume") / "crystal.h5"
    axis = np.linspace(-2, 2, 33)
    h, k, l = axis[:, None, None], axis[None, :, None], axis[None, None, :]  # noqa: E741
    order = 1 + sum(2 * a * np.cos(2 * np.pi * (h * v[0] + k * v[1] + l * v[2])) for v, a in ALPHAS.items())
    counts = np.random.default_rng(0).poisson(60 * np.exp(-0.1 * (h**2 + k**2 + l**2)) * order).astype(np.float32)
    counts[:4] = 0
    with open_own(path, "w") as file:
        file["format"] = "Yell 1.0"
        file["data"], file["lower_limits"], file["step_sizes"] = counts, np.full(3, -2.0), np.full(3, axis[1] - axis[0])
        file["unit_cell"] = np.array([5.0, 6.0, 7.0, 90, 90, 90])
    return path


def test_the_command_writes_the_factors_the_alphas_and_a_picture(
    crystal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["factorize", str(crystal), "--volume", "--layout", "yell", "--out", str(tmp_path)])
    assert stopped.value.code == 0
    assert "(1 0 0)" in capsys.readouterr().out
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "crystal.factorized.h5",
        "crystal.factorized.png",
        "crystal.order.csv",
        "crystal.form_factor.h5",
        "crystal.short_range_order.h5",
    }
    with (tmp_path / "crystal.order.csv").open() as file:
        rows = {tuple(int(row[n]) for n in "uvw"): row for row in csv.DictReader(file)}
    for vector, alpha in ALPHAS.items():
        row = rows.get(vector) or rows[tuple(-n for n in vector)]
        assert float(row["alpha"]) == pytest.approx(alpha, abs=0.006)


def test_zeros_of_a_slab_that_was_not_reached_count_as_not_measured_and_it_is_told(crystal: Path) -> None:
    volume = read_volume(crystal)
    assert any("exact zeros count as not measured" in note for note in volume.notes)
    measured = read_volume(crystal, zeros="measured")
    assert np.all(np.isfinite(np.asarray(measured.intensity[:, :, :])))


def test_python_gives_what_the_command_gives(crystal: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["factorize", str(crystal), "--volume", "--json", "--no-picture", "--out", str(tmp_path)])
    told = json.loads(capsys.readouterr().out)
    components = unscatter.factorize(crystal, volume=True)
    assert told["order"] == components.to_dict()["order"]
    again = unscatter.factorize(read_volume(crystal))
    np.testing.assert_array_equal(again.order.alpha, components.order.alpha)
    assert components.provenance["options"]["volume"] is True
    assert len(components.provenance["input_sha256"]) == 64


def test_a_plane_is_no_volume(tmp_path: Path) -> None:
    np.save(tmp_path / "plane.npy", np.ones((8, 8)))
    with pytest.raises(ValueError, match="leave out --volume"):
        unscatter.factorize(tmp_path / "plane.npy", volume=True)


def test_a_plane_of_the_volume_and_the_volume_exclude_each_other(crystal: Path) -> None:
    with pytest.raises(ValueError, match="leave out --plane"):
        unscatter.factorize(crystal, volume=True, plane="hk0")


def test_the_factors_are_volumes_themselves(crystal: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["factorize", str(crystal), "--volume", "-q", "--out", str(tmp_path)])
    order = read_diffraction(tmp_path / "crystal.factorized.h5", dataset="entry/I_SRO")
    values = np.asarray(order.intensity)
    assert np.all(np.isfinite(values))
    # One whole reciprocal cell of 8 x 8 x 8 voxels.
    assert values[:8, :8, :8].mean() == pytest.approx(1.0, abs=0.01)
