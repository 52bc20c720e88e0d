"""Profile columns: unit areas, the same sums as everywhere, and derivatives against differences."""

import numpy as np
import pytest

from unscatter.powder.pattern.axial import spread_axially
from unscatter.powder.pattern.columns import profile_columns
from unscatter.powder.pattern.peaks import Peaks
from unscatter.powder.pattern.profile import sum_peaks

RNG = np.random.default_rng(0)
EVEN = np.arange(5.0, 120.0, 0.02)
UNEVEN = np.sort(EVEN + RNG.uniform(-0.008, 0.008, EVEN.size))
POSITION = np.sort(RNG.uniform(2, 123, 120))
FWHM = 0.08 + 0.002 * POSITION
BEAM = {"axial": (0.03, 0.02), "wavelengths": (1.5406, 1.5444), "weights": (1.0, 0.5)}


@pytest.mark.parametrize("grid", [EVEN, UNEVEN])
def test_columns_times_areas_are_the_sum_of_the_peaks(grid):
    area, eta = RNG.random(120), RNG.random(120)
    columns = profile_columns(grid, POSITION, FWHM, eta, axial=(0.02, 0.02))
    peaks = spread_axially(Peaks(POSITION, area, FWHM, eta, np.zeros(120, dtype=int)), (0.02, 0.02))
    summed = sum_peaks(peaks, grid)[0]
    np.testing.assert_allclose(columns.matrix() @ area, summed, atol=1e-7 * summed.max())


def test_a_column_holds_the_doublet_and_unit_area():
    columns = profile_columns(EVEN, [40.0], 0.1, 0.5, wavelengths=(1.5406, 1.5444), weights=(1.0, 0.5))
    column = columns.matrix().toarray()[:, 0]
    second = np.degrees(2 * np.arcsin(np.sin(np.radians(20.0)) * 1.5444 / 1.5406))
    assert column.sum() * 0.02 == pytest.approx(1, abs=1e-6)
    assert EVEN @ column / column.sum() == pytest.approx((2 * 40.0 + second) / 3, abs=1e-6)


@pytest.mark.parametrize("grid", [EVEN, UNEVEN])
@pytest.mark.parametrize("name", ["position", "fwhm", "eta"])
def test_derivatives_are_those_of_differences(grid, name):
    given = {"position": POSITION, "fwhm": FWHM, "eta": np.full(120, 0.4)}
    columns = profile_columns(grid, **given, **BEAM, derivatives=True)
    found = columns.matrix(getattr(columns, f"by_{name}")).toarray()
    step = 1e-4
    high, low = (profile_columns(grid, **{**given, name: given[name] + s}, **BEAM) for s in (step, -step))
    expected = (high.matrix() - low.matrix()).toarray() / (2 * step)
    # The shares of the rays hardly depend on the angle, which is left out.
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_lines_beyond_the_range_have_empty_columns():
    columns = profile_columns(EVEN, [1.0, 60.0, 170.0], 0.1, 0.5)
    assert len(columns) == 3
    assert np.diff(columns.begin).tolist()[::2] == [0, 0]
    assert columns.matrix().shape == (len(EVEN), 3)


def test_a_width_below_zero_is_refused():
    with pytest.raises(ValueError, match="widths must be positive"):
        profile_columns(EVEN, [50.0], [-0.1], 0.5)
