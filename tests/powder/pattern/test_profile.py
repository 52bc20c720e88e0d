"""Profiles against direct sums, and facts about widths, factors and areas."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from unscatter.nouns.reflections import Reflections
from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.profile import (
    Instrument,
    Lines,
    amorphous_background,
    caglioti_fwhm,
    chebyshev_background,
    cylinder_absorption,
    find_lines,
    lorentz_polarisation,
    read_instruments,
    simulate_profile,
    simulate_profiles,
    spread_axially,
    sum_lines,
)

INSTRUMENTS = read_instruments()


def powder(number, instrument):
    crystal = draw_crystal(np.random.default_rng(number), number, tolerance=None)
    return simulate_reflections(crystal, instrument.limit, instrument.radiation)


def direct_sum(lines, two_theta, cut):
    u = (two_theta[:, None] - lines.position) / lines.fwhm
    lorentzian = 2 / math.pi / (1 + 4 * u**2)
    gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-4 * math.log(2) * u**2)
    peak = (lines.eta * lorentzian + (1 - lines.eta) * gaussian) / lines.fwhm
    return np.sum(np.where(np.abs(u) <= cut, peak * lines.area, 0.0), axis=1)


@pytest.mark.parametrize("name", list(INSTRUMENTS))
@pytest.mark.parametrize("number", [62, 166, 225])
def test_fast_sum_is_the_direct_sum(name, number):
    instrument = INSTRUMENTS[name]
    lines = find_lines([powder(number, instrument)], [instrument])
    lines = spread_axially(lines, np.array([instrument.axial]))
    start, _, step = instrument.range
    fast = sum_lines(lines, start, step, (1, instrument.two_theta.size), instrument.cut)[0]
    slow = direct_sum(lines, instrument.two_theta, instrument.cut)
    # Where a line is cut, the direct sum jumps by up to 1e-3 of its height, the fast one takes a few steps.
    np.testing.assert_allclose(fast, slow, atol=1.5e-3 * slow.max())
    assert np.mean(np.abs(fast - slow)) < 1e-4 * slow.max()


@pytest.mark.parametrize("name", list(INSTRUMENTS))
def test_fast_sum_without_cut(name):
    instrument = replace(INSTRUMENTS[name], cut=30.0, axial=0.0)
    line = powder(62, instrument)
    slow = direct_sum(find_lines([line], [instrument]), instrument.two_theta, instrument.cut)
    np.testing.assert_allclose(simulate_profile(line, instrument), slow, atol=1e-3 * slow.max())


def test_any_width_on_one_grid():
    rng = np.random.default_rng(0)
    for _ in range(20):
        lines = Lines(
            position=rng.uniform(-5, 70, 30),
            area=rng.random(30),
            fwhm=np.exp(rng.uniform(np.log(0.02), np.log(8), 30)),
            eta=0.5 * rng.random(30),
            row=np.zeros(30, dtype=int),
        )
        x = 0.05 * np.arange(1201)
        slow = direct_sum(lines, x, 20.0)
        fast = sum_lines(lines, 0.0, 0.05, (1, 1201), 20.0)[0]
        np.testing.assert_allclose(fast, slow, atol=3e-3 * slow.max())


def test_area_is_kept():
    lines = Lines(*(np.array([v]) for v in (50.013, 3.0, 0.4, 0.0)), np.array([0]))
    assert np.sum(sum_lines(lines, 0.0, 0.05, (1, 2000))) * 0.05 == pytest.approx(3.0, rel=1e-4)


def test_batches_equal_single_profiles():
    one, two = INSTRUMENTS["lolla-2022"], replace(INSTRUMENTS["bt1-ge311"], axial=0.0, zero=0.1)
    powders = [powder(62, one), powder(225, one)]
    batch = simulate_profiles(powders, [one, two])
    for row, (p, i) in enumerate(zip(powders, (one, two), strict=True)):
        single = simulate_profile(p, i)
        np.testing.assert_allclose(batch[row], single, atol=1e-3 * single.max())


def test_torch_gives_the_same_and_gradients():
    instrument = INSTRUMENTS["hrpt"]
    lines = powder(62, instrument)
    f_squared = torch.tensor(lines.f_squared, requires_grad=True)
    tensors = replace(
        lines,
        inverse_d=torch.tensor(lines.inverse_d),
        multiplicity=torch.tensor(lines.multiplicity, dtype=torch.float64),
        f_squared=f_squared,
    )
    theirs = simulate_profile(tensors, instrument)
    ours = simulate_profile(lines, instrument)
    np.testing.assert_allclose(theirs.detach().numpy(), ours, atol=1e-9 * ours.max())
    theirs.sum().backward()
    np.testing.assert_allclose(float((f_squared.grad * f_squared.detach()).sum()), ours.sum(), rtol=1e-6)


def test_doublet_has_two_to_one():
    lab = INSTRUMENTS["lab-cu"]
    line = Reflections(np.array([1.2]), np.array([1]), np.array([1.0]), 1.0, radiation="x-ray")
    lines = find_lines([line], [lab])
    assert lines.area[0] / lines.area[1] == pytest.approx(2, rel=0.02)
    np.testing.assert_allclose(np.sin(np.radians(lines.position / 2)) / np.array(lab.wavelengths), 0.6)


def test_axial_divergence_leans_to_low_angles_and_keeps_the_area():
    position = np.array([10.0, 170.0, 90.0])
    lines = Lines(position, np.ones(3), np.full(3, 0.05), np.zeros(3), np.zeros(3, dtype=int))
    spread = spread_axially(lines, np.array([0.03]))
    assert spread.area.sum() == pytest.approx(3)
    low = spread.position < 50
    assert spread.position[low].max() < 10.0
    # Mean shift to second order: <z^2> / 2 tan(2 theta), <z^2> = (2 a)^2 / 6 for a triangle up to 2 a.
    shift = 10.0 - np.sum(spread.position[low] * spread.area[low])
    assert shift == pytest.approx(np.degrees(0.06**2 / 12 / np.tan(np.radians(10))), rel=0.02)
    assert spread.position[spread.position > 150].min() > 170.0
    assert np.sum(spread.position == 90.0) == 1


def test_published_widths():
    bt1 = INSTRUMENTS["lolla-2022"]
    widths = caglioti_fwhm(np.radians(np.array([20, 60, 120]) / 2), *bt1.caglioti)
    np.testing.assert_allclose(widths, [0.18, 0.35, 0.99], atol=0.01)
    assert bt1.two_theta.size == 3041
    assert bt1.mixing[0] + 45 * bt1.mixing[1] == pytest.approx(0.20, abs=0.005)
    assert bt1.mixing[0] + 140 * bt1.mixing[1] == pytest.approx(0.05, abs=0.005)
    # 354, -760, 652 hundredths of a degree squared, as a Gaussian variance.
    assert INSTRUMENTS["d1a"].caglioti[0] == pytest.approx(354e-4 * 8 * math.log(2))


def test_factors():
    theta = np.radians([10.0, 45.0])
    np.testing.assert_allclose(lorentz_polarisation(theta), 1 / (np.sin(theta) ** 2 * np.cos(theta)))
    ratio = lorentz_polarisation(theta, 1.0) / lorentz_polarisation(theta)
    np.testing.assert_allclose(ratio, [(1 + np.cos(np.radians(20)) ** 2) / 2, 0.5])
    np.testing.assert_allclose(cylinder_absorption(theta, 0.0), 1)
    assert np.all(np.diff(cylinder_absorption(np.linspace(0.1, 1.5, 9), 0.8)) > 0)


def test_backgrounds():
    x = np.linspace(3, 155, 50)
    np.testing.assert_allclose(chebyshev_background(x, [2.0]), 2)
    np.testing.assert_allclose(chebyshev_background(x, [0, 0, 1])[[0, -1]], 1)
    hump = amorphous_background(x, 30.0, 10.0, 5.0)
    assert hump.max() == pytest.approx(5, rel=0.05)


def test_no_lines_in_range():
    line = Reflections(np.array([5.0]), np.array([1]), np.array([1.0]), 1.0)
    assert not np.any(simulate_profile(line, INSTRUMENTS["lolla-2022"]))


def test_instruments_that_cannot_be():
    with pytest.raises(ValueError, match="range"):
        Instrument("x", "neutron", (1.5,), (0.1, 0.0, 0.1), (10.0, 200.0, 0.1))
    with pytest.raises(ValueError, match="weight"):
        Instrument("x", "neutron", (1.5, 1.6), (0.1, 0.0, 0.1), (10.0, 100.0, 0.1))
    line = Reflections(np.array([1.0]), np.array([1]), np.array([1.0]), 1.0)
    with pytest.raises(ValueError, match="common range"):
        simulate_profiles([line, line], [INSTRUMENTS["hrpt"], INSTRUMENTS["d20"]])
