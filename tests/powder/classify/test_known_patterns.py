"""What the network knows: its own kind of pattern is inside, one measured otherwise is outside and told so."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.powder.classify.known_patterns import farthest_outside, numbers_of
from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.refine.lines import find_lines


@pytest.fixture(scope="module")
def corundum_lines():
    pattern = simulate_corundum()
    return pattern, find_lines(pattern)


def test_the_demonstration_is_a_pattern_as_in_training(corundum_lines):
    assert farthest_outside(*corundum_lines).factor == pytest.approx(1.0, abs=0.02)


def test_a_wavelength_ten_times_too_long_is_outside_and_the_sentence_says_which_number(corundum_lines):
    pattern, lines = corundum_lines
    found = farthest_outside(replace(pattern, wavelength=10 * pattern.wavelength), lines)
    assert found.factor > 2
    assert found.name in ("longest_d", "shortest_d")
    assert "d measured is" in found.sentence()


def test_spacings_follow_bragg_as_far_as_the_network_looks(corundum_lines):
    pattern, lines = corundum_lines
    numbers = numbers_of(replace(pattern, wavelength=1.2), lines)
    assert numbers["longest_d"] == pytest.approx(1.2 / 2 / np.sin(np.radians(pattern.two_theta[0] / 2)))
    assert numbers["shortest_d"] == 0.8
    assert numbers["points"] > 2
