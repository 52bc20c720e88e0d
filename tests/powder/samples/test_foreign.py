"""What measured patterns show beside the lines of their structure lies where it should, and leaves the rest alone."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from unscatter.nouns.cell import Cell
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.draw import CachedCrystals, PowderRecipe, draw_pattern, draw_samples, read_recipe
from unscatter.powder.samples.foreign import draw_can, draw_magnetic
from unscatter.powder.samples.setup import spoil_instrument

LAB = PowderRecipe("lab", x_ray=("lab-cu",), neutron_share=0.0)
NEUTRON = PowderRecipe("neutron", neutron=("hrpt",))


@pytest.fixture(scope="module")
def known(cache_path):
    return CachedCrystals([cache_path])


def added(recipe, spoiled, known, index=0):
    """Angles, clean pattern and what `spoiled` adds to it once its strongest line is as high."""
    two_theta, clean, _, _ = draw_pattern(recipe, known, 9, 0, index)
    _, pattern, instrument, _ = draw_pattern(spoiled, known, 9, 0, index)
    top = int(np.argmax(clean))
    return two_theta, clean, pattern / pattern[top] - clean / clean[top], instrument


def test_the_first_recipe_measured_is_the_one_that_the_shipped_weights_learned():
    card = json.loads((files("unscatter.data") / "weights" / "group-230.json").read_text())
    learned = next(recipe for recipe in card["record"]["recipes"] if recipe["name"] == "measured")
    first = read_recipe("measured-1")
    assert replace(PowderRecipe(**learned), name=first.name) == first


@pytest.mark.parametrize(
    ("changes", "wavelength"), [({"k_beta": (0.02, 0.05)}, 1.392218), ({"tungsten": (0.02, 0.05)}, 1.47639)]
)
def test_other_wavelengths_of_a_tube_show_the_same_spacings_at_lower_angles(known, changes, wavelength):
    two_theta, clean, more, _ = added(LAB, replace(LAB, contaminated=1.0, **changes), known)
    strongest = two_theta[np.argmax(clean)]
    image = np.degrees(2 * np.arcsin(np.sin(np.radians(strongest / 2)) * wavelength / 1.540593))
    near = np.abs(two_theta - image) < 0.3
    assert two_theta[near][np.argmax(more[near])] == pytest.approx(image, abs=0.03)
    assert 1e-4 < more[near].max() < 0.08


def test_half_the_wavelength_shows_spacings_at_about_half_the_angle(known):
    two_theta, clean, more, _ = added(NEUTRON, replace(NEUTRON, contaminated=1.0, half_wavelength=(0.01, 0.02)), known)
    strongest = two_theta[np.argmax(clean)]
    image = np.degrees(2 * np.arcsin(np.sin(np.radians(strongest / 2)) / 2))
    near = np.abs(two_theta - image) < 0.5
    assert two_theta[near][np.argmax(more[near])] == pytest.approx(image, abs=0.06)


def test_a_beam_without_a_tube_has_no_k_beta():
    recipe = replace(LAB, contaminated=1.0, k_beta=(0.05, 0.05))
    tube = read_instruments()["lab-cu"]
    spoiled, clean = (
        spoil_instrument(np.random.default_rng(0), recipe, replace(tube, k_beta=wavelength))
        for wavelength in (tube.k_beta, 0.0)
    )
    assert spoiled.wavelengths == (*tube.wavelengths, 1.392218, 1.47639)
    assert spoiled.weights[2] == pytest.approx(0.05 * 1.5)
    assert clean.wavelengths == tube.wavelengths


def test_the_instrument_that_comes_with_a_pattern_does_not_know_what_else_is_in_its_beam(known):
    for recipe in (replace(LAB, k_beta=(0.05, 0.05)), replace(NEUTRON, half_wavelength=(0.01, 0.01))):
        meant = draw_pattern(recipe, known, 9, 0, 0)[2].wavelengths
        assert draw_pattern(replace(recipe, contaminated=1.0), known, 9, 0, 0)[2].wavelengths == meant


@pytest.mark.parametrize(("radiation", "edges"), [("neutron", {4.0496, 3.024}), ("x-ray", {4.0496})])
def test_cans_are_cubic_metal(radiation, edges):
    found = set()
    for seed in range(8):
        inverse_d, strength = draw_can(np.random.default_rng(seed), radiation)
        assert np.all(strength > 0)
        for edge, centred in ((4.0496, 3), (3.024, 2)):
            if np.allclose(inverse_d[0] * edge, np.sqrt(centred)):
                found.add(edge)
                assert np.allclose((inverse_d * edge) ** 2, np.round((inverse_d * edge) ** 2), atol=1e-6)
    assert found == edges


def test_magnetic_satellites_lie_on_the_magnetic_lattice_and_fade():
    edge = 5.0
    phase = PhaseLines(np.eye(3, dtype=int), np.ones(3), Cell(edge, edge, edge, 90, 90, 90), 221, 0, True)
    commensurate = 0
    for seed in range(20):
        inverse_d, strength = draw_magnetic(np.random.default_rng(seed), phase)
        assert np.all((inverse_d > 0) & (inverse_d <= 0.55))
        commensurate += np.allclose((2 * edge * inverse_d) ** 2 % 1, 0, atol=2e-3) or np.allclose(
            np.minimum((2 * edge * inverse_d) ** 2 % 1, 1 - (2 * edge * inverse_d) ** 2 % 1), 0, atol=2e-3
        )
        assert np.all(strength >= 0)
    assert 10 <= commensurate < 20


def test_a_zero_may_be_far_off_and_heights_vary():
    recipe = replace(NEUTRON, zero_outlier=1.0, zero_most=0.5, axial=(0.5, 2.0))
    hrpt = read_instruments()["hrpt"]
    seen = [spoil_instrument(np.random.default_rng(seed), recipe, hrpt) for seed in range(200)]
    zeros = np.array([instrument.zero for instrument in seen])
    assert zeros.min() < -0.4
    assert zeros.max() > 0.4
    heights = np.array([sum(instrument.axial) for instrument in seen]) / sum(hrpt.axial)
    assert 0.5 <= heights.min() < 0.6
    assert 1.8 < heights.max() <= 2.0
    assert len({round(instrument.axial[0] / instrument.axial[1], 3) for instrument in seen}) == 3


def test_impurities_are_seldom_large_where_the_power_says_so(known):
    clean = PowderRecipe("clean")
    even = replace(clean, impurity=1.0, impurity_area=0.5)
    excess = {
        power: np.mean(
            [np.abs(added(clean, replace(even, impurity_power=power), known, k)[2]).sum() for k in range(12)]
        )
        for power in (1.0, 2.5)
    }
    assert excess[2.5] < 0.8 * excess[1.0]


def test_all_of_measured_together_gives_finite_samples(known):
    samples = draw_samples(read_recipe("measured"), known, np.arange(120) % len(known), seed=4, first=0)
    assert np.isfinite(samples.inputs).all()
