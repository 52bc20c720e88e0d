"""Where a stored plane lies: axes turned and exchanged so that indices increase and the earlier one runs along x."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.planes.grids import GridAxis
from unscatter.nouns.plane import Plane, PlaneAxes

_Vector = NDArray[np.float64]


def place_plane(
    plane: Plane, axes: Sequence[GridAxis], fixed: Mapping[str, float], vectors: Mapping[str, Any] | None = None
) -> Plane:
    """Give a plane (ny, nx) its axes, in the order of the array: rows, columns.

    fixed: indices that do not run, by letter. vectors: origin, u, v where the file states them; they overrule names and
    keep columns and rows where they are. A plane whose directions are not known keeps no axes.
    """
    y, x = axes
    intensity = plane.intensity[:: -1 if y.descending else 1, :: -1 if x.descending else 1]
    given = {key: _vector(value) for key, value in (vectors or {}).items()}
    u, v = (
        (x.direction if given.get("u") is None else given["u"]),
        (y.direction if given.get("v") is None else given["v"]),
    )
    if u is None or v is None or np.linalg.norm(np.cross(u, v)) < 1e-9:
        return replace(plane, intensity=intensity, notes=(*plane.notes, *_unplaced(y.label, x.label)))
    if given.get("u") is None and given.get("v") is None and _letter(u) > _letter(v):
        intensity, x, y, u, v = intensity.T, y, x, v, u
    origin, notes = _origin(u, v, fixed, given.get("origin"))
    return replace(
        plane, intensity=intensity, axes=PlaneAxes(origin, u, v, x.increasing, y.increasing), notes=plane.notes + notes
    )


def _unplaced(rows: str, columns: str) -> tuple[str, ...]:
    """What is told of axes whose names are no directions of reciprocal space."""
    if not (re.fullmatch(r"[A-Za-z]\w*", rows) and re.fullmatch(r"[A-Za-z]\w*", columns)):
        return ()
    return (
        f"the axes {rows} and {columns} are not known as directions: where the pixels lie is not used (name them, for "
        f'example --axes "h={columns} k={rows} l=0")',
    )


def _vector(value: Any) -> _Vector | None:
    return None if value is None or np.size(value) != 3 else np.ravel(np.asarray(value, dtype=np.float64))


def _letter(direction: _Vector) -> int:
    """Which of h, k, l a direction lies closest to, the earlier in a tie."""
    return int(np.argmax(np.abs(direction)))


def _origin(
    u: _Vector, v: _Vector, fixed: Mapping[str, float], given: _Vector | None
) -> tuple[_Vector, tuple[str, ...]]:
    """A point of the plane: as stated, from the fixed indices, or at level 0, which is said."""
    if given is not None:
        return given, ()
    free = [letter for place, letter in enumerate("hkl") if abs(u[place]) < 1e-9 and abs(v[place]) < 1e-9]
    if not free:
        return np.zeros(3), (
            "where the plane lies is not in the file: through the origin was assumed (overrule with --axes "
            '"u=... v=... origin=...")',
        )
    level = np.array([fixed.get(letter, 0.0) if letter in free else 0.0 for letter in "hkl"])
    if free[0] in fixed:
        return level, ()
    return level, (f"{free[0]} is not in the file: {free[0]} = 0 was assumed (overrule with --axes {free[0]}=1)",)
