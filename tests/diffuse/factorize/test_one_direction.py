"""Where order runs along one direction only, the period is found and the other axis is said not to be determined."""

import math

import numpy as np
import pytest

from unscatter import factorize
from unscatter.diffuse.refine.order import refine_order
from unscatter.nouns.components import Components

PIXELS, PERIOD = 256, 21.3


def picture(angle: float, second: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts of stripes at an angle (degrees) under fringes of a molecule, a gap, I_SRO and the wave of the stripes.

    second: amplitude of order along the stripes, of a period of 31 pixels.
    """
    place = np.arange(PIXELS) - (PIXELS - 1) / 2
    x, y = np.meshgrid(place, place)
    wave = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))]) / PERIOD
    phase = 2 * np.pi * (wave[0] * x + wave[1] * y)
    along = 2 * np.pi * (wave[0] * y - wave[1] * x) * PERIOD / 31
    order = 1 + 0.8 * np.cos(phase) + 0.3 * np.cos(2 * phase) + second * np.cos(along)
    form = 300 * np.exp(-(x**2 + y**2) / (2 * 90**2)) * (1.2 + np.cos(2 * np.pi * (0.9 * x + 0.5 * y) / 110)) ** 2
    counts = np.random.default_rng(4).poisson(form * np.clip(order, 0, None)).astype(float)
    counts[100:112] = np.nan
    return counts, order, wave


@pytest.fixture(scope="module", params=[0.0, 27.0])
def streaks(request: pytest.FixtureRequest) -> tuple[Components, np.ndarray, np.ndarray]:
    counts, order, wave = picture(request.param)
    return factorize(counts), order, wave


def test_the_period_is_found_and_the_other_axis_is_not(streaks: tuple[Components, np.ndarray, np.ndarray]) -> None:
    components, _, wave = streaks
    found = components.found_lattice
    assert found is not None
    assert found.one_dimensional
    np.testing.assert_allclose(abs(found.translations[0] @ wave), 1.0, atol=0.01)
    assert "the other axis is not determined" in components.describe()


def test_the_centre_that_a_picture_shows_is_kept(streaks: tuple[Components, np.ndarray, np.ndarray]) -> None:
    found = streaks[0].found_lattice
    assert found is not None
    assert found.centre == ((PIXELS - 1) / 2, (PIXELS - 1) / 2)


def test_the_order_is_constant_along_the_streaks(streaks: tuple[Components, np.ndarray, np.ndarray]) -> None:
    components, order, _ = streaks
    made = components.short_range_order
    assert np.abs(made / made.mean() - order / order.mean()).mean() < 0.03


def test_vectors_between_cells_are_refused(streaks: tuple[Components, np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="along one direction only"):
        refine_order(streaks[0])


def test_weak_order_along_the_streaks_makes_a_lattice() -> None:
    found = factorize(picture(27.0, 0.15)[0]).found_lattice
    assert found is not None
    assert not found.one_dimensional
    lengths = np.sort(np.linalg.norm(found.translations, axis=1))
    np.testing.assert_allclose(lengths, [PERIOD, 31.0], rtol=0.02)
