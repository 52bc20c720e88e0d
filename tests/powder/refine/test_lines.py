"""Lines of simulated patterns: positions, profile, noise and images."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.reflections import Reflections
from unscatter.powder.pattern.instrument import Instrument, read_instruments
from unscatter.powder.pattern.line_shape import LineShape
from unscatter.powder.pattern.profile import simulate_profile
from unscatter.powder.refine.images import flag_images
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.noise import find_noise
from unscatter.powder.refine.widths import half_widths

# Rutile, 1/d of its first lines from the cell 4.594 4.594 2.959.
HKL = np.array([[1, 1, 0], [1, 0, 1], [2, 0, 0], [1, 1, 1], [2, 1, 0], [2, 1, 1], [2, 2, 0], [0, 0, 2], [3, 1, 0]])
INVERSE_D = np.sqrt((HKL[:, 0] ** 2 + HKL[:, 1] ** 2) / 4.594**2 + HKL[:, 2] ** 2 / 2.959**2)
STRENGTH = np.array([100.0, 60, 20, 40, 15, 90, 30, 20, 25])


def simulate(instrument: Instrument, counts: float = 0.0, seed: int = 0) -> Pattern:
    order = np.argsort(INVERSE_D)
    reflections = Reflections(INVERSE_D[order], np.ones(len(HKL)), STRENGTH[order] * INVERSE_D[order] ** 2, 62.4)
    intensity = np.asarray(simulate_profile(reflections, instrument))
    intensity = intensity / intensity.max()
    if counts:
        rng = np.random.default_rng(seed)
        intensity = rng.poisson(counts * (intensity + 0.02)).astype(float)
    second = instrument.wavelengths[1] if len(instrument.wavelengths) > 1 else None
    return Pattern(instrument.two_theta, intensity, None, instrument.wavelengths[0], second, instrument.radiation)


def expected(wavelength: float) -> NDArray[np.float64]:
    return np.degrees(2 * np.arcsin(np.sort(INVERSE_D) * wavelength / 2))


def matched(lines: Lines, wavelength: float, within: float) -> int:
    off = np.abs(expected(wavelength)[:, None] - lines.two_theta).min(axis=1)
    return int(np.sum(off < within))


def test_lines_of_a_neutron_pattern_without_noise_come_back_and_no_others() -> None:
    instrument = read_instruments()["lolla-2022"]
    lines = find_lines(simulate(instrument))
    assert matched(lines, 2.0787, 2e-3) == len(HKL)
    assert len(lines) == len(HKL)
    assert lines.fwhm == pytest.approx(_fwhm(instrument, lines.two_theta), rel=0.02)
    assert lines.provenance["noise"] is False


def test_lines_of_counted_patterns_are_within_their_uncertainties() -> None:
    instrument = read_instruments()["lolla-2022"]
    off = []
    for seed in range(4):
        lines = find_lines(simulate(instrument, 2e4, seed))
        nearest = np.abs(expected(2.0787)[:, None] - lines.two_theta).argmin(axis=1)
        off.append((lines.two_theta[nearest] - expected(2.0787)) / lines.two_theta_error[nearest])
    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 2.0


def test_the_second_line_of_a_doublet_is_no_line_of_its_own() -> None:
    instrument = replace(read_instruments()["lab-cu"], axial=(0.0, 0.0), range=(20.0, 75.0, 0.02))
    lines = find_lines(simulate(instrument, 2e4))
    assert matched(lines, 1.540593, 0.01) == len(HKL)
    assert len(lines) <= len(HKL) + 1


@pytest.mark.parametrize("told", [1.540593, 1.5418])
def test_a_doublet_that_no_file_told_is_found_in_the_pattern(told: float) -> None:
    instrument = replace(read_instruments()["lab-cu"], axial=(0.0, 0.0), range=(20.0, 75.0, 0.02))
    pattern = replace(simulate(instrument, 2e4), wavelength=told, second_wavelength=None)
    lines = find_lines(pattern)
    assert lines.second_wavelength == pytest.approx(1.54443, abs=2e-5)
    assert matched(lines, 1.540593, 0.01) == len(HKL)
    assert len(lines) <= len(HKL) + 1


def test_a_tube_behind_a_monochromator_shows_no_doublet() -> None:
    instrument = replace(
        read_instruments()["lab-cu"],
        axial=(0.0, 0.0),
        range=(20.0, 75.0, 0.02),
        wavelengths=(1.540593,),
        weights=(1.0,),
    )
    lines = find_lines(simulate(instrument, 2e4))
    assert lines.second_wavelength is None
    assert matched(lines, 1.540593, 0.01) == len(HKL)


@pytest.mark.parametrize("axial", [(0.032, 0.014), (0.025, 0.025)])
def test_lines_that_lean_by_their_width_are_one_line_each(axial: tuple[float, float]) -> None:
    # Of sharp lines at low angles a profile that does not lean makes several each, and has nothing left to lean for.
    instrument = replace(
        read_instruments()["lab-mo"], axial=axial, wavelengths=(0.7093,), weights=(1.0,), range=(5.0, 35.0, 0.01)
    )
    lines = find_lines(simulate(instrument, 5e4))
    assert matched(lines, 0.7093, 0.01) == len(HKL)
    assert np.sum(lines.area > 0.03 * lines.area.max()) == len(HKL)
    assert lines.axial == pytest.approx(np.mean(axial), abs=0.01)


def test_lines_that_lean_at_low_angles_are_where_their_lattice_says() -> None:
    instrument = replace(
        read_instruments()["bt1-ge311"], axial=(0.035, 0.035), wavelengths=(1.2,), range=(5.0, 80.0, 0.05)
    )
    lines = find_lines(simulate(instrument, 1e5))
    assert matched(lines, 1.2, 0.02) == len(HKL)
    assert lines.axial == pytest.approx(0.035, abs=0.015)


@pytest.mark.parametrize("intensity", [np.full(2000, 100.0), np.linspace(200.0, 1100.0, 2000)])
def test_a_pattern_without_a_maximum_has_no_lines(intensity: NDArray[np.float64]) -> None:
    assert len(find_lines(Pattern(np.linspace(5, 100, 2000), intensity, wavelength=1.5406))) == 0


def test_a_smooth_oscillation_has_a_line_at_each_of_its_maxima() -> None:
    angles = np.linspace(0.5, 179.9, 4000)
    lines = find_lines(Pattern(angles, 50 + 10 * np.cos(angles), wavelength=1.5406))
    np.testing.assert_allclose(lines.two_theta, 2 * np.pi * np.arange(1, 29), atol=0.05)


def test_noise_is_the_root_of_the_counts() -> None:
    pattern = simulate(read_instruments()["lolla-2022"], 5e3)
    found = find_noise(pattern)
    assert found.present
    assert np.median(found.sigma / np.sqrt(np.maximum(pattern.intensity, 1))) == pytest.approx(1.0, abs=0.2)


def test_counts_that_are_mostly_zero_are_not_taken_for_a_pattern_without_noise() -> None:
    pattern = simulate(read_instruments()["lolla-2022"])
    counts = np.random.default_rng(1).poisson(200 * pattern.intensity).astype(float)
    assert np.mean(counts == 0) > 0.5
    assert find_noise(replace(pattern, intensity=counts)).present


def test_a_pattern_without_a_wavelength_is_refused() -> None:
    pattern = replace(simulate(read_instruments()["lolla-2022"]), wavelength=None)
    with pytest.raises(ValueError, match="--wavelength"):
        find_lines(pattern)


def test_k_beta_of_a_strong_line_is_flagged_and_a_weak_line_elsewhere_is_not() -> None:
    d = 3.1355
    place = [2 * np.degrees(np.arcsin(w / 2 / d)) for w in (1.39222, 1.54059)]
    two_theta = np.array([place[0], place[1], 47.3])
    columns = dict.fromkeys(("two_theta_error", "area_error"), np.full(3, 0.01))
    lines = Lines(two_theta, area=np.array([2.0, 100.0, 3.0]), fwhm=np.full(3, 0.1), wavelength=1.54059,
                  range=(20.0, 60.0), radiation="x-ray", **columns)  # fmt: skip
    assert flag_images(lines) == ("K-beta of 1", "", "")


def _fwhm(instrument: Instrument, two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
    tangent = np.tan(np.radians(two_theta / 2))
    u, v, w = instrument.caglioti
    return np.sqrt((u * tangent + v) * tangent + w)


@pytest.mark.parametrize("last", [89.95, 90.1])
def test_a_line_that_the_range_cuts_off_stays_at_its_end(last: float) -> None:
    x = np.arange(10.0, 90.0, 0.05)
    fwhm = 0.6
    places, heights = np.array([25.0, 41.0, 57.0, 76.0, last]), np.array([1.0, 0.6, 0.8, 0.3, 1.0])
    gaussians = np.exp(-4 * np.log(2) * ((x[:, None] - places) / fwhm) ** 2)
    lines = find_lines(Pattern(x, gaussians @ heights, wavelength=1.54))
    assert lines.two_theta.max() < x[-1] + 0.6 * fwhm
    assert lines.area.max() < 1.2 * fwhm * heights.max()


def test_widths_of_faint_broad_lines_are_read_over_as_many_points_as_it_takes() -> None:
    x = np.arange(8.0, 50.0, 0.011)
    shape = LineShape((0.0, 0.0, 0.09), (0.3, 0.0), wavelengths=(0.7093,))
    counts = 10 + shape.columns(np.array([10.0, 16.0, 22.0, 30.0, 38.0]), x).matrix() @ np.full(5, 15.0)
    noisy = np.random.default_rng(0).poisson(counts).astype(float)
    place, width = half_widths(x, noisy - 10, np.sqrt(counts))
    assert len(place) >= 4
    assert np.median(width) == pytest.approx(0.3, rel=0.25)
    lines = find_lines(Pattern(x, noisy, wavelength=0.7093, radiation="neutron"))
    assert lines.two_theta == pytest.approx([10.0, 16.0, 22.0, 30.0, 38.0], abs=0.05)
