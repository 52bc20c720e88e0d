"""Preferred orientation: plates and needles are told from a random powder, along the pole that they have."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.texture import find_texture
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.demonstration import corundum
from unscatter.powder.pattern.factors import march_dollase
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.pattern.profile import simulate_profile
from unscatter.powder.refine.fit_pattern import fit_pattern
from unscatter.powder.samples.artefacts import pole_cosine


def fitted(ratio):
    """A fit of corundum as its crystallites lie with their faces (001) along the axis of the sample."""
    instrument = read_instruments()["bt1-cu311"]
    crystal = corundum()
    lines = simulate_reflections(crystal, instrument.limit, "neutron", instrument.wavelengths[0])
    weight = march_dollase(pole_cosine(lines.hkl, crystal.cell, 2), ratio)
    height = simulate_profile(replace(lines, f_squared=lines.f_squared * weight), instrument)
    counts = np.random.default_rng(1).poisson(2e4 * height / height.max() + 100.0).astype(float)
    pattern = Pattern(instrument.two_theta, counts, wavelength=instrument.wavelengths[0], radiation="neutron")
    return fit_pattern(pattern, Lattice(crystal.cell, "hR"))


@pytest.mark.parametrize("ratio", [0.4, 2.5])
def test_plates_and_needles_are_found_along_their_pole(ratio):
    found = find_texture(fitted(ratio))
    assert found.pole == (0, 0, 1)
    assert found.ratio == pytest.approx(ratio, rel=0.3)
    assert found.nats > 5


def test_a_random_powder_has_no_preferred_orientation():
    assert find_texture(fitted(1.0)).nats < 1


def test_a_handful_of_lines_tells_nothing():
    fit = fitted(1.0)
    first = fit.column < 12
    few = replace(
        fit,
        **{
            name: getattr(fit, name)[first]
            for name in ("hkl", "multiplicity", "two_theta", "area", "area_error", "column")
        },
    )
    assert find_texture(few) is None
