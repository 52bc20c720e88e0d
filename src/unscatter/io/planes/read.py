"""Read a plane of diffuse scattering from any file: find its format, cut, place, mask and check it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unscatter.io.files import describe, require_file
from unscatter.io.hdf5 import Store, is_hdf5
from unscatter.io.planes import mantid, meerkat, nexus, npy, result, tiff, yell
from unscatter.io.planes.cut import cut_plane, lone_layer
from unscatter.io.planes.notation import parse_plane_axes, parse_section
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

Negative = Literal["refuse", "clip", "shift"]


class Format(Protocol):
    """What the module of a format has to offer.

    GAPS_KNOWN: the file itself says what was not measured, so that a zero in it is a measured zero.
    """

    NAME: str
    GAPS_KNOWN: bool

    def recognises(self, path: Path) -> bool:
        """Whether the content of the file is of this format."""

    def read(self, path: Path) -> Plane | Volume:
        """Read it; raises ValueError if it is broken."""


#: All formats, tried in this order: the particular before the general.
FORMATS: tuple[Format, ...] = (npy, tiff, result, yell, meerkat, mantid, nexus)


def read_diffraction(path: str | Path | ArrayLike, *, dataset: str | None = None) -> Plane | Volume:
    """Read a plane, or a volume left on disk, as the file has it; the format is found by content.

    path: a file, or an array (ny, nx), row 0 the lowest value of the second axis. dataset: the NXdata group or the
    dataset (ny, nx) of an HDF5 file to read instead of the default one.
    Raises FileNotFoundError, or ValueError for a file of another kind.
    """
    if not isinstance(path, str | Path):
        if dataset is not None:
            raise ValueError("an array has no datasets: leave out dataset")
        return Plane(np.array(path, dtype=np.float64))
    path = require_file(path)
    if dataset is not None:
        if not is_hdf5(path):
            raise ValueError(f"{path} is {describe(path)} and has no datasets: leave out --dataset")
        return nexus.read(path, dataset)
    return _format_of(path).read(path)


def read_plane(
    path: str | Path | ArrayLike,
    *,
    plane: str | None = None,
    cell: Cell | Sequence[float] | None = None,
    axes: str | None = None,
    mask: str | Path | None = None,
    dataset: str | None = None,
    zeros_missing: bool = True,
    negative: Negative = "refuse",
) -> Plane:
    """Read a plane, or cut it out of a volume, ready to be taken apart.

    path: a file, or an array as read_diffraction takes it. plane: which plane of a volume, as parse_section reads it:
    "hk1", "hhl", "origin=0,0,0.5 u=1,1,0 v=0,0,1".
    cell, axes: instead of what the file says; axes as parse_plane_axes reads them, "h=-8:8 k=-8:8 l=1".
    mask: see read_mask. dataset: see read_diffraction.
    zeros_missing: exact zeros were not measured, in formats that do not say so themselves (gaps are zero in
    most reconstructions). negative: "refuse" raises ValueError if measured intensities are negative, "clip"
    sets them to zero, "shift" subtracts the minimum from all.
    Raises FileNotFoundError, or ValueError that says what to type next.
    """
    known = isinstance(path, str | Path) and dataset is None and _format_of(require_file(path)).GAPS_KNOWN
    cell = cell if cell is None or isinstance(cell, Cell) else Cell.from_sequence(cell)
    found = read_diffraction(path, dataset=dataset)
    zeros_missing = zeros_missing and not known
    flat = _flatten(found, plane, axes, zeros_missing) if isinstance(found, Volume) else _refuse_cut(found, plane)
    if axes is not None:
        flat = replace(flat, axes=parse_plane_axes(axes, flat.intensity.shape))
    missing = ~np.isfinite(flat.intensity) | (zeros_missing & (flat.intensity == 0) & isinstance(found, Plane))
    if mask is not None:
        missing |= _fitting_mask(mask, flat)
    intensity = _settle_negative(np.where(missing, np.nan, flat.intensity), negative, flat.source)
    return replace(flat, intensity=_refuse_empty(intensity, flat.source), cell=cell or flat.cell)


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Read a mask (ny, nx), True = NOT measured: non-zero and NaN pixels, as in pyFAI and silx.

    From .npy, TIFF, the default data of an HDF5 file, or any of its datasets as "mask.h5::entry/mask".
    """
    name, _, dataset = str(path).partition("::")
    found = read_diffraction(name, dataset=dataset or None)
    if isinstance(found, Volume):
        raise ValueError(f"mask {path} is a volume; expected one plane (ny, nx): name it as {name}::entry/mask")
    return np.asarray(found.intensity != 0)


def _format_of(path: Path) -> Format:
    for candidate in FORMATS:
        if candidate.recognises(path):
            return candidate
    names = ", ".join(known.NAME for known in FORMATS)
    raise ValueError(f"{path} is {describe(path)}; expected diffuse scattering as {names}: {_next_step(path)}")


def _next_step(path: Path) -> str:
    if is_hdf5(path):
        with Store(path) as store:
            inside = ", ".join(list(store.root)[:8]) or "nothing"
        return f"it holds {inside}; name a plane (ny, nx) in it with --dataset"
    if path.stat().st_size == 0:
        return "copy the file again"
    return "save the intensities as an array, numpy.save('plane.npy', array)"


def _flatten(volume: Volume, plane: str | None, axes: str | None, zeros_missing: bool) -> Plane:
    if axes is not None:
        raise ValueError(f"{volume.source} is a volume with axes of its own: leave out --axes and choose with --plane")
    section = lone_layer(volume) if plane is None else parse_section(plane)
    if section is None:
        raise ValueError(
            f"{volume.source} is a volume {volume.h.size} x {volume.k.size} x {volume.l.size}; "
            "choose a plane of it, for example --plane hk1"
        )
    return cut_plane(volume, section, zeros_missing=zeros_missing)


def _refuse_cut(flat: Plane, plane: str | None) -> Plane:
    if plane is not None and (flat.axes is None or flat.axes.name() != plane):
        where = "" if flat.axes is None else f" ({flat.axes.name()})"
        raise ValueError(f"{flat.source} is a plane already{where}: leave out --plane, or give its place with --axes")
    return flat


def _fitting_mask(path: str | Path, flat: Plane) -> NDArray[np.bool_]:
    mask = read_mask(path)
    if mask.shape != flat.intensity.shape:
        raise ValueError(
            f"mask {path} has shape {mask.shape} and the plane {flat.intensity.shape}; they must be the same"
        )
    return mask


def _settle_negative(intensity: NDArray[np.float64], negative: Negative, source: str) -> NDArray[np.float64]:
    below = intensity < 0
    if not below.any():
        return intensity
    if negative == "clip":
        return np.where(below, 0.0, intensity)
    if negative == "shift":
        return intensity - np.nanmin(intensity)
    raise ValueError(
        f"{source}: {below.sum()} of {np.isfinite(intensity).sum()} measured pixels are negative, down to "
        f"{np.nanmin(intensity):.4g}; type --negative clip (set to zero) or --negative shift (raise all)"
    )


def _refuse_empty(intensity: NDArray[np.float64], source: str) -> NDArray[np.float64]:
    if not np.isfinite(intensity).any():
        raise ValueError(
            f"{source}: no pixel of this plane was measured (all zero, NaN or masked); check --plane, --mask"
        )
    if not np.nanmax(intensity) > 0:
        raise ValueError(f"{source}: all measured pixels of this plane are zero; choose another with --plane")
    return intensity
