"""The network's axis: free of the wavelength, blind to the step, honest about what was not measured."""

import os
from pathlib import Path

import numpy as np
import pytest

from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.channels import (
    CHANNELS,
    LONGEST,
    SHORTEST,
    SIZE,
    lower_envelope,
    network_axis,
    network_background,
    network_channels,
)
from unscatter.powder.pattern.instrument import Instrument
from unscatter.powder.pattern.profile import simulate_profile

PATTERNS = Path(os.environ.get("UNSCATTER_PATTERNS", "../shared/data/patterns"))


def d_at(two_theta, wavelength):
    return wavelength / (2 * np.sin(np.radians(two_theta / 2)))


def peak(two_theta, centre=60.0, fwhm=0.5):
    return np.exp(-4 * np.log(2) * ((two_theta - centre) / fwhm) ** 2)


def test_axis_is_even_in_the_logarithm_of_d():
    d = network_axis()
    assert d.shape == (SIZE,)
    assert LONGEST > d[0] > d[-1] > SHORTEST
    steps = np.diff(np.log(d))
    np.testing.assert_allclose(steps, np.log(SHORTEST / LONGEST) / SIZE, rtol=1e-9)


def test_a_peak_keeps_its_place_and_is_one_high():
    two_theta = np.arange(5, 150, 0.05)
    channels = network_channels(two_theta, 731 * peak(two_theta), 2.0)
    assert channels.shape == (len(CHANNELS), SIZE)
    assert channels.dtype == np.float32
    place = int(channels[0].argmax())
    assert network_axis()[place] == pytest.approx(d_at(60.0, 2.0), rel=1e-3)
    assert channels[0].max() == channels[1].max() == 1


def test_scale_of_the_intensity_does_not_matter():
    two_theta = np.arange(5, 150, 0.05)
    intensity = peak(two_theta) + 0.1 * peak(two_theta, 30) + 0.02
    expected = network_channels(two_theta, intensity, 2.0)
    np.testing.assert_allclose(network_channels(two_theta, 1e5 * intensity, 2.0), expected, atol=1e-6)


def test_one_powder_gives_one_pattern_at_two_wavelengths():
    # U alone makes lines of one relative width at any wavelength. Their height is the Lorentz factor over the width,
    # 4 d^2 / (lambda^2 cos) * cos / sin = 8 d^3 / lambda^3: the same curve but for a factor.
    crystal = draw_crystal(np.random.default_rng(3), 62, tolerance=None)
    seen = []
    for wavelength, stop in ((1.4, 110.0), (2.1, 150.0)):
        instrument = Instrument("any", "neutron", (wavelength,), (0.36, 0.0, 0.0), (8.0, stop, 0.01))
        intensity = simulate_profile(simulate_reflections(crystal, 1.1 * instrument.limit), instrument)
        seen.append(network_channels(instrument.two_theta, intensity, wavelength))
    both = (seen[0][2] > 0) & (seen[1][2] > 0)
    assert both.sum() > 2000
    a, b = (channels[0, both] / channels[0, both].max() for channels in seen)
    np.testing.assert_allclose(a, b, atol=0.02)


def test_finer_steps_change_nothing():
    coarse, fine = np.arange(5, 150, 0.05), np.arange(5, 150, 0.001)
    a, b = (network_channels(t, peak(t, 60, 1.0) + 0.3 * peak(t, 100, 1.5), 1.8) for t in (coarse, fine))
    np.testing.assert_allclose(a[0], b[0], atol=0.01)


def test_fine_points_are_averaged_and_not_picked():
    rng = np.random.default_rng(0)
    two_theta = np.arange(30, 140, 0.001)
    intensity = rng.poisson(100.0, two_theta.size).astype(float)
    channels = network_channels(two_theta, intensity, 1.5)
    measured = channels[2] > 0
    level = channels[0, measured] / channels[0, measured].mean()
    # About 50 points a bin: the noise of 10 % falls to below 2.5 %.
    assert level.std() < 0.025


def test_mask_says_where_the_pattern_is_and_all_else_is_zero():
    two_theta = np.arange(20, 100, 0.05)
    channels = network_channels(two_theta, 1 + peak(two_theta), 1.5)
    d = network_axis()
    inside = (d < d_at(20.1, 1.5)) & (d > d_at(99.9, 1.5))
    outside = (d > d_at(19.9, 1.5)) | (d < d_at(100.1, 1.5))
    assert np.all(channels[2, inside] == 1)
    assert np.all(channels[:, outside] == 0)


def test_a_gap_in_the_pattern_is_a_gap_in_the_mask():
    two_theta = np.concatenate([np.arange(20, 50, 0.05), np.arange(55, 100, 0.05)])
    channels = network_channels(two_theta, 1 + peak(two_theta, 80), 1.5)
    d = network_axis()
    gap = (d < d_at(50.1, 1.5)) & (d > d_at(54.9, 1.5))
    assert gap.sum() > 50
    assert np.all(channels[:, gap] == 0)


def test_weak_lines_are_seen_in_the_second_channel():
    two_theta = np.arange(5, 150, 0.05)
    channels = network_channels(two_theta, peak(two_theta) + 0.004 * peak(two_theta, 90), 1.5)
    weak = int(np.argmin(np.abs(network_axis() - d_at(90, 1.5))))
    assert channels[0, weak] < 0.005
    assert channels[1, weak] > 0.2


