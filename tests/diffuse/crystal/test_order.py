"""Short-range order as facts: targets met, eq. (4) and (7) as written, intensities that are never negative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unscatter.diffuse.crystal.order import (
    BANK_RADIUS,
    apply_window,
    bank_cube,
    clapp_moss,
    damped_oscillator,
    draw_targets,
    half_space,
    make_non_negative,
    monte_carlo,
    monte_carlo_bank,
    parzen_window,
    published_order,
    shells,
    stack_layers,
    to_order_parameters,
    warren_cowley,
)


def series(alpha, grid=24):
    """Fourier series of a cube or square of alphas on a grid over one reciprocal cell."""
    padded = np.zeros((grid,) * alpha.ndim)
    index = np.arange(alpha.shape[0]) - alpha.shape[0] // 2
    padded[np.ix_(*[index] * alpha.ndim)] = alpha
    return np.fft.fftn(padded).real


@pytest.fixture(scope="module")
def simulated():
    """Four models: asked for order along the axes, clustering, chains and no order."""
    concentration = np.array([0.5, 0.3, 0.2, 0.4])
    targets = np.array([[-0.3, -0.2, 0.1], [0.2, 0.2, 0.1], [0.5, 0.0, -0.1], [0.0, 0.0, 0.0]])
    occupied = monte_carlo(concentration, targets, np.random.default_rng(0), box=24)
    return concentration, targets, occupied, warren_cowley(occupied, BANK_RADIUS)


# --- Monte Carlo ---


def test_monte_carlo_meets_its_concentration_and_targets(simulated):
    concentration, targets, occupied, alpha = simulated
    r = BANK_RADIUS
    nearest = np.stack([alpha[:, r + 1, r, r], alpha[:, r, r + 1, r], alpha[:, r, r, r + 1]], axis=1)
    np.testing.assert_allclose(occupied.mean(axis=(1, 2, 3)), concentration, atol=0.02)
    np.testing.assert_allclose(nearest, targets, atol=0.03)


def test_monte_carlo_without_order_has_none(simulated):
    alpha = simulated[3][3].copy()
    alpha[(BANK_RADIUS,) * 3] = 0
    # The standard error of an alpha of n sites is 1 / sqrt(n).
    assert np.abs(alpha).max() < 5 / np.sqrt(24**3)


def test_monte_carlo_is_a_pure_function_of_its_generator():
    first, second, other = (
        monte_carlo(np.array([0.3]), np.zeros((1, 3)), np.random.default_rng(seed), box=8, sweeps=3)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert np.any(first != other)


def test_odd_box_is_refused():
    with pytest.raises(ValueError, match="even number"):
        monte_carlo(np.array([0.5]), np.zeros((1, 3)), np.random.default_rng(0), box=7)


def test_targets_are_within_what_a_pair_probability_allows():
    concentration, targets = draw_targets(np.random.default_rng(0), 2000)
    assert concentration.min() >= 0.1
    assert concentration.max() <= 0.5
    # P_AB <= min(m_A, m_B), eq. (4)
    assert np.all(targets >= -(concentration / (1 - concentration))[:, None])
    assert np.all(targets <= 0.6)


# --- Warren-Cowley parameters ---


def test_alphas_by_fft_are_pair_counts(simulated):
    """alpha_v = 1 - P_AB(v) / (m_A m_B), eq. (4), counted."""
    occupied, alpha = simulated[2][0], simulated[3][0]
    a = occupied.astype(bool)
    m = a.mean()
    for v in [(1, 0, 0), (0, -2, 1), (3, 3, -5), (7, -7, 7)]:
        p_ab = np.mean(a & ~np.roll(a, [-step for step in v], axis=(0, 1, 2)))
        place = tuple(BANK_RADIUS + step for step in v)
        assert alpha[place] == pytest.approx(1 - p_ab / (m * (1 - m)), abs=1e-12)


def test_alpha_of_the_origin_is_one_and_minus_v_equals_v(simulated):
    alpha = simulated[3]
    np.testing.assert_allclose(alpha[:, BANK_RADIUS, BANK_RADIUS, BANK_RADIUS], 1)
    np.testing.assert_allclose(alpha, alpha[:, ::-1, ::-1, ::-1], atol=1e-12)


def test_vectors_longer_than_half_the_box_are_refused():
    with pytest.raises(ValueError, match="at most 4"):
        warren_cowley(np.zeros((8, 8, 8), dtype=np.uint8), 5)


# --- windows ---


def test_windowed_order_of_a_configuration_is_nowhere_negative(simulated):
    for alpha in simulated[3]:
        for width in (4.0, 5.5, 8.0):
            intensity = series(apply_window(alpha, width))
            assert intensity.min() > -1e-9
            assert intensity.mean() == pytest.approx(1)


def test_cutting_off_without_a_window_makes_negative_intensity(simulated):
    assert series(simulated[3][0]).min() < -0.01


@given(st.floats(1, 8))
def test_parzen_window_is_positive_definite_falls_from_one_and_ends_at_its_width(width):
    window = parzen_window(8, width)
    assert window[8] == 1
    assert np.all(np.diff(window[8:]) <= 0)
    assert np.all(window[np.abs(np.arange(-8, 9)) >= width] == 0)
    assert series(window, 64).min() > -1e-12


# --- closed forms ---


def test_shells_count_neighbours_by_distance():
    square, hexagonal = shells("square", 2), shells("hexagonal", 2)
    at = {v: (2 + v[0], 2 + v[1]) for v in [(0, 0), (1, 0), (1, 1), (-1, -1), (1, -1), (2, 0), (2, 1)]}
    assert [square[at[v]] for v in [(0, 0), (1, 0), (1, 1), (1, -1), (2, 0), (2, 1)]] == [0, 1, 2, 2, 3, 4]
    # Axes 120 degrees apart: [110] is as short as [100], six neighbours in each of the first two shells.
    assert [hexagonal[at[v]] for v in [(0, 0), (1, 0), (1, 1), (-1, -1), (1, -1), (2, 1)]] == [0, 1, 1, 1, 2, 2]
    assert np.sum(hexagonal == 1) == 6


@pytest.mark.parametrize("net", ["square", "hexagonal"])
def test_damped_oscillator_is_equation_7(net):
    alpha = damped_oscillator(net, amplitude=0.9, decay=0.4, frequency=0.7, radius=3)
    for shell in range(1, 4):
        expected = 0.9 * np.exp(-0.4 * shell) * np.cos(0.7 * shell)
        np.testing.assert_allclose(alpha[shells(net, 3) == shell], expected)
    assert alpha[3, 3] == 1


@pytest.mark.parametrize("net", ["square", "hexagonal"])
def test_clapp_moss_without_interaction_has_no_order(net):
    alpha = clapp_moss(net, np.array([1.0, -0.3]), 0.0, 5)
    expected = np.zeros((11, 11))
    expected[5, 5] = 1
    np.testing.assert_allclose(alpha, expected, atol=1e-12)


def test_clapp_moss_repulsion_makes_unlike_neighbours_and_attraction_like_ones():
    for sign in (1, -1):
        alpha = clapp_moss("square", np.array([sign * 1.0]), 0.5, 3)
        assert sign * alpha[4, 3] < 0
        assert alpha[3, 3] == pytest.approx(1)


def test_clapp_moss_meets_the_mean_field_formula():
    """With V(q) = 2 V1 (cos 2 pi q_1 + cos 2 pi q_2), min V = -4 V1: I = C / (1 + s V / 4 V1)."""
    strength, grid = 0.6, 64
    alpha = clapp_moss("square", np.array([1.0]), strength, 31)
    q = 2 * np.pi * np.arange(grid) / grid
    expected = 1 / (1 + strength * (np.cos(q)[:, None] + np.cos(q)) / 2)
    np.testing.assert_allclose(series(alpha, grid), expected / expected.mean(), atol=1e-3)


@given(st.sampled_from(["square", "hexagonal"]), st.floats(0.6, 1.5), st.floats(0.1, 1.2), st.floats(0, 3.14))
@settings(max_examples=30, deadline=None)
def test_oscillators_made_non_negative_stay_so_in_layers_and_windows(net, amplitude, decay, frequency):
    layer = make_non_negative(damped_oscillator(net, amplitude, decay, frequency, BANK_RADIUS))
    assert series(layer, 64).min() > -1e-9
    assert layer[BANK_RADIUS, BANK_RADIUS] == 1
    assert series(apply_window(stack_layers(layer, -0.4), 6.0)).min() > -1e-3


def test_order_that_is_non_negative_already_is_left_alone():
    layer = damped_oscillator("square", 0.2, 1.0, 0.0, 5)
    np.testing.assert_array_equal(make_non_negative(layer), layer)


def test_layers_are_correlated_along_b_alone():
    cube = stack_layers(damped_oscillator("square", 1.0, 0.5, 0.3, 2), -0.5)
    np.testing.assert_allclose(cube[2, :, 2], [0.25, -0.5, 1, -0.5, 0.25])
    np.testing.assert_allclose(cube[:, 3, :], -0.5 * cube[:, 2, :])


# --- lists ---


def test_half_space_of_five_holds_666_vectors_and_none_twice():
    vectors = half_space(5)
    assert len(vectors) == 666
    assert not np.any(vectors[0])
    assert len({tuple(v) for v in vectors} | {tuple(-v) for v in vectors}) == 11**3


def test_list_holds_the_alphas_of_the_cube():
    cube = np.random.default_rng(0).random((5, 5, 5))
    order = to_order_parameters(cube, 0.3)
    assert order.concentration == 0.3
    for vector, alpha in zip(order.vectors, order.alpha, strict=True):
        assert alpha == cube[tuple(vector + 2)]


def test_published_order_counts_the_origin_twice_and_ends_at_five():
    cube = np.random.default_rng(0).random((15, 15, 15))
    order = to_order_parameters(cube, 0.3)
    published = published_order(order)
    assert len(published.alpha) == 666
    assert published.alpha[0] == 2 * cube[7, 7, 7]
    assert order.alpha[0] == cube[7, 7, 7]
    assert np.abs(published.vectors).max() == 5


# --- the bank ---


def test_models_of_the_bank_have_the_published_concentrations():
    alpha, concentration = monte_carlo_bank()
    assert alpha.shape == (len(concentration), len(half_space(BANK_RADIUS)))
    assert concentration.min() > 0.08
    assert concentration.max() < 0.52


def test_models_of_the_bank_are_centric_cubes_without_negative_intensity():
    """To 1e-2 of the mean: the bank is kept in half precision."""
    for index in (0, 17, 500):
        cube, _ = bank_cube(index)
        np.testing.assert_array_equal(cube, cube[::-1, ::-1, ::-1])
        assert cube[(BANK_RADIUS,) * 3] == 1
        assert series(apply_window(cube, 8.0)).min() > -1e-2
