"""Distances between a set of made planes and the set of true ones: Frechet (FID) and kernel (KID)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_kernel

#: Planes that go through the network at once.
BATCH = 32
#: Rows of the kernel that are in memory at once.
ROWS = 1024


class Distances(NamedTuple):
    """Two distances between sets of planes; 0 for equal sets."""

    fid: float
    kid: float


def distribution_distances(
    predicted: NDArray[np.floating[Any]], truth: NDArray[np.floating[Any]], encoder: nn.Module
) -> Distances:
    """Frechet and kernel distance between predicted and true planes of one component, in features of `encoder`.

    FID = |mu - mu'|^2 + tr(C + C' - 2 (C C')^1/2); KID = MMD^2 with the kernel (f.f'/d + 1)^3.

    predicted, truth: (n, ny, nx) in the range [-1, 1], row i of both from sample i; their order does not matter
    otherwise. encoder: planes (B, 1, ny, nx) to features (B, d).

    The number of samples matters. FID estimates d (d + 1) / 2 covariances from n planes and is too large while
    they are few: 98 are hardly enough for the 64 features of our encoder, 980 are better, and the 2048 of
    Inception want thousands. Compare sets of equal size only. KID has no such bias.

    Raises ValueError for sets of different shape or of fewer than two planes. Source: Heusel et al. (2017),
    arXiv:1706.08500; Binkowski et al. (2018), arXiv:1801.01401.
    """
    if predicted.shape != truth.shape or predicted.ndim != 3 or len(truth) < 2:
        raise ValueError(
            f"expected two sets of planes (n, ny, nx) of equal shape, n >= 2, got {predicted.shape} and {truth.shape}"
        )
    made, true = features_of(predicted, encoder), features_of(truth, encoder)
    return Distances(frechet_distance(made, true), kernel_distance(made, true))


@torch.no_grad()
def features_of(planes: NDArray[np.floating[Any]], encoder: nn.Module) -> Tensor:
    """Features of planes (n, ny, nx) in double precision, (n, d)."""
    pictures = torch.as_tensor(planes, dtype=torch.float32)[:, None]
    return torch.cat([encoder(pictures[i : i + BATCH]) for i in range(0, len(pictures), BATCH)]).double()


def frechet_distance(made: Tensor, true: Tensor) -> float:
    """FID of features (n, d) and (m, d)."""
    metric = FrechetInceptionDistance(feature=_AlreadyFeatures(true.shape[1]))
    metric.update(true, real=True)
    metric.update(made, real=False)
    # Rounding leaves equal sets at -1e-12.
    return max(float(metric.compute()), 0.0)


class _AlreadyFeatures(nn.Identity):
    """Lets torchmetrics take features as they are, so that the network sees every plane once."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def kernel_distance(made: Tensor, true: Tensor) -> float:
    """KID of features (n, d) of the same n samples.

    The mean of k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(y_i, x_j) over i != j: eq. (4), Gretton et al. (2012),
    JMLR 13, 723. The `KernelInceptionDistance` of torchmetrics takes i = j into the mixed term, which is right for
    independent sets; a plane and its own prediction are alike, and 98 such pairs would carry it far below zero.
    """
    count, total = len(true), 0.0
    # Blocks of rows: ten thousand samples have a hundred million pairs.
    for first in range(0, count, ROWS):
        x, y = made[first : first + ROWS], true[first : first + ROWS]
        kernel: Tensor = poly_kernel(x, made) + poly_kernel(y, true) - poly_kernel(x, true) - poly_kernel(y, made)
        kernel.diagonal(first).zero_()
        total += float(kernel.sum())
    return total / (count * (count - 1))
