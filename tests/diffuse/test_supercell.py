"""From alphas to arrangements and back to the plane."""

import numpy as np
import pytest

from unscatter.diffuse.crystal.order import warren_cowley
from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_order
from unscatter.diffuse.supercell import close_loop, default_box, draw_supercell, read_species_pair
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderTargets
from unscatter.nouns.plane import Plane

SQUARE = OrderTargets([[1, 0, 0], [1, 1, 0], [2, 0, 0]], [-0.2, 0.1, 0.05], [0.002, 0.002, 0.002], "4/mmm")
CELL = Cell(4, 4, 4)


def published(error: float = 0.003) -> OrderTargets:
    order = trisamide_order()
    # One of the three that the table lists of every orbit.
    return OrderTargets(order.vectors[1::3], order.alpha[1::3], np.full(15, error), "6/m")


def test_orbits_hold_each_vector_once():
    vectors, number = SQUARE.half_space
    assert np.bincount(number).tolist() == [2, 2, 2]
    both = {tuple(v) for v in vectors.tolist()} | {tuple(v) for v in (-vectors).tolist()}
    assert both == {tuple(v) for members in SQUARE.members for v in members.tolist()}
    assert len(both) == 12


@pytest.mark.parametrize("concentration", [0.5, 0.25])
def test_targets_are_reached_and_the_concentration_is_exact(concentration):
    supercell = draw_supercell(SQUARE, CELL, concentration=concentration, box=(24, 24, 1), boxes=4, sweeps=20)
    assert supercell.occupied.shape == (4, 24, 24, 1)
    assert np.all(supercell.occupied.sum(axis=(1, 2, 3)) == round(concentration * 576))
    # One swap changes an alpha by about 1 / (N m (1 - m)).
    assert supercell.worst < 3 / (576 * concentration * (1 - concentration))
    assert supercell.notes == ()


def test_reached_alphas_are_those_of_another_count():
    """The same numbers as `warren_cowley` counts by its own FFT in a cubic box."""
    targets = OrderTargets([[1, 0, 0], [0, 1, 1]], [0.15, -0.1], [0.002, 0.002], "-1")
    supercell = draw_supercell(targets, CELL, box=(12, 12, 12), boxes=2, sweeps=10)
    cube = warren_cowley(supercell.occupied, 1)
    np.testing.assert_allclose(supercell.reached[:, 0], cube[:, 2, 1, 1], atol=1e-12)
    np.testing.assert_allclose(supercell.reached[:, 1], cube[:, 1, 2, 2], atol=1e-12)
    assert np.abs(supercell.reached.mean(axis=0) - targets.alpha).max() < 0.005


def test_what_is_no_target_stays_random():
    """Alphas far away scatter about zero as in a random alloy, with about N^-1/2."""
    supercell = draw_supercell(SQUARE, CELL, box=(32, 32, 1), boxes=8, sweeps=20)
    mean = supercell.occupied.mean()
    far = [
        np.mean((box - mean) * (np.roll(box, (8, 5), (0, 1)) - mean)) / (mean * (1 - mean))
        for box in supercell.occupied.astype(float)
    ]
    assert abs(np.mean(far)) < 4 / 32 / np.sqrt(8)
    assert np.std(far) < 4 / 32


def test_equal_seeds_make_equal_crystals():
    first, second, other = (
        draw_supercell(SQUARE, CELL, box=(12, 12, 1), boxes=1, sweeps=2, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.occupied, second.occupied)
    assert np.any(first.occupied != other.occupied)


def test_loop_closes_on_the_demonstration_plane():
    """True I_FF and published alphas: counting noise, and on top of it in squares what finite boxes add."""
    truth = simulate_demonstration(pixels=201)
    supercell = draw_supercell(published(), truth.plane.cell, boxes=12, sweeps=8)
    loop = close_loop(truth, supercell)
    # I_FF that follows the data takes up a little of the noise.
    assert 0.8 * loop.r_factorization < loop.r_alphas < loop.r_factorization
    assert loop.r_alphas < loop.r_supercell < np.hypot(loop.r_factorization, 1.5 * loop.r_noise)
    assert 0.01 < loop.r_noise < 0.05
    # Another order does not do, however I_FF follows.
    wrong = OrderTargets(published().vectors, -published().alpha / 3, published().standard_error, "6/m")
    other = close_loop(truth, draw_supercell(wrong, truth.plane.cell, boxes=4, sweeps=4))
    assert min(other.r_alphas, other.r_supercell) > 2 * loop.r_supercell
    assert "supercell" in str(loop)


def test_more_boxes_less_noise():
    truth = simulate_demonstration(pixels=101)
    few, many = (
        close_loop(truth, draw_supercell(published(), truth.plane.cell, box=(24, 24, 1), boxes=n, sweeps=4)).r_noise
        for n in (4, 16)
    )
    assert many == pytest.approx(few / 2, rel=0.3)


def test_targets_that_no_arrangement_has_are_said_so():
    """Every neighbour unlike on a triangular net: frustrated."""
    targets = OrderTargets([[1, 0, 0]], [-0.9], [0.001], "6/mmm")
    supercell = draw_supercell(targets, Cell(4, 4, 4, 90, 90, 120), box=(12, 12, 1), boxes=2, sweeps=8)
    assert "no arrangement has" in supercell.notes[0]
    assert supercell.worst > 0.3
    assert "note:" in str(supercell)


def test_default_box_is_flat_where_no_vector_leads_out():
    assert default_box(SQUARE) == (48, 48, 1)
    assert default_box(OrderTargets([[1, 0, 0]], [0.1], [0.0])) == (256, 1, 1)
    assert default_box(OrderTargets([[1, 1, 1]], [0.1], [0.0])) == (20, 20, 20)


def test_boxes_that_cannot_be():
    with pytest.raises(ValueError, match="--box"):
        draw_supercell(SQUARE, CELL, box=(4, 4, 1))
    with pytest.raises(ValueError, match="no A or no B"):
        draw_supercell(SQUARE, CELL, concentration=0.0)
    with pytest.raises(ValueError, match="no target"):
        OrderTargets([[0, 0, 0]], [1.0], [0.0])
    with pytest.raises(ValueError, match="between -1 and 1"):
        OrderTargets([[1, 0, 0]], [1.5], [0.0])
    with pytest.raises(ValueError, match="one alpha"):
        OrderTargets([[1, 0, 0]], [0.5, 0.1], [0.0])


def test_a_plane_without_axes_cannot_be_recomputed():
    from dataclasses import replace

    truth = simulate_demonstration(pixels=64)
    supercell = draw_supercell(SQUARE, CELL, box=(12, 12, 1), boxes=1, sweeps=1)
    with pytest.raises(ValueError, match="--axes"):
        close_loop(replace(truth, plane=Plane(truth.plane.intensity)), supercell)
    assert "one box" in str(close_loop(truth, supercell))


def test_what_sits_on_a_site():
    a, b = read_species_pair(CELL, None, None)
    assert (a.elements, b.elements) == (("Au",), ("Cu",))
    assert read_species_pair(CELL, None, "vacancy")[1] is None
    with pytest.raises(ValueError, match="--model-a"):
        read_species_pair(CELL, None, "b.cif")
