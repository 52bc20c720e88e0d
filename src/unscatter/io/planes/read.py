"""Read a plane of diffuse scattering from any file: find its format, cut, place, mask and check it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unscatter.io.files import describe, require_file
from unscatter.io.hdf5 import Store, is_hdf5
from unscatter.io.planes import mantid, matrix, meerkat, nexus, nipl, npy, npz, pixel_list, result, surfer, tiff, yell
from unscatter.io.planes.arrays import bare_array
from unscatter.io.planes.asked import Asked, Negative, Values, Zeros
from unscatter.io.planes.notation import names_axes, parse_section, parse_turned_axes
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume


class Format(Protocol):
    """What the module of a format has to offer.

    GAPS_KNOWN: the file itself says what was not measured, so that a zero in it is a measured zero. DATASETS: what
    `dataset` is, where a file may hold several planes, else "".
    """

    NAME: str
    GAPS_KNOWN: bool
    DATASETS: str

    def recognises(self, path: Path) -> bool:
        """Whether the content of the file is of this format."""

    def read(self, path: Path, asked: Asked) -> Plane | Volume:
        """Read it; raises ValueError if it is broken."""


#: All formats, tried in this order: the particular before the general.
FORMATS: tuple[Format, ...] = (
    npy, npz, tiff, surfer, result, yell, meerkat, mantid, nexus, nipl, pixel_list, matrix
)  # fmt: skip


def read_diffraction(
    path: str | Path | ArrayLike, asked: Asked | None = None, *, dataset: str | None = None
) -> Plane | Volume:
    """Read a plane, or a volume left on disk, as the file has it; the format is found by content.

    path: a file, or an array (ny, nx), row 0 the lowest value of the second axis, or (slow, middle, fast axis) with
    axes. asked: what is known of it beside itself. dataset: the NXdata group or the dataset (ny, nx) of an HDF5 file to
    read instead of the default one, the page of a TIFF, or the array of an .npz.
    Raises FileNotFoundError, or ValueError for a file of another kind.
    """
    asked = asked or Asked()
    return find_diffraction(path, asked if dataset is None else replace(asked, dataset=dataset))[0]


def read_plane(
    path: str | Path | ArrayLike,
    *,
    plane: str | None = None,
    cell: Cell | Sequence[float] | None = None,
    axes: str | None = None,
    mask: str | Path | None = None,
    dataset: str | None = None,
    zeros: Zeros = "auto",
    missing: float | None = None,
    values: Values = "intensity",
    negative: Negative = "auto",
) -> Plane:
    """Read a plane, or cut it out of a volume, ready to be taken apart; what was assumed stands in its notes.

    path: a file, or an array as read_diffraction takes it. plane: which plane of a volume, as parse_section reads it:
    "hk1", "hhl", "origin=0,0,0.5 u=1,1,0 v=0,0,1".
    cell, axes: instead of what the file says; axes as parse_turned_axes reads them, "h=-8:8 k=-8:8 l=1"; for an array
    (slow, middle, fast axis) "h=-8:8 k=-8:8 l=-2:2", and to name axes of the file "h=Q1 k=Q2 l=Q3".
    mask: see read_mask. dataset: see read_diffraction.
    zeros: what exact zeros are in formats that do not say so themselves, see `judge_zeros`. missing: a value that
    stands for "not measured". values: "published" for planes of the published network, linear in [-1, 1] with -1 where
    not measured. negative: see `settle_negative`; "auto" keeps what looks like noise of a subtracted background.
    Raises FileNotFoundError, or ValueError that says what to type next.
    """
    cell = cell if cell is None or isinstance(cell, Cell) else Cell.from_sequence(cell)
    asked = Asked(dataset, -1.0 if values == "published" and missing is None else missing, axes, cell)
    found, gaps_known = find_diffraction(path, asked)
    zeros = "measured" if gaps_known or values == "published" else zeros
    flat = _flatten(found, plane, axes, zeros) if isinstance(found, Volume) else _refuse_cut(found, plane)
    if axes is not None and isinstance(found, Plane) and not names_axes(axes):
        # What was assumed for want of axes no longer holds.
        notes = tuple(note for note in flat.notes if "--axes" not in note)
        placed, turned = parse_turned_axes(axes, flat.intensity.shape, flat.axes)
        intensity = flat.intensity[:: -1 if turned[0] else 1, :: -1 if turned[1] else 1]
        flat = replace(flat, intensity=intensity, axes=placed, notes=notes)
    if mask is not None:
        flat = replace(flat, intensity=np.where(_fitting_mask(mask, flat), np.nan, flat.intensity))
    if values == "published":
        flat = _from_published(flat)
    if isinstance(found, Plane):
        flat = _without_gaps(flat, zeros)
    flat = _settled(flat, negative)
    return replace(flat, intensity=_refuse_empty(flat.intensity, flat.source), cell=cell or flat.cell)


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Read a mask (ny, nx), True = NOT measured: non-zero and NaN pixels, as in pyFAI and silx.

    From any file of planes; which data of an HDF5 file or an .npz behind its name, as "mask.h5::entry/mask".
    """
    name, _, dataset = str(path).partition("::")
    found = read_diffraction(name, dataset=dataset or None)
    if isinstance(found, Volume):
        raise ValueError(f"mask {path} is a volume; expected one plane (ny, nx): name it as {name}::entry/mask")
    return np.asarray(found.intensity != 0)


