"""A lattice found in a picture that nobody described, with its rivals and how far to believe it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane, PlaneAxes

#: Evidence below which there is nothing to go by, from which a lattice is likely, and from which it is sure.
LEAST_EVIDENCE, LIKELY_EVIDENCE, SURE_EVIDENCE = 4.0, 12.0, 20.0
#: Weight from which one lattice stands alone.
ALONE = 0.9
#: Height of the cell along the normal of a picture, in Angstrom: nothing in a picture tells it.
UNKNOWN_HEIGHT = 10.0


@dataclass(frozen=True)
class LatticeCandidate:
    """One lattice that may be behind a picture.

    translations: (2, 2), two shortest periods of I_SRO in pixels, rows (x along columns, y along rows); weight: among
    all candidates, 0 to 1; evidence: of the spikes in the spectrum (noise reaches 4, clear cases 20 to 200);
    residual: relative residual of pixels that were hidden and predicted; one_dimensional: I_SRO repeats along the
    first translation and is constant along the second, which the picture does not determine: it stands for any.
    """

    translations: NDArray[np.float64]
    weight: float
    evidence: float
    residual: float
    one_dimensional: bool = False

    def __post_init__(self) -> None:
        """Keep the translations as an array."""
        object.__setattr__(self, "translations", np.asarray(self.translations, dtype=np.float64))

    @property
    def angle(self) -> float:
        """Angle between the two translations in degrees."""
        a, b = self.translations
        return math.degrees(math.acos(float(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1.0, 1.0))))


@dataclass(frozen=True)
class FoundLattice:
    """The lattices that may be behind a picture, most believed first, and the point about which I_SRO is centred.

    centre: (x, y) in
    pixels of a centre of inversion near the middle of the picture, None where there is none; pixel: edge of a pixel in
    1/Angstrom along x and y (Q includes 2 pi), None where not known.
    """

    candidates: tuple[LatticeCandidate, ...]
    centre: tuple[float, float] | None = None
    pixel: tuple[float, float] | None = None

    @property
    def translations(self) -> NDArray[np.float64]:
        """Periods of the most believed lattice in pixels, (2, 2)."""
        return self.candidates[0].translations

    @property
    def one_dimensional(self) -> bool:
        """Whether the most believed has order along one direction only: streaks."""
        return self.candidates[0].one_dimensional

    @property
    def alone(self) -> bool:
        """Whether one lattice is believed so much more than the others that it is taken alone."""
        return self.candidates[0].weight > ALONE

    @property
    def confidence(self) -> str:
        """How far to believe the first: "sure", "likely" or "uncertain"."""
        best = self.candidates[0]
        if self.alone and best.evidence >= SURE_EVIDENCE:
            return "sure"
        return "likely" if self.alone and best.evidence >= LIKELY_EVIDENCE else "uncertain"

    def rows(self) -> tuple[tuple[str, str], ...]:
        """How sure it is, and the periods in pixels, in 1/Angstrom too where a pixel has a size: names and words."""
        a, b = self.translations
        sure = "" if self.confidence == "sure" else ": check that this is the lattice"
        words = f"{_vector(a)} and {_vector(b)} pixels, {self.candidates[0].angle:.1f} deg apart"
        if self.one_dimensional:
            words = f"along one direction only: period {_vector(a)} pixels; the other axis is not determined"
        rows = [("lattice", f"found in the picture, {self.confidence}{sure}"), ("repeats", words)]
        if self.pixel is not None:
            lengths = np.linalg.norm(self.translations * np.array(self.pixel), axis=1)
            both = lengths[:1] if self.one_dimensional else lengths
            rows.append(("", f"{' and '.join(f'{length:.4g}' for length in both)} 1/Angstrom"))
        return tuple(rows)

    def describe(self) -> str:
        """The same in one line."""
        words = "; ".join(words for _, words in self.rows()[1:])
        every = "" if self.one_dimensional else "every "
        return f"found in the picture ({self.confidence}): I_SRO repeats {every}{words}"

    def index(self, plane: Plane) -> Plane:
        """The same pixels with axes and a cell that the found translations span.

        The origin is the centre, or the middle of the picture at a height without any symmetry where there is none.
        Where the size of a pixel is not known, the picture is taken to reach 8 1/Angstrom from its middle: lengths
        then mean nothing, ratios and angles do. The cell is UNKNOWN_HEIGHT high. Raises ValueError where the order
        runs along one direction only, which spans no cell.
        """
        if self.one_dimensional:
            raise ValueError(f"one direction spans no cell, give --cell and --axes; it was {self.describe()}")
        rows, columns = plane.intensity.shape
        centre = self.centre or ((columns - 1) / 2, (rows - 1) / 2)
        pixel = np.array(self.pixel or (16.0 / max(rows, columns),) * 2)
        u, v = (np.array([*row, 0.0]) for row in np.linalg.inv(self.translations))
        edges = 2 * np.pi * np.linalg.inv(self.translations * pixel).T
        a, b = np.linalg.norm(edges, axis=1)
        gamma = math.degrees(math.acos(float(np.clip(edges[0] @ edges[1] / (a * b), -1.0, 1.0))))
        height = 0.0 if self.centre is not None else 0.25
        axes = PlaneAxes(
            np.array([0.0, 0.0, height]), u, v, np.arange(columns) - centre[0], np.arange(rows) - centre[1]
        )
        return replace(plane, axes=axes, cell=Cell(float(a), float(b), UNKNOWN_HEIGHT, 90.0, 90.0, gamma))

    def record(self) -> dict[str, Any]:
        """Plain data for the provenance of a result."""
        return {
            "confidence": self.confidence,
            "centre": None if self.centre is None else [round(c, 3) for c in self.centre],
            "pixel": None if self.pixel is None else list(self.pixel),
            "candidates": [
                {
                    "translations": candidate.translations.round(4).tolist(),
                    "weight": round(candidate.weight, 4),
                    "evidence": round(candidate.evidence, 2),
                    "residual": float(f"{candidate.residual:.4g}"),
                    "one_dimensional": candidate.one_dimensional,
                }
                for candidate in self.candidates
            ],
        }


def found_lattice(record: Mapping[str, Any]) -> FoundLattice:
    """Read what `FoundLattice.record` wrote."""
    candidates = tuple(LatticeCandidate(**each) for each in record["candidates"])
    centre, pixel = (record.get(name) for name in ("centre", "pixel"))
    return FoundLattice(
        candidates,
        None if centre is None else (float(centre[0]), float(centre[1])),
        None if pixel is None else (float(pixel[0]), float(pixel[1])),
    )


def _vector(vector: NDArray[np.float64]) -> str:
    return f"({vector[0]:.1f}, {vector[1]:.1f})"
