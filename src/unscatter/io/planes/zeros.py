"""Zeros: counts where a detector counted none, gaps where they cannot be.

A pixel that expects lambda counts holds none with probability exp(-lambda), and a rectangle of n pixels that all hold
none with exp(-n lambda). Zeros are gaps where that is too improbable for a plane of so many pixels beside what their
neighbours hold; areas that fade out, as where I_FF has a node, are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from unscatter.io.planes.asked import Zeros
from unscatter.nouns.arrays import Floats, Mask

#: All-zero rectangles that are looked for, rows x columns: pixels, squares, and the strips between modules.
_RECTANGLES = (
    (1, 1),
    (2, 2),
    (3, 3),
    (4, 4),
    (6, 6),
    (8, 8),
    (11, 11),
    (15, 15),
    (1, 12),
    (12, 1),
    (3, 24),
    (24, 3),
    (9, 36),
    (36, 9),
)
#: -log of the probability that one such rectangle occurs anywhere on a plane where nothing is missing.
_CERTAIN = 12.0
#: -log of the probability from which zeros beside a certain gap belong to it.
_PROBABLE = 5.0
#: Counts expected in the rim of an area from which it is cut off and not faded out.
_CUT_OFF = 15.0
#: Windows in which the rim of a gap is looked at, and the counts that it takes to decide.
_WINDOWS, _ENOUGH = (25, 61), 30.0
#: Edge of the tiles in which noise is measured.
_TILE = 24


@dataclass(frozen=True)
class Judgement:
    """Which zeros are gaps, (ny, nx), and why, in words (empty if there is no zero)."""

    gaps: Mask
    words: str = ""


def judge_zeros(values: Floats, zeros: Zeros = "auto") -> Judgement:
    """Tell zeros that are gaps from zeros that were measured.

    values: (ny, nx), NaN = known not to be measured. zeros: "measured" and "missing" overrule.
    """
    zero = values == 0
    count = int(zero.sum())
    if not count or zeros == "measured":
        return Judgement(np.zeros_like(zero), f"{_share(zero)} are zero, counted as measured" if count else "")
    if zeros == "missing":
        return Judgement(zero, f"{_share(zero)} are zero, counted as not measured")
    seen = np.isfinite(values)
    whole = bool(np.all(values[seen] == np.rint(values[seen])))
    if np.any(values[seen] < 0) and not whole:
        return Judgement(
            zero, f"{_share(zero)} are exactly zero among numbers of both signs: not measured (--zeros measured)"
        )
    gain = _gain(values, zero, whole)
    if not np.isfinite(gain):
        return Judgement(zero, f"{_share(zero)} are zero, all else is constant: not measured (--zeros measured)")
    gaps = _sharp_gaps(values, *_evidence(values, zero, gain), gain)
    return Judgement(gaps, _words(values, zero, gaps, gain))


def _gain(values: Floats, zero: Mask, whole: bool) -> float:
    """Intensity of one count: 1 for whole numbers, and at least the ratio of variance and mean between neighbours.

    The median over tiles of sum (a - b)^2 / sum |a + b| over pairs of neighbours; pairs of two zeros, which may lie
    in a gap, do not count where zeros come in blocks.
    """
    inside = ndimage.binary_opening(zero, np.ones((3, 3), dtype=bool))
    plane = np.where(inside, np.nan, values)
    squares, sums = [], []
    for first, second in ((plane[:, 1:], plane[:, :-1]), (plane[1:, :-1], plane[:-1, :-1])):
        first, second = first[:, : plane.shape[1] - 1], second[:, : plane.shape[1] - 1]
        squares.append(_tile_sums((first - second) ** 2))
        sums.append(_tile_sums(np.abs(first) + np.abs(second)))
    square, total = (np.concatenate([part.ravel() for part in parts]) for parts in (squares, sums))
    good = total > 0
    ratio = float(np.median(square[good] / total[good])) if good.any() else 0.0
    return max(ratio, 1.0 if whole else 0.0) or float("inf")


def _tile_sums(pairs: Floats) -> Floats:
    """Sums over tiles, pairs that are not both measured left out."""
    pairs = np.nan_to_num(pairs)
    rows, columns = (np.arange(0, n, _TILE) for n in pairs.shape)
    return np.asarray(np.add.reduceat(np.add.reduceat(pairs, rows, axis=0), columns, axis=1))


def _evidence(values: Floats, zero: Mask, gain: float) -> tuple[Floats, Floats]:
    """-log of the probability that a zero pixel, with a rectangle of zeros around it, was measured, (ny, nx).

    Counts expected there are the mean of the pixels that frame the rectangle around the pixel. Also returns the pixels
    of the largest rectangle of zeros that each lies in.
    """
    seen = np.isfinite(values)
    counts = np.where(seen, np.abs(values), 0.0) / gain
    mass, pixels = _BoxSums(counts), _BoxSums(seen)
    typical = counts.sum() / max(int((seen & ~_blocks(zero, (6, 6))).sum()), 1)
    evidence, extent = np.zeros(values.shape), np.zeros(values.shape)
    for shape in _RECTANGLES:
        if shape[0] > zero.shape[0] or shape[1] > zero.shape[1]:
            continue
        blocks = _blocks(zero, shape)
        place = np.nonzero(blocks)
        if not len(place[0]):
            continue
        frame = (shape[0] // 2 + 1, shape[1] // 2 + 1)
        # Blocks hold nothing, so what the frame holds is what its other pixels hold.
        free = pixels(place, frame) - _BoxSums(blocks)(place, frame)
        expected = np.where(free > 3.5, mass(place, frame) / np.maximum(free, 1.0), typical)
        evidence[place] = np.maximum(evidence[place], expected * shape[0] * shape[1])
        extent[place] = np.maximum(extent[place], shape[0] * shape[1])
    return evidence, extent


class _BoxSums:
    """Sums of an image over boxes, from sums over all pixels below and left of each."""

    def __init__(self, image: NDArray[Any]) -> None:
        kind = np.int64 if image.dtype == bool else np.float64
        self._sums = np.zeros((image.shape[0] + 1, image.shape[1] + 1), dtype=kind)
        np.cumsum(np.cumsum(image, axis=0, dtype=kind), axis=1, out=self._sums[1:, 1:])

    def __call__(self, place: tuple[NDArray[np.int_], ...], reach: tuple[int, int]) -> NDArray[Any]:
        """Sums over boxes that reach so many rows and columns to either side of some pixels."""
        ny, nx = (n - 1 for n in self._sums.shape)
        low = [np.maximum(index - r, 0) for index, r in zip(place, reach, strict=True)]
        high = [np.minimum(i + r + 1, n) for i, r, n in zip(place, reach, (ny, nx), strict=True)]
        sums = self._sums
        return np.asarray(sums[high[0], high[1]] - sums[low[0], high[1]] - sums[high[0], low[1]] + sums[low[0], low[1]])


def _blocks(zero: Mask, shape: tuple[int, int]) -> Mask:
    """Pixels that lie in a rectangle of zeros of that shape."""
    if shape == (1, 1):
        return zero
    return np.asarray(ndimage.grey_opening(zero.view(np.uint8), size=shape, mode="constant", cval=0), dtype=bool)


def _sharp_gaps(values: Floats, evidence: Floats, extent: Floats, gain: float) -> Mask:
    """Areas of probable gaps that hold a certain one, where they end sharply.

    The rim of an area decides, each part of it by itself; what lies inside follows the nearest part of the rim.
    """
    certain = np.log(values.size) + _CERTAIN
    labels, count = ndimage.label(evidence > _PROBABLE, structure=np.ones((3, 3), dtype=bool))
    if not count:
        return np.zeros(values.shape, dtype=bool)
    strongest = ndimage.maximum(evidence, labels, np.arange(1, count + 1))
    area = np.concatenate([[False], np.asarray(strongest) > certain])[labels]
    if not area.any():
        return np.asarray(area)
    rim = area & _grown(~area, 1)
    if not rim.any():
        return np.asarray(area)
    sharp = _cut_off(np.where(np.isfinite(values), np.abs(values), np.nan) / gain, area) * extent > certain
    nearest = ndimage.distance_transform_edt(~rim, return_distances=False, return_indices=True)
    return np.asarray(area & sharp[tuple(nearest)])


def _cut_off(counts: Floats, area: Mask) -> Floats:
    """Counts that the rim of an area of zeros would hold if the plane fades out towards it, (ny, nx).

    Where a form factor passes through zero its amplitude is a straight line. The root of the intensity is therefore
    extrapolated from 5 to 7 and 2 to 3 pixels off into the area. The pixel that touches it is left out: it is one that
    is not zero, or the area would be larger.
    """
    free = np.isfinite(counts) & ~area
    bands = _grown(area, 3) & ~_grown(area, 1), _grown(area, 7) & ~_grown(area, 4)
    held = np.where(free, np.nan_to_num(counts), 0.0)
    expected, decided = np.zeros(area.shape), np.zeros(area.shape, dtype=bool)
    for window in _WINDOWS:
        (near, total), (far, _) = (_band_mean(held, free & band, window) for band in bands)
        root = np.clip(2 * np.sqrt(near) - np.sqrt(np.maximum(far, near)), 0.0, None)
        here = ~decided & (total >= _ENOUGH)
        expected = np.where(here, root**2, expected)
        decided |= here
    return expected


def _grown(area: Mask, pixels: int) -> Mask:
    return np.asarray(ndimage.maximum_filter(area.view(np.uint8), 2 * pixels + 1), dtype=bool)


def _band_mean(counts: Floats, band: Mask, window: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean of a band in a square window around every pixel, and the sum behind it."""
    mass, pixels = (
        ndimage.uniform_filter(a.astype(np.float32), window, mode="constant") * window**2
        for a in (np.where(band, counts, 0.0), band)
    )
    return np.where(pixels > 0.5, mass / np.maximum(pixels, 0.5), 0.0), mass


def _share(which: Mask) -> str:
    return f"{100 * which.mean():.2g} % of the pixels"


def _words(values: Floats, zero: Mask, gaps: Mask, gain: float) -> str:
    """The decision with its numbers."""
    kept = zero & ~gaps
    parts = []
    if gaps.any():
        sizes = np.bincount(ndimage.label(gaps)[0].ravel())[1:]
        parts.append(
            f"{_share(gaps)} are zeros that cannot be counts beside their neighbours, in {sizes.size} connected "
            f"areas of up to {sizes.max()} pixels: not measured"
        )
    if kept.any():
        level = float(np.mean(np.abs(values[np.isfinite(values) & ~gaps]))) / gain
        parts.append(f"{_share(kept)} are zeros as expected where the mean is {level:.3g} counts: measured")
    return "; ".join(parts) + (" (--zeros measured or missing overrules)" if parts else "")
