"""An I_FF with no finer features than a molecule makes: what the data add to a first one, as a smooth random field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from unscatter.diffuse.factorize.canvas import spread_blocks
from unscatter.diffuse.plane.smoothing import smooth_plane
from unscatter.nouns.arrays import Floats

#: Single or double.
Precision = TypeVar("Precision", bound=np.floating[Any])

#: Spread of I_FF about the first one, as a share of its neighbourhood.
SPREAD = 0.3
#: Standard deviation of the bell that smooths the first I_FF, in units of its finest fringes.
BLUR = 0.13
#: Pixels along the finest fringes: more are averaged before the field is solved for.
PIXELS = 14
#: Steps of conjugate gradients.
STEPS = 12


@dataclass(frozen=True)
class Field:
    """A random field on (ny, nx) pixels, as white noise through a filter.

    root: amplitudes (rows, columns / 2 + 1) of the filter on the padded plane; padded: its shape.
    """

    shape: tuple[int, int]
    padded: tuple[int, int]
    root: NDArray[np.floating[Any]]

    def __call__(self, white: NDArray[Precision]) -> NDArray[Precision]:
        """Field (ny, nx) of white noise on the padded plane."""
        rows, columns = self.shape
        made: NDArray[Precision] = fft.irfft2(fft.rfft2(white) * self.root, s=self.padded)[:rows, :columns]
        return made

    def adjoint(self, image: NDArray[Precision]) -> NDArray[Precision]:
        """Transpose of the same, from (ny, nx) to the padded plane."""
        made: NDArray[Precision] = fft.irfft2(fft.rfft2(image, s=self.padded) * self.root, s=self.padded)
        return made

    def solve(
        self, normal: NDArray[Precision], right: NDArray[Precision], white: NDArray[Precision], steps: int
    ) -> NDArray[Precision]:
        """White noise of (1 + F^T n F) white = right, by conjugate gradients from a start."""

        def image(values: NDArray[Precision]) -> NDArray[Precision]:
            made: NDArray[Precision] = values + self.adjoint(normal * self(values))
            return made

        white, residual = white.copy(), right - image(white)
        direction, power = residual.copy(), float(np.vdot(residual, residual))
        enough = 1e-8 * float(np.vdot(right, right))
        for _ in range(steps):
            if power <= enough:
                break
            moved = image(direction)
            step = power / float(np.vdot(direction, moved))
            white += step * direction
            residual -= step * moved
            after = float(np.vdot(residual, residual))
            direction *= after / power
            direction += residual
            power = after
        return white


def field(shape: tuple[int, int], steps: tuple[float, float], gram: Floats, finest: float) -> Field:
    """Field of variance 1 whose finest fringes are `finest` apart: its waves belong to distances up to 1 / finest.

    Their power falls as the number of pairs of points of a disc so far apart. steps: of a pixel along y and x; gram:
    (2, 2) scalar products of the units of x and y, so that lengths are those of reciprocal space.
    """
    # Room for one fringe, so that opposite edges do not touch.
    room = [finest / np.sqrt(gram[i, i]) / step for i, step in zip((1, 0), steps, strict=True)]
    rows, columns = (fft.next_fast_len(n + int(min(extra, n)), real=True) for n, extra in zip(shape, room, strict=True))
    y, x = fft.fftfreq(rows, steps[0])[:, None], fft.fftfreq(columns, steps[1])[None, :]
    inverse = np.linalg.inv(gram)
    length = np.sqrt(np.clip(inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y**2, 0.0, None))
    t = np.clip(length * finest, 0.0, 1.0)
    power = np.arccos(t) - t * np.sqrt(1 - t**2)
    root = np.sqrt(power / power.sum() * rows * columns)
    return Field(shape, (rows, columns), root[:, : columns // 2 + 1])


@dataclass(frozen=True)
class SmoothForm:
    """I_FF = first + around * field: a first one, smoothed, and what the data add in units of its neighbourhood.

    first, around: (ny, nx); block: pixels along an edge that are averaged for the field.
    """

    first: Floats
    around: Floats
    field: Field
    block: int

    def fit(self, intensity: Floats, weight: Floats, ordered: Floats, white: Floats | None) -> tuple[Floats, Floats]:
        """I_FF that explains I = I_FF I_SRO in weighted least squares, and the white noise behind it to go on from.

        intensity, weight, ordered: (ny, nx), weight one over the variance of a pixel, 0 where not measured.
        """
        slope = ordered * self.around
        left, normal = (
            _block_sums(image, self.block)
            for image in (weight * slope * (intensity - ordered * self.first), weight * slope**2)
        )
        start = np.zeros(self.field.padded) if white is None else white
        white = self.field.solve(SPREAD**2 * normal, self.field.adjoint(SPREAD * left), start, STEPS)
        made = spread_blocks(SPREAD * self.field(white), self.block, self.first.shape)
        return np.maximum(self.first + self.around * made, 1e-4 * self.first.max()), white


def smooth_form(
    first: Floats, cell: tuple[float, float], steps: tuple[float, float], gram: Floats, finest: float
) -> SmoothForm:
    """Prepare I_FF near a first one, with fringes no finer than `finest` in the units of the gram matrix.

    cell: widths of a reciprocal cell along x and y, for the neighbourhood; steps: of a pixel along y and x.
    """
    pixels = np.array([finest / np.sqrt(gram[i, i]) / step for i, step in zip((1, 0), steps, strict=True)])
    # As wide as a cell, so that it holds nothing of I_SRO, but not wider than fringes can be.
    wide = [min(0.6 * width / step, 0.16 * n) for width, step, n in zip(cell[::-1], steps, first.shape, strict=True)]
    around = smooth_plane(first, wide, "reflect") + 1e-3 * first.max()
    smoothed = around * smooth_plane(first / around, (BLUR * pixels).tolist(), "reflect")
    block = max(1, int(pixels.min() / PIXELS))
    rows, columns = (-(-n // block) for n in first.shape)
    made = field((rows, columns), (steps[0] * block, steps[1] * block), gram, finest)
    return SmoothForm(smoothed, around, made, block)


def _block_sums(image: Floats, block: int) -> Floats:
    """Sums over squares of pixels; the last ones may be cut."""
    if block == 1:
        return image
    rows, columns = (np.arange(0, n, block) for n in image.shape)
    return np.asarray(np.add.reduceat(np.add.reduceat(image, rows, axis=0), columns, axis=1))
