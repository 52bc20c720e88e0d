"""A lattice is found from the picture alone, to half a per cent; a form factor alone is none."""

import numpy as np
import pytest

from unscatter.diffuse.factorize.asking import Answer
from unscatter.diffuse.factorize.lattice.search import find_plane_lattice

PIXELS = 256
RECTANGULAR = [[21.37, 0.0], [0.0, 33.12]]
HEXAGONAL = [[24.6, 0.0], [12.3, 24.6 * np.sqrt(0.75)]]
OBLIQUE = [[26.4, 3.1], [-4.7, 31.9]]
SMALL = [[13.3, 0.0], [0.0, 15.7]]


def a_form_factor(shape=(PIXELS, PIXELS)):
    """Two atoms a third of a cell apart, thermal motion, and a node."""
    y, x = (axis - n / 2 for axis, n in zip(np.mgrid[: shape[0], : shape[1]], shape, strict=True))
    fringe = 1.3 + np.cos(2 * np.pi * (x / 90 + y / 130))
    return fringe * np.exp(-(x**2 + y**2) / (0.4 * max(shape)) ** 2) + 0.02


def find(intensity, measured):
    """Look for the lattice of a plane with a rough form factor at hand, as the network gives one."""
    shape = intensity.shape
    seen = np.where(measured, intensity, np.nan)
    level = np.nanmean(seen) if measured.any() else 0.0
    form = a_form_factor(shape) / a_form_factor(shape).mean() * level
    return find_plane_lattice(seen, Answer(form, np.ones(shape)))


def an_order(translations, shape=(PIXELS, PIXELS), harmonics=((1, 0), (0, 1), (1, 1), (1, -1))):
    """I_SRO with some harmonics, nowhere negative and with mean 1."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    f = np.linalg.inv(np.array(translations)).T
    waves = (np.cos(2 * np.pi * ((np.array(k) @ f)[0] * x + (np.array(k) @ f)[1] * y) + 0.3) for k in harmonics)
    return 1 + 0.9 / len(harmonics) * sum(waves)


def gaps(shape=(PIXELS, PIXELS)):
    """What two bars and a beam stop leave."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    measured = (np.abs(x - 70) > 4) & (np.abs(y - 150) > 6)
    return measured & (np.hypot(x - shape[1] / 2, y - shape[0] / 2) > 12)


def believed(found):
    """Whether a lattice is found that is more than uncertain."""
    return found is not None and found.confidence != "uncertain"


def steps_between(found, true):
    """The whole numbers that take the true translations to the found ones, and what is left in pixels."""
    steps = found.translations @ np.linalg.inv(np.array(true))
    return np.round(steps), np.abs((steps - np.round(steps)) @ np.array(true)).max()


def assert_same_lattice(found, true, tolerance=0.005):
    assert found is not None
    steps, error = steps_between(found, true)
    assert abs(np.linalg.det(steps)) == pytest.approx(1)
    assert error < tolerance * np.linalg.norm(true, axis=1).max()


@pytest.mark.parametrize("translations", [RECTANGULAR, HEXAGONAL, OBLIQUE, SMALL])
def test_lattices_are_found_to_half_a_per_cent_behind_gaps_and_noise(translations):
    counts = 300 * a_form_factor() * an_order(translations)
    noisy = np.random.default_rng(0).poisson(counts).astype(float)
    measured = gaps()
    noisy[~measured] = np.nan
    assert_same_lattice(find(noisy, measured), translations)


def test_a_form_factor_alone_is_no_lattice():
    counts = np.random.default_rng(1).poisson(100 * a_form_factor()).astype(float)
    assert not believed(find(counts, gaps()))


def test_noise_alone_is_no_lattice():
    counts = np.random.default_rng(2).poisson(20.0, (PIXELS, PIXELS)).astype(float)
    assert not believed(find_plane_lattice(counts, Answer(np.full((PIXELS, PIXELS), 20.0), np.ones((PIXELS, PIXELS)))))


@pytest.mark.parametrize("measured", [np.zeros((64, 64), dtype=bool), np.ones((64, 64), dtype=bool)])
def test_nothing_measured_or_nothing_but_zero_is_no_lattice(measured):
    assert find(np.zeros((64, 64)), measured) is None


def test_alternating_order_keeps_its_full_period():
    """Half a cell on, the correlation is negative: the period is not the distance between the strongest harmonics."""
    plane = a_form_factor() * an_order(RECTANGULAR, harmonics=((1, 0), (0, 1)))
    assert_same_lattice(find(plane, gaps()), RECTANGULAR)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_lattice_does_not_depend_on_the_scale_of_the_intensity(scale):
    plane = a_form_factor() * an_order(OBLIQUE)
    found, scaled = find(plane, gaps()), find(scale * plane, gaps())
    assert found is not None
    assert scaled is not None
    np.testing.assert_allclose(scaled.translations, found.translations, rtol=1e-6)
    assert scaled.confidence == found.confidence
    assert scaled.candidates[0].evidence == pytest.approx(found.candidates[0].evidence, rel=1e-6)


def test_what_was_not_measured_does_not_matter():
    plane, measured = a_form_factor() * an_order(OBLIQUE), gaps()
    found = find(np.where(measured, plane, 0.0), measured)
    other = find(np.where(measured, plane, 1e9), measured)
    assert found is not None
    assert other is not None
    np.testing.assert_array_equal(other.translations, found.translations)


def test_large_and_oblong_planes():
    shape = (500, 820)
    translations = [[61.3, 0.0], [0.0, 47.9]]
    plane = a_form_factor(shape) * an_order(translations, shape)
    assert_same_lattice(find(plane, gaps(shape)), translations)
