import numpy as np
import pytest
import torch
from torch import nn

from unscatter.train.diffuse.distribution import ROWS, distribution_distances, frechet_distance, kernel_distance

AVERAGES = nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten())


def gaussian(count, mean, deviation, seed):
    """Features (count, d) with exactly this mean and these deviations along the axes."""
    raw = torch.randn(count, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    centred = raw - raw.mean(dim=0)
    factor = torch.linalg.cholesky(torch.cov(centred.T))
    white = torch.linalg.solve_triangular(factor, centred.T, upper=False).T
    return white * torch.tensor(deviation, dtype=torch.float64) + torch.tensor(mean, dtype=torch.float64)


@pytest.fixture
def planes():
    return np.random.default_rng(0).uniform(-1, 1, (40, 24, 24)).astype(np.float32)


def test_equal_sets_are_at_distance_zero(planes):
    distances = distribution_distances(planes, planes.copy(), AVERAGES)
    assert distances.fid == pytest.approx(0, abs=1e-9)
    assert distances.kid == pytest.approx(0, abs=1e-12)


def test_fid_of_two_gaussians_is_that_of_the_closed_form():
    # |mu - mu'|^2 + sum (s - s')^2 where the covariances are diagonal.
    made = gaussian(500, (0.0, 1.0, 2.0), (1.0, 2.0, 0.5), seed=1)
    true = gaussian(500, (1.0, 1.0, 0.0), (1.5, 1.0, 0.5), seed=2)
    assert frechet_distance(made, true) == pytest.approx(1 + 4 + 0.25 + 1, rel=1e-6)


def test_kid_of_independent_halves_of_one_set_is_zero_on_average():
    halves = [
        torch.randn(2, 60, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) for seed in range(60)
    ]
    distances = np.array([kernel_distance(made, true) for made, true in halves])
    assert abs(distances.mean()) < 3 * distances.std(ddof=1) / np.sqrt(len(distances))
    assert distances.min() < 0 < distances.max()


def test_kid_is_the_sum_over_pairs_whatever_the_blocks():
    count = ROWS + 7
    made, true = torch.randn(2, count, 2, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    true = true + 0.1

    def kernel(a, b):
        return (a @ b.T / 2 + 1) ** 3

    pairs = kernel(made, made) + kernel(true, true) - kernel(made, true) - kernel(true, made)
    expected = (pairs.sum() - pairs.diagonal().sum()) / (count * (count - 1))
    assert kernel_distance(made, true) == pytest.approx(float(expected), rel=1e-9)


def test_distances_do_not_depend_on_the_order_of_the_samples(planes):
    shifted = planes * 0.5
    order = np.random.default_rng(1).permutation(len(planes))
    straight = distribution_distances(shifted, planes, AVERAGES)
    turned = distribution_distances(shifted[order], planes[order], AVERAGES)
    assert turned == pytest.approx(straight, rel=1e-6)


def test_features_of_large_sets_come_in_the_order_of_the_planes(planes):
    from unscatter.train.diffuse.distribution import features_of

    np.testing.assert_allclose(features_of(planes, nn.Flatten()).numpy(), planes.reshape(40, -1), rtol=1e-6)


def test_sets_of_another_size_or_of_one_plane_are_refused(planes):
    with pytest.raises(ValueError, match="equal shape"):
        distribution_distances(planes[:5], planes, AVERAGES)
    with pytest.raises(ValueError, match="n >= 2"):
        distribution_distances(planes[:1], planes[:1], AVERAGES)
