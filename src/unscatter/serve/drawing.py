"""What the page draws: planes and volumes as raw numbers with where their pixels lie, patterns with their lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.found_lattice import FoundLattice
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.nouns.ranking import Ranking
from unscatter.nouns.volume import Volume
from unscatter.powder.refine.predicted import predicted_angles

#: Pixels of a plane along its longer edge, and voxels of a volume, that are drawn; beyond, every n-th is left out.
LARGEST_IMAGE, LARGEST_VOLUME = 1024, 2**24
#: Layers of a volume that are read at once.
_BLOCK = 16


def plane_drawing(folder: Path, components: Components) -> dict[str, Any]:
    """Write the planes as raw float32, and tell where their pixels lie and which other lattices are believed."""
    plane = components.plane
    step = -(-max(plane.intensity.shape) // LARGEST_IMAGE)
    layers = {
        "I_D": plane.intensity,
        "I_FF": components.form_factor,
        "I_SRO": components.short_range_order,
        "product": components.product,
        "residual": components.residual,
    }
    for name, values in layers.items():
        (folder / f"{name}.f32").write_bytes(np.ascontiguousarray(values[::step, ::step], dtype="<f4").tobytes())
    x, y = (np.arange(n, dtype=float) for n in plane.intensity.shape[::-1])
    if plane.axes is not None:
        x, y = plane.axes.x, plane.axes.y
    labels = [" ".join((name, f"({unit})")) for name, unit in (plane.axis_label("x"), plane.axis_label("y"))]
    rows, columns = plane.intensity[::step, ::step].shape
    return {
        "names": list(layers),
        "rows": rows,
        "columns": columns,
        "step": step,
        "shape": list(plane.intensity.shape),
        "x": [float(x[0]), float(x[::step][-1])],
        "y": [float(y[0]), float(y[::step][-1])],
        "labels": labels,
        "place": _place(plane.axes, plane.cell),
        "lattices": _lattices(plane, components.found_lattice),
    }


def _place(axes: PlaneAxes | None, cell: Cell | None) -> dict[str, Any] | None:
    """What makes hkl of x and y, and a length 2 pi / d of hkl; None where no lattice is known."""
    if axes is None or cell is None:
        return None
    return {
        "origin": axes.origin.tolist(),
        "u": axes.u.tolist(),
        "v": axes.v.tolist(),
        "reciprocal": cell.reciprocal.tolist(),
    }


def _lattices(plane: Plane, found: FoundLattice | None) -> list[dict[str, Any]]:
    """The lattices that were found in a picture, each with the options that take the plane apart by it alone.

    Order along one direction only has no such options.
    """
    if found is None:
        return []
    listed = []
    for one in (each for each in found.candidates if not each.one_dimensional):
        indexed = replace(found, candidates=(one,)).index(plane)
        axes, cell = indexed.axes, indexed.cell
        assert axes is not None, "index gives axes"
        assert cell is not None, "index gives a cell"
        ranges = [f"{_vector(v)}:{a[0]:.9g}:{a[-1]:.9g}" for v, a in ((axes.u, axes.x), (axes.v, axes.y))]
        a, b = np.linalg.norm(one.translations, axis=1)
        listed.append(
            {
                "name": f"{a:.2f} and {b:.2f} pixels, {one.angle:.1f}°, weight {one.weight:.2f}",
                "axes": f"u={ranges[0]} v={ranges[1]} origin={_vector(axes.origin)}",
                "cell": list(cell.parameters),
            }
        )
    return listed


def _vector(numbers: NDArray[np.float64]) -> str:
    return ",".join(f"{number:.9g}" for number in numbers)


def pattern_drawing(ranking: Ranking) -> dict[str, Any]:
    """The pattern; lattices that were fitted and those that were only weighed, with their lines; the second phase."""
    pattern = ranking.pattern
    fits = [fit_drawing(fit) for fit in (ranking.fit, ranking.second) if fit is not None]
    other = ranking.second_phase
    return {
        "two_theta": pattern.two_theta.round(5).tolist(),
        "intensity": pattern.intensity.tolist(),
        "wavelength": pattern.wavelength,
        "fits": fits + _candidates(ranking),
        "second_phase": None if other is None else _lines_drawing(other, ranking, f"perhaps {other.describe()}"),
    }


def fit_drawing(fit: PatternFit) -> dict[str, Any]:
    """A fitted lattice: its curve, lines, lines that are not explained, and where another fit may begin."""
    return {
        "name": f"{fit.lattice.bravais}, {fit.cell_text}, R_wp {100 * fit.r_wp:.1f} %",
        "bravais": fit.lattice.bravais,
        "cell": list(fit.lattice.cell.parameters),
        "zero": fit.zero,
        "displacement": fit.displacement,
        "calculated": fit.calculated.tolist(),
        "ticks": fit.two_theta.round(5).tolist(),
        "hkl": fit.hkl.tolist(),
        "foreign": fit.foreign.round(5).tolist(),
    }


def _candidates(ranking: Ranking) -> list[dict[str, Any]]:
    """Lattices that were weighed and are not among the fits, the likeliest first."""
    if ranking.fit is None:
        return []
    shown = [fit.lattice for fit in (ranking.fit, ranking.second) if fit is not None]
    listed = []
    for one in ranking.provenance.get("engine", {}).get("hypotheses", ()):
        lattice = Lattice(Cell(*one["cell"]), one["bravais"], zero=ranking.fit.zero)
        if any(known.bravais == lattice.bravais and abs(known.volume / lattice.volume - 1) < 0.01 for known in shown):
            continue
        name = f"{lattice.describe()}, evidence {one['evidence']:.0f}, not fitted yet"
        listed.append({**_lines_drawing(lattice, ranking, name), "displacement": ranking.fit.displacement})
    return listed


def _lines_drawing(lattice: Lattice, ranking: Ranking, name: str) -> dict[str, Any]:
    pattern = ranking.pattern
    assert pattern.wavelength is not None, "a pattern that was classified has a wavelength"
    hkl, angles = predicted_angles(lattice, pattern.wavelength, float(pattern.two_theta[-1]))
    return {
        "name": name,
        "bravais": lattice.bravais,
        "cell": list(lattice.cell.parameters),
        "zero": lattice.zero,
        "ticks": angles.round(5).tolist(),
        "hkl": hkl.tolist(),
        "foreign": [],
    }


def volume_drawing(folder: Path, volume: Volume, makers: Mapping[str, Callable[[Any], NDArray[Any]]]) -> dict[str, Any]:
    """Write a volume as raw float32 (l, k, h) for the page to cut planes from, and tell where its voxels lie.

    makers: for each name what gives a block of layers.
    """
    full = (volume.l.size, volume.k.size, volume.h.size)
    step = int(np.ceil((np.prod(full, dtype=float) / LARGEST_VOLUME) ** (1 / 3)))
    for name, make in makers.items():
        with (folder / f"{name}.vol").open("wb") as file:
            for first in range(0, full[0], _BLOCK * step):
                block = make(slice(first, min(first + _BLOCK * step, full[0])))[::step, ::step, ::step]
                file.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
    axes = {name: getattr(volume, name)[::step] for name in "lkh"}
    return {
        "names": list(makers),
        "step": step,
        "full": list(full),
        "shape": [axis.size for axis in axes.values()],
        "range": {name: [float(axis[0]), float(axis[-1])] for name, axis in axes.items()},
        "basis": volume.basis.tolist(),
        "reciprocal": None if volume.cell is None else volume.cell.reciprocal.tolist(),
    }


def cut_volume(path: Path, shape: tuple[int, int, int], axis: str, index: int) -> bytes:
    """One plane of what `volume_drawing` wrote, rows first, as float32: of (l, k, h) the axis is left out."""
    voxels = np.memmap(path, dtype="<f4", mode="r", shape=shape)
    return np.ascontiguousarray(np.take(voxels, index, axis="lkh".index(axis))).tobytes()
