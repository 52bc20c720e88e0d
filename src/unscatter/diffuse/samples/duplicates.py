"""Near-duplicate planes: the sliced Wasserstein distance of planes as distributions of mass over the picture.

In one dimension the Wasserstein distance W1 is the area between two cumulative distributions. Projected on a
few directions and summed up, a plane becomes a vector; the sliced distance is the L1 distance of the vectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from unscatter.nouns.arrays import FloatArray

Pairs: TypeAlias = NDArray[np.int64]
Vectors: TypeAlias = NDArray[np.float32]

#: Sliced distance, in edges of the plane, below which two planes count as one: a shift of 0.4 pixels of 256.
THRESHOLD = 1e-3
#: Directions over half a turn, bins along each, and the edge to which larger planes are pooled.
_DIRECTIONS = 16
_BINS = 64
_EDGE = 64
#: How many signed sums narrow the search down.
_SUMS = 12
#: Planes or pairs taken at once.
_BLOCK = 512


def find_duplicates(planes: Iterable[FloatArray], threshold: float = THRESHOLD) -> Pairs:
    """Find all pairs (i, j), i < j, of planes with a sliced distance below `threshold`, (m, 2), sorted.

    planes: n planes (ny, nx) of one shape, finite, negative values count as zero; read one block at a time.
    Raises ValueError for a plane without mass.
    """
    vectors = embed_planes(planes)
    tree = cKDTree(vectors @ _telling_signs(vectors))
    near = tree.query_pairs(threshold, p=np.inf, output_type="ndarray").astype(np.int64)
    pairs = np.sort(near[_l1(vectors, near) < threshold], axis=1)
    return pairs[np.lexsort(pairs.T[::-1])]


def _telling_signs(vectors: Vectors) -> Vectors:
    """Signs +-1 (d, k) whose sums of entries tell vectors (n, d) apart: those of their principal components.

    A sum of differences with any signs never exceeds the sum of their sizes: far sums mean far planes.
    """
    centred = vectors - vectors.mean(axis=0)
    components = np.linalg.eigh(centred.T @ centred)[1][:, -_SUMS:]
    return np.where(components < 0, np.float32(-1), np.float32(1))


def _l1(vectors: Vectors, pairs: Pairs) -> Vectors:
    """L1 distance of each pair, a block at a time to keep memory small."""
    blocks = np.array_split(pairs, max(1, len(pairs) // _BLOCK))
    return np.concatenate([np.abs(vectors[i] - vectors[j]).sum(axis=1) for i, j in (b.T for b in blocks)])


def later_of(pairs: Pairs) -> set[int]:
    """Which planes to drop so that of each pair of `find_duplicates` one stays, the first where possible."""
    dropped: set[int] = set()
    for i, j in pairs.tolist():
        if i not in dropped:
            dropped.add(j)
    return dropped


def embed_planes(planes: Iterable[FloatArray]) -> Vectors:
    """Vectors (n, 1024) whose L1 distances are the sliced Wasserstein distances of n planes (ny, nx) of any scale.

    A distance, in edges of the plane, is the mean over directions of how far mass has to be moved along them: a plane
    shifted by d is 2 d / pi away, as long as nothing leaves it.
    Planes are pooled to 64 x 64, which moves no mass by more than half of such a pixel. Raises ValueError for
    a plane without mass.
    """
    remaining = iter(planes)
    vectors = []
    while block := list(islice(remaining, _BLOCK)):
        small = np.stack([_pool(np.clip(plane, 0.0, None)) for plane in block])
        mass = small.sum(axis=(1, 2), keepdims=True)
        if not np.all(mass > 0):
            raise ValueError("a plane holds no mass; expected finite intensities, some of them positive")
        projections = _cumulative_projections(*small.shape[1:])
        vectors.append(((small / mass).reshape(len(small), -1) @ projections).astype(np.float32))
    return np.concatenate(vectors)


def _pool(plane: FloatArray) -> NDArray[np.float64]:
    """Sum pixels into at most 64 x 64 blocks, the pixels on a border shared between two."""
    rows, columns = (_sharing(size, min(size, _EDGE)) for size in plane.shape)
    return np.asarray(rows @ plane @ columns.T)


@cache
def _sharing(size: int, blocks: int) -> NDArray[np.float64]:
    """Share of each pixel that lies in each block, (blocks, size)."""
    borders = np.linspace(0, size, blocks + 1)
    pixel = np.arange(size)
    overlap = np.minimum(borders[1:, None], pixel + 1) - np.maximum(borders[:-1, None], pixel)
    return np.asarray(np.clip(overlap, 0.0, 1.0))


@cache
def _cumulative_projections(rows: int, columns: int) -> NDArray[np.float64]:
    """Matrix (rows * columns, directions * bins) from mass to cumulative distributions times the bin."""
    y, x = ((np.arange(size) + 0.5) / size - 0.5 for size in (rows, columns))
    angle = np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS
    # Half the diagonal of the unit square is the farthest that a projection reaches.
    edges, width = np.linspace(-np.sqrt(0.5), np.sqrt(0.5), _BINS, retstep=True)
    place = x[None, :, None] * np.cos(angle) + y[:, None, None] * np.sin(angle)
    # A ramp one bin wide in place of a step: areas between curves stay, and shifts below a bin are seen.
    below = np.clip((edges - place[..., None]) / width + 0.5, 0.0, 1.0)
    return np.asarray(below.reshape(rows * columns, -1) * (width / _DIRECTIONS))