def find_diffraction(source: str | Path | ArrayLike, asked: Asked) -> tuple[Plane | Volume, bool]:
    """What a file or an array holds, and whether it says itself what was not measured."""
    if not isinstance(source, str | Path):
        if asked.dataset is not None:
            raise ValueError("an array has no datasets: leave out dataset")
        return replace(bare_array(np.asarray(source), "the array", asked), source=""), False
    path = require_file(source)
    try:
        return _read(path, asked)
    except ValueError as error:
        raise _naming(error, path) from error


def _read(path: Path, asked: Asked) -> tuple[Plane | Volume, bool]:
    if asked.dataset is not None and is_hdf5(path):
        return nexus.read(path, asked), nexus.GAPS_KNOWN
    form = _format_of(path)
    if asked.dataset is not None and not form.DATASETS:
        raise ValueError(f"{path} is {describe(path)} and has no datasets: leave out --dataset")
    return form.read(path, asked), form.GAPS_KNOWN


def _naming(error: ValueError, source: object) -> ValueError:
    """The same error with the name of the file."""
    return error if str(source) in str(error) else ValueError(f"{source}: {error}")


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
    what = describe(path)
    if what.startswith("a detector frame"):
        return (
            "it is not in reciprocal space: reconstruct a plane or a volume from all frames first (for example with "
            "CrysAlisPro, Meerkat or NXrefine); a plane that was stored so is saved by "
            "numpy.save('plane.npy', fabio.open(FILE).data)"
        )
    if what.startswith("a map"):
        return (
            "where it holds intensities over h, k, l, save them with numpy.save('volume.npy', "
            "gemmi.read_ccp4_map(FILE).grid.array.T) and say where they lie with --axes"
        )
    return "save the intensities as an array, numpy.save('plane.npy', array)"


def _flatten(volume: Volume, plane: str | None, axes: str | None, zeros: Zeros) -> Plane:
    from unscatter.io.planes.cut import cut_plane, lone_layer
    from unscatter.io.planes.notation import parse_volume_axes

    if axes is not None and not names_axes(axes):
        parse_volume_axes(axes, volume.intensity.shape)
    section = lone_layer(volume) if plane is None else parse_section(plane)
    if section is None:
        raise ValueError(
            f"{volume.source} is a volume {volume.h.size} x {volume.k.size} x {volume.l.size}; "
            "choose a plane of it, for example --plane hk1"
        )
    return cut_plane(volume, section, zeros=zeros)


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


def _without_gaps(flat: Plane, zeros: Zeros) -> Plane:
    """The plane with zeros that are gaps as NaN."""
    seen = flat.intensity[flat.measured]
    if not np.any(seen == 0) or seen.min() == seen.max():
        return flat
    from unscatter.io.planes.zeros import judge_zeros

    judged = judge_zeros(flat.intensity, zeros)
    notes = (*flat.notes, judged.words) if judged.words else flat.notes
    return replace(flat, intensity=np.where(judged.gaps, np.nan, flat.intensity), notes=notes)


def _settled(flat: Plane, negative: Negative) -> Plane:
    if not np.any(flat.intensity < 0):
        return flat
    from unscatter.io.planes.signed import settle_negative

    intensity, notes = settle_negative(flat.intensity, negative, flat.source)
    return replace(flat, intensity=intensity, notes=flat.notes + notes)


def _from_published(flat: Plane) -> Plane:
    """From the scale of the published network, linear in [-1, 1], to intensities between 0 and 1."""
    seen = flat.intensity[flat.measured]
    if seen.size and (seen.min() < -1 or seen.max() > 1):
        raise ValueError(
            f"{flat.source} holds {seen.min():.4g} to {seen.max():.4g}; planes of the published network lie between -1 "
            "and 1: leave out --values published"
        )
    note = "values were taken as those of the published network: I = (value + 1) / 2, -1 not measured"
    return replace(flat, intensity=(flat.intensity + 1) / 2, notes=(*flat.notes, note))


def _refuse_empty(intensity: NDArray[np.float64], source: str) -> NDArray[np.float64]:
    seen = intensity[np.isfinite(intensity)]
    if not seen.size:
        raise ValueError(
            f"{source}: no pixel of this plane was measured (all zero, NaN or masked); check --plane, --mask"
        )
    if not seen.max() > 0:
        raise ValueError(f"{source}: all measured pixels of this plane are zero; choose another with --plane")
    if seen.max() == seen.min():
        raise ValueError(
            f"{source}: all measured pixels of this plane are {seen.max():g}: nothing was measured; choose other data "
            "with --dataset or --plane"
        )
    return intensity
