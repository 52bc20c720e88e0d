"""Find the periods of I_SRO in a plane whose cell nobody gave: the lattice read off the picture itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.factorize.alternation import hidden_residual
from unscatter.diffuse.factorize.asking import Answer
from unscatter.diffuse.factorize.canvas import Canvas
from unscatter.diffuse.factorize.folding import Grid
from unscatter.diffuse.factorize.lattice.candidates import Candidate, best_candidates, hermite_forms, reduce
from unscatter.diffuse.factorize.lattice.one_direction import refine_wave, with_streaks
from unscatter.diffuse.factorize.lattice.polishing import polish
from unscatter.diffuse.factorize.lattice.refinement import refine_lattice, whiten
from unscatter.diffuse.factorize.lattice.spectrum import (
    LARGEST_EDGE,
    average_blocks,
    averaging_factor,
    flatten,
    log_spectrum,
)
from unscatter.diffuse.factorize.lattice.weighing import (
    BLOCK,
    held_out_residual,
    noise_residual,
    same_periods,
    weights_of,
)
from unscatter.diffuse.plane.fold import PlaneLattice
from unscatter.nouns.arrays import Floats
from unscatter.nouns.found_lattice import LEAST_EVIDENCE, FoundLattice, LatticeCandidate

#: Lattices that are weighed against each other.
WEIGHED = 8
#: log weight by the spectrum alone, against the best, below which a lattice is not weighed.
HOPELESS = -12.0
#: Weight below which a lattice is forgotten.
LEAST_WEIGHT = 0.02
#: Weight above which the last digits of a lattice matter.
WORTH_POLISHING = 0.2
#: Pixels of the canvas along the shortest period, at least, where lattices are weighed.
FINEST = 6.0
#: Shares of a cell that are tried as the cell, for periods of so many pixels of the canvas at least; a shorter period
#: is taken where it predicts as well, but for what chance gives to one that has more waves, or nearly so before its
#: last digits are known.
SHORTER = (2, 3)
SHORTEST = 5.0
AS_WELL, NEARLY = 1.004, 1.04


@dataclass(frozen=True)
class Suggestion:
    """A lattice that a spectrum speaks for, refined: translations in pixels of the whole plane."""

    lattice: PlaneLattice
    evidence: float


def find_plane_lattice(
    intensity: Floats, blind: Answer, pixel: tuple[float, float] | None = None
) -> FoundLattice | None:
    """Lattices of a plane alone, weighed; None where its spectrum holds nothing above noise.

    intensity: (ny, nx), NaN where not measured, any scale; blind: what the network says without a
    lattice, I_FF in the same units; pixel: edges of a pixel in 1/Angstrom, passed on.
    Periods from 6 pixels to a third of the plane, any angle between them and to the axes. A form factor that itself
    nearly repeats over the whole plane, as of flat molecules with one bond length, can be taken for a lattice.
    """
    suggestions = suggest_lattices(intensity, blind.form_factor)
    if not suggestions or suggestions[0].evidence < LEAST_EVIDENCE:
        return None
    return FoundLattice(weigh_lattices(intensity, suggestions, blind), pixel=pixel)


def suggest_lattices(intensity: Floats, form_factor: Floats) -> list[Suggestion]:
    """Lattices by their evidence in the spectrum, best first.

    A large plane is looked at twice: averaged to LARGEST_EDGE pixels, and for short periods at its brightest part.
    """
    factor = averaging_factor(intensity.shape)
    found = _suggest(average_blocks(intensity, factor), average_blocks(form_factor, factor), factor)
    if factor > 1:
        part = brightest_part(intensity)
        found += _suggest(intensity[part], form_factor[part], 1)
    return sorted(found, key=lambda suggestion: -suggestion.evidence)[:WEIGHED]


def _suggest(intensity: Floats, form_factor: Floats, factor: int) -> list[Suggestion]:
    measured = np.isfinite(intensity)
    flat = flatten(intensity, measured, form_factor)
    if not np.any(flat.weight * np.where(measured, intensity, 0.0) > 0):
        return []
    spectrum = log_spectrum(flat)
    candidates = _worth_weighing(best_candidates(spectrum, WEIGHED))
    white = whiten(flat)
    lattices = [refine_lattice(white, candidate.basis / spectrum.size) for candidate in candidates]
    return [
        Suggestion(PlaneLattice(factor * lattice.translations, None), candidate.evidence)
        for candidate, lattice in zip(candidates, lattices, strict=True)
        if lattice is not None
    ]


def _worth_weighing(candidates: list[Candidate]) -> list[Candidate]:
    """Those that the spectrum does not rule out."""
    if not candidates:
        return []
    best = candidates[0].evidence
    return [c for c in candidates if (c.evidence - best) / (0.5 + 0.05 * max(best, 0.0)) > HOPELESS]


def brightest_part(intensity: Floats) -> tuple[slice, slice]:
    """The square of LARGEST_EDGE pixels that holds most intensity."""
    seen = np.where(np.isfinite(intensity), intensity, 0.0)
    sums = np.pad(seen.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    rows, columns = (min(LARGEST_EDGE, n) for n in intensity.shape)
    total = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    j, i = np.unravel_index(int(np.argmax(total)), total.shape)
    return slice(int(j), int(j) + rows), slice(int(i), int(i) + columns)


def weigh_lattices(
    intensity: Floats, suggestions: list[Suggestion], blind: Answer, pixels: int = 256
) -> tuple[LatticeCandidate, ...]:
    """Weigh lattices by their spectra and by what they predict of hidden pixels; most believed first, of sum 1."""
    shortest = min(float(np.linalg.norm(s.lattice.translations, axis=1).min()) for s in suggestions)
    canvas = _weighing_canvas(intensity, shortest, pixels)
    painted, seen = canvas.paint(intensity)
    on_canvas = Answer(*(canvas.paint(plane)[0] for plane in (blind.form_factor, blind.short_range_order)))
    hidden = HiddenPixels(painted, seen > 0, on_canvas, canvas)
    residuals = [hidden.residual(suggestion.lattice.translations) for suggestion in suggestions]
    translations = [s.lattice.translations for s in suggestions]
    noise = noise_residual(painted, seen > 0)
    weights = weights_of([s.evidence for s in suggestions], residuals, translations, noise)
    ranked = [
        LatticeCandidate(s.lattice.translations, float(w), s.evidence, h)
        for s, w, h in zip(suggestions, weights, residuals, strict=True)
        if w >= LEAST_WEIGHT
    ]
    kept = _joined([shorten(candidate, hidden) for candidate in sorted(ranked, key=lambda each: -each.weight)])
    # Only of those that will count the last digits matter.
    polished = [hidden.polish(each) if each.weight > WORTH_POLISHING else each for each in kept]
    kept = [each for each in _joined(with_streaks(polished, hidden, noise)) if each.weight >= LEAST_WEIGHT]
    total = sum(candidate.weight for candidate in kept)
    return tuple(replace(candidate, weight=candidate.weight / total) for candidate in kept)


@dataclass(frozen=True)
class HiddenPixels:
    """A plane on a canvas, of which parts are hidden in turn, and what lattices predict of them."""

    intensity: Floats
    measured: NDArray[np.bool_]
    blind: Answer
    canvas: Canvas

    def residual(self, translations: Floats, one_dimensional: bool = False) -> float:
        """Relative residual of hidden pixels with a lattice of translations (2, 2), I_FF as it is without."""
        return held_out_residual(self.intensity, self.measured, self.blind, self._grid(translations, one_dimensional))

    def fitted_residual(self, translations: Floats, one_dimensional: bool = False) -> tuple[float, int]:
        """The same with I_FF fitted too, on means over so many pixels along either edge."""
        grid = self._grid(translations, one_dimensional)
        return hidden_residual(self.intensity, self.measured, grid, self.blind, len(self.intensity) // BLOCK)

    def polish(self, candidate: LatticeCandidate) -> LatticeCandidate:
        """The lattice nearby that predicts hidden pixels best."""
        grid = self._grid(candidate.translations)
        translations = polish(self.intensity, self.measured, self.blind, grid).translations
        return replace(candidate, translations=translations, residual=self.residual(translations))

    def period(self, frequency: Floats) -> Floats | None:
        """The wave (2,) nearby that explains most of I / I_FF as streaks; None where there is none."""
        grid = self._grid(np.eye(2))
        return refine_wave(self.intensity, self.measured, self.blind, grid, frequency)

    def _grid(self, translations: Floats, one_dimensional: bool = False) -> Grid:
        return Grid(self.canvas.x, self.canvas.y, PlaneLattice(translations, None, one_dimensional))


def shorten(candidate: LatticeCandidate, hidden: HiddenPixels) -> LatticeCandidate:
    """The lattice of shortest periods that predicts hidden pixels as well.

    Of several periods the spectrum may take the second or third for the first, where a form factor has waves of its
    own; what a third of a period is wrong by, the period is wrong by three times.
    """
    for index in SHORTER:
        for step in hermite_forms(index):
            shorter = reduce(*np.linalg.solve(step.astype(np.float64), candidate.translations))
            if shorter is None or float(np.linalg.norm(shorter, axis=1).min()) < SHORTEST:
                continue
            residual = hidden.residual(shorter)
            tried = replace(candidate, translations=shorter, residual=residual)
            if AS_WELL < residual / candidate.residual < NEARLY:
                tried = hidden.polish(tried)
            if tried.residual < AS_WELL * candidate.residual:
                return shorten(tried, hidden)
    return candidate


def _joined(candidates: list[LatticeCandidate]) -> list[LatticeCandidate]:
    """Candidates that have become one lattice, with their weights together, most believed first."""
    kept: list[LatticeCandidate] = []
    for candidate in candidates:
        same = next((k for k, one in enumerate(kept) if _alike(one, candidate)), None)
        if same is None:
            kept.append(candidate)
        else:
            kept[same] = replace(kept[same], weight=kept[same].weight + candidate.weight)
    return sorted(kept, key=lambda candidate: -candidate.weight)


def _alike(one: LatticeCandidate, other: LatticeCandidate) -> bool:
    return one.one_dimensional == other.one_dimensional and same_periods(one.translations, other.translations)


def _weighing_canvas(intensity: Floats, shortest: float, pixels: int) -> Canvas:
    """The whole plane on one canvas, or its brightest part where the canvas would be too coarse for a period."""
    rows, columns = intensity.shape
    whole = (max(rows, columns) - 1) / 2
    half = min(whole, max(pixels / 2 * shortest / FINEST, min(whole, pixels / 2)))
    centre = ((columns - 1) / 2, (rows - 1) / 2)
    if half < whole:
        seen = np.where(np.isfinite(intensity), intensity, 0.0)
        place = [float(np.average(np.arange(n), weights=seen.sum(axis=1 - axis))) for axis, n in enumerate(seen.shape)]
        y, x = (
            float(np.clip(p, min(half, (n - 1) / 2), max(n - 1 - half, (n - 1) / 2)))
            for p, n in zip(place, seen.shape, strict=True)
        )
        centre = (x, y)
    return Canvas(centre, half, pixels, np.eye(2, 3))