def test_noise_is_not_blown_up_in_the_second_channel():
    rng = np.random.default_rng(1)
    two_theta = np.arange(5, 150, 0.05)
    noisy = rng.poisson(100 + 400 * peak(two_theta)).astype(float)
    channels = network_channels(two_theta, noisy, 1.5)
    background = (channels[2] > 0) & (np.abs(network_axis() - d_at(60, 1.5)) > 0.1)
    assert channels[1, background].std() < 0.15


def test_a_batch_is_its_patterns_in_numpy_and_torch(torch):
    rng = np.random.default_rng(2)
    two_theta = np.arange(5, 150, 0.05)
    batch = rng.poisson(50, (3, two_theta.size)).astype(float)
    single = np.stack([network_channels(two_theta, row, 2.0) for row in batch])
    np.testing.assert_array_equal(network_channels(two_theta, batch, 2.0), single)
    np.testing.assert_allclose(network_channels(two_theta, torch.tensor(batch), 2.0).numpy(), single, atol=1e-6)


@pytest.mark.parametrize(
    ("two_theta", "intensity", "wavelength", "message"),
    [
        (np.arange(20.0), np.ones(19), 1.5, "one intensity for each angle"),
        (np.arange(5.0), np.ones(5), 1.5, "8 or more"),
        (np.arange(20.0, 40.0), np.ones(20), 0.0, "wavelength 0 cannot be"),
        (np.linspace(0.5, 1.0, 20), np.ones(20), 2.0, "no intensity between"),
        (np.arange(20.0, 40.0), np.zeros(20), 1.5, "no intensity between"),
    ],
)
def test_what_is_no_pattern_is_refused(two_theta, intensity, wavelength, message):
    with pytest.raises(ValueError, match=message):
        network_channels(two_theta, intensity, wavelength)


@pytest.mark.skipif(not (PATTERNS / "x_11bm_cucr2o4.xye").is_file(), reason="needs the measured patterns")
def test_a_synchrotron_pattern_of_many_points_is_read():
    two_theta, intensity = np.loadtxt(PATTERNS / "x_11bm_cucr2o4.xye", comments=("#", "/", "!"))[:, :2].T
    channels = network_channels(two_theta, intensity, 0.41)
    assert np.isfinite(channels).all()
    assert channels[0].max() == 1


def test_nothing_lies_under_lines_on_a_straight_background():
    place = np.arange(SIZE)
    slope = 1 + 2e-4 * place
    lines = sum(np.exp(-0.5 * ((place - centre) / 8) ** 2) for centre in range(400, 4000, 350))
    found = lower_envelope(slope + lines, np.ones(SIZE))
    # Off the two blocks at either end, which the straight line leaves on one side.
    np.testing.assert_allclose(found[100:-100], slope[100:-100], atol=5e-3)


def test_what_lies_under_the_lines_does_not_know_what_was_not_measured():
    mask = (np.arange(SIZE) // 700) % 2 == 1.0
    found = lower_envelope(0.7 * mask, mask.astype(float))
    np.testing.assert_allclose(found[mask], 0.7, atol=1e-6)
    assert not found[~mask].any()


def test_a_background_hardly_changes_what_is_seen_of_the_lines():
    two_theta = np.arange(5, 150, 0.05)
    lines = sum(height * peak(two_theta, centre) for centre, height in ((22, 0.4), (41, 1.0), (60, 0.2), (95, 0.7)))
    background = 0.5 + 0.2 * np.cos(np.radians(2 * two_theta))
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(two_theta))
    bare, covered = (network_channels(two_theta, lines + b + noise + 0.01, 2.0)[1] for b in (0, background))
    change = np.abs(bare - covered)
    assert change.mean() < 0.02
    assert np.quantile(change, 0.98) < 0.1


def test_the_background_shown_is_what_the_network_takes_off():
    two_theta = np.arange(5, 150, 0.05)
    straight = 0.3 + 1e-3 * two_theta
    lines = sum(peak(two_theta, centre) for centre in (22, 41, 60, 95))
    shown = network_background(two_theta, straight + lines, 2.0)
    channels = network_channels(two_theta, straight + lines, 2.0)
    angle = 2 * np.degrees(np.arcsin(np.minimum(1.0 / network_axis(), 1.0)))
    covered = np.interp(angle, two_theta, shown - straight) * channels[2]
    np.testing.assert_allclose(covered, 0, atol=0.02)
    # Where what is shown lies over the pattern, the network sees no line, and elsewhere it does.
    above = np.interp(angle, two_theta, straight + lines - shown)
    assert np.all(channels[1][(channels[2] > 0) & (above < -2e-3)] == 0)
    assert np.all(channels[1][(channels[2] > 0) & (above > 2e-3)] > 0)


def test_the_background_shown_goes_on_where_the_network_sees_nothing():
    two_theta = np.arange(1.0, 150.0, 0.05)
    shown = network_background(two_theta, np.full(len(two_theta), 3.0), 0.7)
    np.testing.assert_allclose(shown, 3.0)
