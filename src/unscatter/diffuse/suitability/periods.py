"""Does the picture agree with the lattice that was given, or does it prefer another period?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unscatter.diffuse.factorize.asking import Answer
from unscatter.diffuse.factorize.folding import Grid
from unscatter.diffuse.factorize.lattice.candidates import candidate_of, hermite_forms, reduce, same_lattice
from unscatter.diffuse.factorize.lattice.search import brightest_part
from unscatter.diffuse.factorize.lattice.spectrum import Spectrum, average_blocks, flatten, log_spectrum
from unscatter.diffuse.factorize.lattice.weighing import IDLE, LEAST_RESIDUAL, PARSIMONY, SHARPNESS, held_out_residual
from unscatter.diffuse.plane.fold import PlaneLattice, local_mean
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding
from unscatter.nouns.plane import PlaneAxes

#: Index of the sub- and superlattices that the given one is compared with.
INDICES = (2, 3)
#: Pixels along an edge that are enough, and those that a translation keeps when a plane is averaged.
ENOUGH_PIXELS, KEPT_PIXELS = 256, 12
#: Log weight of a lattice that says nothing more than the given one.
IDLE_WEIGHT = -99.0
#: Evidence of the best lattice below which nothing is decided: twice what noise reaches.
CLEAR_EVIDENCE = 8.0
#: Longest translation of a longer lattice, as a share of the plane: over fewer cells I_FF passes for order.
LONGEST_SHARE = 0.25
#: Bins of a spectrum in which two lattices are told apart.
FINE = 1000.0
#: Width of the mean that stands for I_FF, in given cells: I_SRO of twice or half the period averages out of it too.
WIDTH = 2


@dataclass(frozen=True)
class Rival:
    """A lattice beside the given one: translations (2, 2) in pixels as looked at, and what the picture says of it.

    kind: "given", "longer" (its translations are whole multiples), "shorter" (fractions) or "swapped"; evidence: of the
    spectrum; residual: of hidden pixels.
    """

    kind: str
    translations: Floats
    evidence: float
    residual: float


@dataclass(frozen=True)
class View:
    """A picture (ny, nx), NaN where not measured, its I_FF, and the spectrum of their ratio."""

    picture: Floats
    form_factor: Floats
    spectrum: Spectrum

    @classmethod
    def over(cls, picture: Floats, form: Floats) -> View:
        """Look at a picture over an I_FF."""
        form = np.clip(form, 1e-3 * float(form.max()), None)
        return cls(picture, form, log_spectrum(flatten(picture, np.isfinite(picture), form)))

    def weigh(self, kind: str, translations: Floats) -> Rival | None:
        """What speaks for a lattice; None beyond the periods that the spectrum shows."""
        basis = reduce(*np.linalg.inv(translations).T * self.spectrum.size)
        if basis is None:
            return None
        lengths = np.linalg.norm(basis, axis=1)
        if lengths.min() < self.spectrum.lowest or lengths.max() > self.spectrum.highest:
            return None
        seen = np.isfinite(self.picture)
        y, x = (np.arange(n, dtype=np.float64) for n in self.picture.shape)
        blind = Answer(self.form_factor, np.ones_like(self.form_factor))
        grid = Grid(x, y, PlaneLattice(translations, None))
        residual = held_out_residual(np.where(seen, self.picture, 0.0), seen, blind, grid)
        return Rival(kind, translations, candidate_of(self.spectrum, basis).evidence, residual)


def find_other_period(
    components: Components, axes: PlaneAxes, lattice: PlaneLattice, limits: tuple[float, float]
) -> Finding:
    """Is another lattice believed more than the given one: a multiple or part of it, or that with the axes swapped?

    The number is the log weight of the best of them over that of the given one, as of lattices found in pictures:
    ln w = g / (0.5 + 0.05 g_max) - 20 ln h - ln A of the evidence g in the spectrum of I / I_FF, the residual h of
    pixels that were hidden, and the area A of a cell. I_FF is a mean around each pixel, that knows no lattice. Fringes
    of I_FF can pass for order of longer translations: these must be ahead over the I_FF of the result too.
    """
    steps = np.array([axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]])
    given = lattice.translations / steps
    picture, form, factor = _picture(components, given)
    rivals = _weigh(picture, given / factor)
    if len(rivals) < 2:
        why = "needs translations of 6 pixels or more, and of a third of the plane or less"
        return Finding.untested("lattice", limits, why)
    clear = max(rival.evidence for rival in rivals) >= CLEAR_EVIDENCE
    ahead = np.array([_log_weight(rival, rivals[0], rivals) for rival in rivals[1:]])
    if clear:
        known = View.over(picture, form)
        for place in np.flatnonzero(ahead >= limits[0]):
            ahead[place] = min(ahead[place], _second_opinion(rivals[1 + place], rivals[0], known))
    best = int(np.argmax(ahead))
    if not clear:
        words = "periods hardly stand out in the picture: it says nothing against the given lattice"
        return Finding("lattice", min(float(ahead[best]), 0.0), *limits, words)
    words = "the picture prefers no multiple or part of the given periods, nor swapped axes"
    if ahead[best] >= limits[0]:
        words = _words(rivals[1 + best], factor, given, lattice, axes)
    return Finding("lattice", float(ahead[best]), *limits, words)


def _words(rival: Rival, factor: int, given: Floats, lattice: PlaneLattice, axes: PlaneAxes) -> str:
    """Which periods the picture prefers, as multiples of the given axes and in pixels, and what that may mean."""
    preferred = factor * rival.translations
    hkl = lattice.translations @ np.stack([axes.u, axes.v])
    multiples = np.linalg.solve(given.T, preferred.T).T @ hkl
    ratio = abs(float(np.linalg.det(preferred) / np.linalg.det(given)))
    meaning = {
        "longer": f"order needs only a cell {ratio:.0f} times smaller: a wrong cell, or a centred one",
        "shorter": f"order needs a cell {1 / ratio:.0f} times larger: a superstructure, or a wrong cell",
        "swapped": "the lattice with its axes swapped",
    }[rival.kind]
    return f"the picture repeats by {_name(multiples, preferred)}, not by {_name(hkl, given)}; {meaning}"


def _name(hkl: Floats, translations: Floats) -> str:
    """Two translations in reciprocal-lattice units and their lengths in pixels."""
    first, second = ("(" + " ".join(f"{c + 0.0:.3g}" for c in np.round(row, 6)) + ")" for row in hkl)
    a, b = np.linalg.norm(translations, axis=1)
    return f"{first} and {second}, {a:.1f} and {b:.1f} pixels"


def _picture(components: Components, given: Floats) -> tuple[Floats, Floats, int]:
    """The plane with NaN where not measured and I_FF, averaged as far as the lattice allows, and by how many pixels."""
    intensity = np.where(components.plane.measured, components.plane.intensity, np.nan)
    shortest = float(np.linalg.norm(given, axis=1).min())
    factor = max(min(math.ceil(max(intensity.shape) / ENOUGH_PIXELS), int(shortest / KEPT_PIXELS)), 1)
    averaged = average_blocks(intensity, factor)
    part = brightest_part(averaged)
    return averaged[part], average_blocks(components.form_factor, factor)[part], factor


def _weigh(picture: Floats, given: Floats) -> list[Rival]:
    """The given lattice first, then all others within reach of the picture; none where the given one is not."""
    seen = np.isfinite(picture)
    if not np.any(seen) or np.nansum(picture) <= 0:
        return []
    y, x = (np.arange(n, dtype=np.float64) for n in picture.shape)
    width = PlaneLattice(given, None).window
    mean = local_mean(np.where(seen, picture, 0.0), seen.astype(np.float64), x, y, WIDTH * width[0], WIDTH * width[1])
    view = View.over(picture, mean)
    longest = LONGEST_SHARE * max(picture.shape)
    near = (each for each in _lattices(given) if each[0] != "longer" or np.linalg.norm(each[1], axis=1).max() < longest)
    weighed = (view.weigh(kind, translations) for kind, translations in near)
    rivals = [rival for rival in weighed if rival is not None]
    return rivals if rivals and rivals[0].kind == "given" else []


def _lattices(given: Floats) -> Iterator[tuple[str, Floats]]:
    """The given translations, whole multiples and fractions of small index, and those with x and y swapped."""
    yield "given", given
    for index in INDICES:
        for step in hermite_forms(index):
            for kind, matrix in (("longer", step), ("shorter", np.linalg.inv(step).T)):
                translations = reduce(*(matrix @ given))
                if translations is not None:
                    yield kind, translations
    swapped = given[:, ::-1]
    if not same_lattice(*(np.asarray(PlaneLattice(each, None).frequencies * FINE) for each in (swapped, given))):
        yield "swapped", swapped


def _second_opinion(rival: Rival, given: Rival, known: View) -> float:
    """Log weight of a longer lattice over the I_FF of the result; no limit for others."""
    if rival.kind != "longer":
        return math.inf
    pair = [known.weigh(each.kind, each.translations) for each in (given, rival)]
    both = [each for each in pair if each is not None]
    return _log_weight(both[1], both[0], both, idle=math.inf) if len(both) == 2 else math.inf


def _log_weight(rival: Rival, given: Rival, rivals: list[Rival], idle: float = IDLE) -> float:
    """Log weight over that of the given lattice; a longer one holds all its waves and must predict better."""
    if rival.kind == "longer" and rival.residual > idle * given.residual:
        return IDLE_WEIGHT
    area, area_given = (abs(float(np.linalg.det(each.translations))) for each in (rival, given))
    return (
        (rival.evidence - given.evidence) / (0.5 + 0.05 * max(each.evidence for each in rivals))
        + SHARPNESS * math.log((given.residual + LEAST_RESIDUAL) / (rival.residual + LEAST_RESIDUAL))
        + PARSIMONY * math.log(area_given / area)
    )
