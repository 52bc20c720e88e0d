"""I_SRO given I_FF and I_FF given I_SRO, in turn: one repeats exactly, the other is no finer than a molecule makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.factorize.asking import Answer, scale_factor
from unscatter.diffuse.factorize.canvas import spread_blocks
from unscatter.diffuse.factorize.folding import Grid, fit_order
from unscatter.diffuse.factorize.lattice.spectrum import average_blocks
from unscatter.diffuse.factorize.smooth_form import SmoothForm, smooth_form
from unscatter.nouns.arrays import Floats, Mask

#: Rounds of I_SRO given I_FF and I_FF given I_SRO: to choose how fine I_FF may be, and in the end.
TRIAL_ROUNDS, ROUNDS = 2, 5
#: I_SRO below which I_FF is not divided out of the data.
LEAST_ORDER = 0.02
#: Pixels of which the median residual is taken, at least.
ENOUGH = 250_000
#: A residual of so many spreads halves the weight of a pixel.
TRUST = 4.0
#: Share of its model by which a pixel may be wrong besides its noise.
MODEL_ERROR = 0.03
#: Finest fringes of I_FF that are tried, as shares of the longer edge of the plane.
FINEST = (0.31, 0.22, 0.155, 0.11, 0.078, 0.055)
#: The smoothest I_FF is taken whose relative residual on hidden pixels is at most so many times the least, and so much
#: more: a rigid one lies nearer to the truth than its trial, which has not come to rest, can show. A trial this far
#: above it ends the search.
NOT_WORSE, UNRESTED, HOPELESS = 1.05, 0.03, 0.1
#: Pixels along an edge of the plane on which fringes are chosen, squares hidden along it, and pixels of a period.
CHOICE_PIXELS, SQUARES, LEAST_PERIOD = 128, 6, 6
#: Pixels along an edge beyond which the factors are fitted to averages, and pixels of a period that hold all harmonics.
MOST_PIXELS, FINE_PERIOD = 512, 27


def combine_with_fold(intensity: Floats, measured: NDArray[np.bool_], grid: Grid, answer: Answer) -> Answer:
    """Fit a periodic I_SRO, nowhere negative and of mean 1 over a cell, and an I_FF that carries the scale.

    intensity: (ny, nx), any finite value where not measured. The network's I_FF is followed in gaps, and by as much as
    the data do not say otherwise.
    """
    finest = _choose_finest(intensity, measured, grid, answer)
    block = int(min(max(intensity.shape) // MOST_PIXELS, grid.shortest // FINE_PERIOD))
    if block < 2:
        return _alternate(intensity, measured, grid, answer, finest, ROUNDS)
    made = _alternate(*_averaged(intensity, measured, grid, answer, block), finest, ROUNDS)
    form, ordered = (
        np.clip(spread_blocks(part, block, intensity.shape), 0.0, None)
        for part in (made.form_factor, made.short_range_order)
    )
    seen = measured.astype(np.float64)
    ordered = fit_order(intensity, seen * pixel_trust(intensity, form * ordered, measured), form, ordered, grid)
    return Answer(form * scale_factor(intensity, form * ordered, seen), ordered)


def _averaged(
    intensity: Floats, measured: Mask, grid: Grid, answer: Answer, block: int
) -> tuple[Floats, Mask, Grid, Answer]:
    """Plane, mask, grid and factors with squares of so many pixels as one."""
    values = average_blocks(np.where(measured, intensity, np.nan), block)
    seen = np.isfinite(values)
    first = Answer(average_blocks(answer.form_factor, block), average_blocks(answer.short_range_order, block))
    x, y = (axis[: len(axis) // block * block].reshape(-1, block).mean(axis=1) for axis in (grid.x, grid.y))
    return np.where(seen, values, 0.0), seen, replace(grid, x=x, y=y), first


def _alternate(intensity: Floats, measured: Mask, grid: Grid, answer: Answer, finest: float, rounds: int) -> Answer:
    """Factors with I_FF of fringes no finer than a share of the plane."""
    seen = measured.astype(np.float64)
    form, ordered = answer.form_factor, answer.short_range_order
    series: SmoothForm = smooth_form(form, grid.lattice.window, grid.steps, grid.gram, finest * grid.edge)
    white: Floats | None = None
    for _ in range(rounds):
        trusted = seen * pixel_trust(intensity, form * ordered, measured)
        ordered = fit_order(intensity, trusted, form, ordered, grid)
        trusted = seen * pixel_trust(intensity, form * ordered, measured)
        model = form * np.maximum(ordered, LEAST_ORDER) + 1e-3 * float(form.max())
        weight = trusted / pixel_variance(intensity, form * ordered, model, measured)
        form, white = series.fit(intensity, weight, ordered, white)
    return Answer(form * scale_factor(intensity, form * ordered, seen), ordered)


def pixel_variance(intensity: Floats, made: Floats, model: Floats, measured: Mask) -> Floats:
    """Of each pixel: counting, scaled to the median residual, and what the model does not know."""
    counting = (1.4826 * float(np.median((np.abs(intensity - made) / np.sqrt(model))[measured]))) ** 2
    return np.asarray(counting * model + (MODEL_ERROR * model) ** 2)


def pixel_trust(intensity: Floats, model: Floats, measured: Mask, trust: float = TRUST) -> Floats:
    """Weight of each pixel, near 1 within the scatter of the rest and small far outside: Bragg residue, hot pixels.

    Cauchy's weight. The spread has two parts: one grows as the root of the model, as counting does, with a factor
    taken from the median residual; the other is a tenth of the model, for what the model itself does not know.
    trust: spreads that halve the weight.
    """
    largest = float(model.max())
    off = intensity - model
    # A median of so many is as good as that of all.
    every = max(1, int((model.size / ENOUGH) ** 0.5))
    few = np.s_[::every, ::every]
    root = np.sqrt(model[few] + 1e-3 * largest)
    seen = measured[few] if measured[few].any() else np.ones_like(measured[few])
    counting = 1.4826 * float(np.median(np.abs(off[few] / root)[seen]))
    # spread^2 = (counting root)^2 + (0.1 model)^2, and a little
    spread = 0.01 * model
    spread += counting**2
    spread *= model
    spread += 1e-3 * largest * counting**2 + (1e-12 * largest) ** 2
    off *= off
    off /= trust**2 * spread
    off += 1
    return np.asarray(np.reciprocal(off, out=off))


def _choose_finest(intensity: Floats, measured: Mask, grid: Grid, answer: Answer) -> float:
    """Share of the plane below which I_FF has no fringes: the smoothest that still predicts hidden pixels."""
    residuals, _ = _trials(intensity, measured, grid, answer, SQUARES)
    best = min(residuals.values(), default=0.0)
    return max((f for f, residual in residuals.items() if residual <= NOT_WORSE * best + UNRESTED), default=FINEST[0])


def hidden_residual(intensity: Floats, measured: Mask, grid: Grid, answer: Answer, squares: int) -> tuple[float, int]:
    """Least relative residual of hidden squares with both factors fitted, and pixels along an edge averaged for it.

    squares: along an edge of the plane; a third of all is hidden. The residual is 1 where none can be hidden.
    """
    residuals, block = _trials(intensity, measured, grid, answer, squares)
    return min(residuals.values(), default=1.0), block


def _trials(
    intensity: Floats, measured: Mask, grid: Grid, answer: Answer, squares: int
) -> tuple[dict[float, float], int]:
    """Relative residual of hidden squares for each fineness of I_FF that is worth a trial, and pixels averaged."""
    block = int(max(1, min(max(intensity.shape) // CHOICE_PIXELS, grid.shortest // LEAST_PERIOD)))
    values, seen, coarse, first = _averaged(intensity, measured, grid, answer, block)
    hidden = seen & _squares(seen.shape, squares)
    shown = seen & ~hidden
    residuals: dict[float, float] = {}
    if not hidden.any() or not shown.any():
        return residuals, block
    for finest in reversed(FINEST):
        made = _alternate(values, shown, coarse, first, finest, TRIAL_ROUNDS)
        left = np.abs(values - made.form_factor * made.short_range_order)[hidden].sum()
        residuals[finest] = float(left / max(float(np.abs(values)[hidden].sum()), 1e-30))
        if residuals[finest] > NOT_WORSE * min(residuals.values()) + HOPELESS:
            break
    return residuals, block


def _squares(shape: tuple[int, ...], squares: int) -> Mask:
    """A third of the squares of a plane, the same every time, (ny, nx)."""
    drawn = np.random.default_rng(0).random((squares, squares)) < 1 / 3
    rows, columns = (np.arange(n) * squares // n for n in shape)
    return np.asarray(drawn[rows[:, None], columns])
