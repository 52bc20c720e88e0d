"""The demonstration pattern is corundum as BT-1 sees it, and says that it is simulated."""

from pathlib import Path

import numpy as np
import pytest

from unscatter.io.patterns import read_pattern
from unscatter.io.structures.crystal_symmetry import label_space_group
from unscatter.powder.demonstration import corundum, simulate_corundum, write_pattern

MEASURED = Path(__file__).resolve().parents[3] / "shared" / "data" / "patterns" / "n_bt1_al2o3.xye"


def test_the_structure_is_corundum() -> None:
    pytest.importorskip("spglib")
    crystal = corundum()
    assert label_space_group(crystal) == 167
    assert crystal.cell.volume == pytest.approx(254.8, abs=0.1)


def test_lines_stand_where_bragg_puts_them() -> None:
    pattern = simulate_corundum()
    for d in (3.479, 2.552, 2.0853, 1.6016):  # (012), (104), (113), (116) of corundum
        angle = 2 * np.degrees(np.arcsin(1.5403 / 2 / d))
        near = np.abs(pattern.two_theta - angle) < 0.5
        highest = pattern.two_theta[near][np.argmax(pattern.intensity[near])]
        assert abs(highest - angle) < 0.11


def test_counts_are_counts() -> None:
    pattern = simulate_corundum()
    assert np.array_equal(pattern.intensity, np.round(pattern.intensity))
    flat = pattern.intensity[(pattern.two_theta > 15) & (pattern.two_theta < 24)]
    assert 0.7 < flat.var() / flat.mean() < 1.4
    assert np.array_equal(pattern.intensity, simulate_corundum().intensity)
    assert not np.array_equal(pattern.intensity, simulate_corundum(seed=1).intensity)


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    pattern = simulate_corundum()
    write_pattern(tmp_path / "corundum.xye", pattern)
    again = read_pattern(tmp_path / "corundum.xye")
    assert again.simulated
    assert again.radiation == "neutron"
    assert again.wavelength == 1.5403
    assert "simulated" in again.title
    np.testing.assert_array_equal(again.intensity, pattern.intensity)


@pytest.mark.skipif(not MEASURED.is_file(), reason="the measured pattern of corundum is not here")
def test_it_looks_like_the_measured_one() -> None:
    measured, simulated = read_pattern(MEASURED), simulate_corundum()
    inside = (measured.two_theta > 20) & (measured.two_theta < 150)
    x = measured.two_theta[inside]
    ours = np.interp(x, simulated.two_theta, simulated.intensity)
    best = max(
        np.corrcoef(np.interp(x + zero, measured.two_theta, measured.intensity), ours)[0, 1]
        for zero in np.arange(-0.2, 0.21, 0.05)
    )
    assert best > 0.95
