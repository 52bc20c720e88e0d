"""Artefacts: what averages to one, what keeps its symmetry, what counting looks like."""

import numpy as np
import pytest

from unscatter.io.structures.crystal_symmetry import label_space_group
from unscatter.nouns.cell import Cell
from unscatter.nouns.sites import coset_representatives
from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.samples.artefacts import (
    add_counting_noise,
    damping,
    pole_cosine,
    stretch_cell,
)


@pytest.mark.parametrize(("group", "axis"), [(14, 0), (14, 1), (62, 2), (136, 2), (194, 2)])
def test_equivalent_reflections_stand_at_one_angle_to_a_pole(group, axis):
    crystal = draw_crystal(np.random.default_rng(group), group, tolerance=None)
    rotations = coset_representatives(crystal)[0]
    images = np.array([3, 1, 2]) @ rotations
    cosines = np.abs(pole_cosine(images, crystal.cell, axis))
    np.testing.assert_allclose(cosines, cosines[0], atol=1e-9)
    assert pole_cosine(np.eye(3, dtype=int)[[axis]], crystal.cell, axis) == pytest.approx(1)


def test_damping_is_the_square_of_the_amplitude_factor():
    d = np.array([3.0, 1.0])
    np.testing.assert_allclose(damping(1 / d, 1.5), np.exp(-1.5 / (4 * d**2)) ** 2)


@pytest.mark.parametrize("group", [1, 14, 62, 136, 148, 166, 194, 225])
def test_a_stretched_cell_keeps_its_space_group(group):
    rng = np.random.default_rng(group)
    crystal = draw_crystal(rng, group)
    for _ in range(5):
        cell = stretch_cell(rng, crystal.cell, group, 0.02, 0.02)
        assert cell != crystal.cell
        ratio = np.array(cell.parameters[:3]) / crystal.cell.parameters[:3]
        assert np.all(np.abs(np.log(ratio)) <= 0.04 + 1e-12)
        moved = type(crystal)(cell, crystal.elements, crystal.positions, crystal.rotations, crystal.translations)
        assert label_space_group(moved, 0.01) == group


def test_rhombohedral_axes_stay_equal():
    cell = stretch_cell(np.random.default_rng(0), Cell(5, 5, 5, 55, 55, 55), 166, 0.01, 0.01)
    assert cell.a == cell.b == cell.c
    assert (cell.alpha, cell.beta, cell.gamma) == (55, 55, 55)


@pytest.mark.parametrize("mean", [3.0, 20.0, 1000.0])
def test_counts_have_mean_variance_and_skewness_of_poisson(mean):
    normal = np.random.default_rng(0).standard_normal(400_000)
    counts = add_counting_noise(np.full(normal.shape, mean), normal)
    assert counts.min() >= 0
    assert counts.mean() == pytest.approx(mean, rel=0.01)
    assert counts.var() == pytest.approx(mean, rel=0.03)
    skewness = np.mean((counts - counts.mean()) ** 3) / counts.std() ** 3
    assert skewness == pytest.approx(mean**-0.5, abs=0.06)


def test_noise_is_the_same_in_numpy_and_torch(torch):
    expected, normal = np.linspace(0, 50, 100), np.random.default_rng(1).standard_normal(100)
    there = add_counting_noise(torch.tensor(expected), torch.tensor(normal))
    np.testing.assert_allclose(there.numpy(), add_counting_noise(expected, normal))
