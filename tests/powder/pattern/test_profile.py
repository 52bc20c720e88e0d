"""One profile: the sum of all peaks against a direct sum, on any grid, in any library, with derivatives."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from unscatter.nouns.reflections import Reflections
from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.instrument import Instrument, read_instruments
from unscatter.powder.pattern.peaks import Peaks, place_lines, place_peaks
from unscatter.powder.pattern.profile import pseudo_voigt, show_peaks, simulate_profile, simulate_profiles, sum_peaks

INSTRUMENTS = read_instruments()


def powder(number, instrument):
    crystal = draw_crystal(np.random.default_rng(number), number, tolerance=None)
    return simulate_reflections(crystal, instrument.limit, instrument.radiation)


def lorentzian(v, edge):
    """Lorentzian that fades over the last eighth of the way to its edge, without its norm."""
    s = np.clip((np.abs(v) - 0.875 * edge) / (0.125 * edge), 0, 1)
    return (1 - s**2) ** 2 / (1 + v**2)


def direct_sum(peaks, two_theta, cut):
    """Every peak at every angle, in double precision, with the normalisation by quadrature."""
    edge = 2 * cut
    norm = 2 * quad(lorentzian, 0, edge, args=(edge,), points=[1.0, 0.875 * edge], limit=200)[0]
    v = 2 * (two_theta[:, None] - peaks.position) / peaks.fwhm
    gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-math.log(2) * v**2)
    peak = (peaks.eta * 2 / norm * lorentzian(v, edge) + (1 - peaks.eta) * gaussian) / peaks.fwhm
    return np.sum(np.where(np.abs(v) <= edge, peak * peaks.area, 0.0), axis=1)


def some_peaks(rng, count=40, rows=1):
    return Peaks(
        position=rng.uniform(-5, 70, count),
        area=rng.random(count),
        fwhm=np.exp(rng.uniform(np.log(0.02), np.log(8), count)),
        eta=rng.random(count),
        row=rng.integers(rows, size=count),
    )


def as_tensors(peaks):
    import torch

    columns = (peaks.position, peaks.area, peaks.fwhm, peaks.eta)
    return Peaks(*(torch.tensor(c, requires_grad=True) for c in columns), torch.tensor(peaks.row))


@pytest.mark.parametrize("name", list(INSTRUMENTS))
@pytest.mark.parametrize("number", [166, 225])
def test_the_sum_is_the_direct_sum_to_a_millionth_of_its_maximum(name, number):
    instrument = INSTRUMENTS[name]
    peaks = show_peaks(place_peaks(powder(number, instrument), instrument, size=800.0, strain=1e-3), instrument)
    grid = instrument.two_theta
    slow = direct_sum(peaks, grid, instrument.cut)
    np.testing.assert_allclose(sum_peaks(peaks, grid, cut=instrument.cut)[0], slow, atol=1e-6 * slow.max())


@pytest.mark.parametrize("cut", [1.5, 8.0, 30.0])
def test_widths_from_a_point_to_the_whole_range_are_summed_alike(cut):
    rng, grid = np.random.default_rng(0), 0.05 * np.arange(1201)
    for _ in range(5):
        peaks = some_peaks(rng)
        slow = direct_sum(peaks, grid, cut)
        np.testing.assert_allclose(sum_peaks(peaks, grid, cut=cut)[0], slow, atol=1e-6 * slow.max())


def test_uneven_angles_are_as_good_as_even_ones():
    rng = np.random.default_rng(1)
    peaks, grid = some_peaks(rng), np.sort(rng.uniform(0, 60, 3000))
    slow = direct_sum(peaks, grid, 8.0)
    np.testing.assert_allclose(sum_peaks(peaks, grid)[0], slow, atol=1e-6 * slow.max())


def test_angles_printed_with_four_digits_are_where_they_are():
    peaks = Peaks(np.array([30.0]), np.ones(1), np.array([0.01]), np.array([0.5]), np.zeros(1, dtype=int))
    grid = np.round(29.5 + 0.013123 * np.arange(80), 4)
    slow = direct_sum(peaks, grid, 8.0)
    np.testing.assert_allclose(sum_peaks(peaks, grid)[0], slow, atol=1e-6 * slow.max())


@pytest.mark.parametrize("cut", [2.0, 8.0, 20.0])
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_a_peak_has_unit_area_and_ends_without_a_step(cut, eta):
    x = np.linspace(-cut, cut, 200_001) * 0.3
    values = pseudo_voigt(x, 0.3, eta, cut)
    assert np.sum(values) * (x[1] - x[0]) == pytest.approx(1, abs=1e-5 if cut > 2 else 1e-3)
    if eta == 1:
        assert abs(values[1]) < 1e-8 * values.max()


def test_half_of_the_height_is_half_a_width_away():
    middle, half = pseudo_voigt(np.array([0.0, 0.2]), 0.4, 0.35)
    assert half / middle == pytest.approx(0.5, rel=1e-12)


def test_torch_sums_the_same_peaks_of_several_patterns(torch):
    peaks = some_peaks(np.random.default_rng(2), 200, rows=3)
    grid = 0.05 * np.arange(1201)
    ours = sum_peaks(peaks, grid, rows=3)
    theirs = sum_peaks(as_tensors(peaks), grid, rows=3).detach().numpy()
    # The compiled loops end a Gaussian at 1e-8 of its height.
    np.testing.assert_allclose(theirs, ours, atol=1e-7 * ours.max())


def test_gradients_by_all_columns_are_right(torch):
    peaks = as_tensors(some_peaks(np.random.default_rng(3), 6, rows=2))
    grid = torch.linspace(0.0, 60.0, 40, dtype=torch.float64)
    columns = (peaks.position, peaks.area, peaks.fwhm, peaks.eta)
    torch.autograd.gradcheck(lambda *c: sum_peaks(Peaks(*c, peaks.row), grid, rows=2), columns, atol=1e-5)


def test_the_pattern_has_a_derivative_by_the_cell(torch):
    instrument = replace(INSTRUMENTS["bt1-ge311"], range=(20.0, 90.0, 0.05))
    crystal = draw_crystal(np.random.default_rng(5), 14, tolerance=None)
    lines = simulate_reflections(crystal, instrument.limit)
    strength = lines.multiplicity * lines.f_squared

    def pattern(reciprocal):
        q = torch.as_tensor(lines.hkl, dtype=torch.float64) @ reciprocal
        inverse_d = torch.sqrt(torch.sum(q * q, dim=1))
        peaks = place_lines(inverse_d, torch.as_tensor(strength), instrument, lines.hkl)
        return sum_peaks(show_peaks(peaks, instrument), instrument.two_theta)[0]

    reciprocal = torch.tensor(crystal.cell.reciprocal / (2 * np.pi), requires_grad=True)
    weight = torch.tensor(np.random.default_rng(0).random(len(instrument.two_theta)))
    (slope,) = torch.autograd.grad(torch.sum(weight * pattern(reciprocal)), reciprocal)
    step = torch.zeros(3, 3, dtype=torch.float64)
    step[0, 0] = 1e-7
    with torch.no_grad():
        change = torch.sum(weight * (pattern(reciprocal + step) - pattern(reciprocal - step))) / 2e-7
    assert float(slope[0, 0]) == pytest.approx(float(change), rel=2e-3)


def test_area_is_kept():
    peaks = Peaks(*(np.array([v]) for v in (50.013, 3.0, 0.4, 0.3)), np.array([0]))
    assert np.sum(sum_peaks(peaks, 0.05 * np.arange(2000))) * 0.05 == pytest.approx(3.0, rel=1e-6)


def test_patterns_summed_together_are_those_summed_alone():
    one, two = INSTRUMENTS["lolla-2022"], replace(INSTRUMENTS["bt1-ge311"], axial=(0.0, 0.0), zero=0.1)
    powders = [powder(62, one), powder(225, one)]
    batch = simulate_profiles(powders, [one, two])
    for row, (p, i) in enumerate(zip(powders, (one, two), strict=True)):
        single = simulate_profile(p, i)
        np.testing.assert_allclose(batch[row], single, atol=1e-12 * single.max())


def test_torch_simulates_the_same_with_gradients(torch):
    instrument = INSTRUMENTS["hrpt"]
    lines = powder(62, instrument)
    f_squared = torch.tensor(lines.f_squared, requires_grad=True)
    tensors = replace(
        lines,
        inverse_d=torch.tensor(lines.inverse_d),
        multiplicity=torch.tensor(lines.multiplicity, dtype=torch.float64),
        f_squared=f_squared,
    )
    theirs, ours = simulate_profile(tensors, instrument), simulate_profile(lines, instrument)
    np.testing.assert_allclose(theirs.detach().numpy(), ours, atol=1e-7 * ours.max())
    theirs.sum().backward()
    np.testing.assert_allclose(float((f_squared.grad * f_squared.detach()).sum()), ours.sum(), rtol=1e-6)


def test_no_lines_in_range_are_no_intensity():
    line = Reflections(np.array([5.0]), np.array([1]), np.array([1.0]), 1.0)
    assert not np.any(simulate_profile(line, INSTRUMENTS["lolla-2022"]))


def test_instruments_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="range"):
        Instrument("x", "neutron", (1.5,), (0.1, 0.0, 0.1), (10.0, 200.0, 0.1))
    with pytest.raises(ValueError, match="weight"):
        Instrument("x", "neutron", (1.5, 1.6), (0.1, 0.0, 0.1), (10.0, 100.0, 0.1))
    line = Reflections(np.array([1.0]), np.array([1]), np.array([1.0]), 1.0)
    with pytest.raises(ValueError, match="common range"):
        simulate_profiles([line, line], [INSTRUMENTS["hrpt"], INSTRUMENTS["d20"]])
