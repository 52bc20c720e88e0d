import gemmi
import numpy as np
import pytest

from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.powder.demonstration import corundum, simulate_corundum
from unscatter.powder.refine.absences import extinguished, settings_of
from unscatter.powder.refine.expectation import log_evidence, moments
from unscatter.powder.refine.extinctions import extinction_symbols
from unscatter.powder.refine.hypotheses import fit_lattice
from unscatter.powder.refine.intensity_prior import intensity_mixture
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.observation import observe
from unscatter.powder.refine.predicted import predict_lines
from unscatter.symmetry import BRAVAIS_LATTICES, label_set

MEANS, WEIGHTS = np.array([0.01, 0.3, 1.5]), np.array([0.1, 0.4, 0.5])


def test_every_extinction_group_has_settings_in_its_lattice():
    labels = {setting.label for bravais in BRAVAIS_LATTICES for setting in settings_of(bravais)}
    assert labels == set(range(99))


@pytest.mark.parametrize(("symbol", "axes"), [("P n m a", "abc"), ("P b n m", "cab"), ("P m n b", "bac")])
def test_settings_of_an_orthorhombic_group_extinguish_what_gemmi_says(symbol, axes):
    hkl = predict_lines(Cell(5, 6, 7), "oP", 0.9).hkl
    expected = np.asarray(gemmi.SpaceGroup(symbol).operations().systematic_absences(hkl), dtype=bool)
    settings, absent = extinguished(hkl, "oP")
    label = label_set("extinction-99").label(62)
    found = [row for setting, row in zip(settings, absent, strict=True) if setting.label == label]
    assert any(np.array_equal(row, expected) for row in found), axes


def test_glides_of_a_monoclinic_lattice_come_in_three_settings():
    hkl = predict_lines(Cell(5, 6, 7, 90, 100, 90), "mP", 0.9).hkl
    settings, absent = extinguished(hkl, "mP")
    label = label_set("extinction-99").label(14)
    found = [row for setting, row in zip(settings, absent, strict=True) if setting.label == label]
    for symbol in ("P 1 21/c 1", "P 1 21/a 1", "P 1 21/n 1"):
        expected = np.asarray(gemmi.SpaceGroup(symbol).operations().systematic_absences(hkl), dtype=bool)
        assert any(np.array_equal(row, expected) for row in found), symbol


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("sigma", [0.02, 0.3])
def test_evidence_of_two_overlapping_lines_is_the_integral(correlation, sigma):
    rng = np.random.default_rng(1)
    matrix = np.array([[1, correlation], [correlation, 1]]) / sigma**2
    right = matrix @ (rng.exponential(1.0, 2) + sigma * rng.standard_normal(2))
    grid = np.concatenate([np.linspace(0, 0.2, 900), np.linspace(0.2, 7, 1800)[1:]])
    weight = np.gradient(grid)
    weight[[0, -1]] /= 2
    prior = (WEIGHTS / MEANS * np.exp(-grid[:, None] / MEANS)).sum(axis=1) * weight
    x, y = grid[:, None], grid[None]
    logs = right[0] * x + right[1] * y - (matrix[0, 0] * x**2 + matrix[1, 1] * y**2) / 2 - matrix[0, 1] * x * y
    reference = logs.max() + np.log(np.sum(np.exp(logs - logs.max()) * prior[:, None] * prior[None]))
    # Expectation propagation is no exact integral; what is compared with it differs by nats.
    assert log_evidence(matrix, right, MEANS, np.tile(WEIGHTS, (2, 1))) == pytest.approx(reference, abs=0.05)


def test_moments_of_a_line_are_those_of_its_density():
    z = np.linspace(0, 12, 60001)
    density = (WEIGHTS / MEANS * np.exp(-z[:, None] / MEANS)).sum(axis=1)
    density *= np.exp(-((z - 0.4) ** 2) / (2 * 0.2**2)) / np.sqrt(2 * np.pi * 0.2**2)
    total, step = np.trapezoid(density, z), z[1]
    log_z, mean, variance = moments(MEANS, WEIGHTS, 0.4, 0.04)
    # The component of mean 0.01 falls within a few steps of the grid.
    assert log_z == pytest.approx(np.log(total), abs=5 * step)
    first = np.trapezoid(z * density, z) / total
    assert mean == pytest.approx(first, abs=1e-3)
    assert variance == pytest.approx(np.trapezoid((z - first) ** 2 * density, z) / total, rel=1e-2)


def test_a_line_far_below_zero_is_what_the_exponential_tail_of_its_noise_leaves():
    # A Gaussian far below zero falls as exp(-z |mean| / variance) above it, which is narrower than any component.
    for mean in (-0.5, -3.0, -40.0):
        log_z, first, variance = moments(MEANS[2:], np.ones(1), mean, 1e-4)
        decay = -mean / 1e-4 + 1 / 1.5
        assert first == pytest.approx(1 / decay, rel=5e-3)
        assert variance == pytest.approx(1 / decay**2, rel=1e-2)
        assert log_z == pytest.approx(np.log(100 / np.sqrt(2 * np.pi) / 1.5 / decay) - mean**2 / 2e-4, abs=5e-3)


def test_the_prior_of_intensities_has_a_mean_near_one():
    for radiation in ("neutron", "x-ray"):
        means, weights = intensity_mixture(radiation, special=False)
        assert weights.sum() == pytest.approx(1.0)
        assert 0.7 < means @ weights < 1.3


def test_corundum_has_the_glide_plane_of_its_group():
    pattern = simulate_corundum()
    observation = observe(pattern, find_lines(pattern)).up_to(120)
    model = fit_lattice(observation, Lattice(corundum().cell, "hR")).model
    symbols = extinction_symbols(observation, model, "hR")
    labels = label_set("extinction-99")
    p = symbols.probabilities(np.full(99, 1 / 99))
    assert p[labels.label(167)] > 0.95
    assert p.sum() == pytest.approx(1.0)
