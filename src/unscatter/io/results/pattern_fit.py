"""A fitted pattern as a NeXus file, which silx view and NeXpy open on its plot, and its points as CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from unscatter.io.files import replacing
from unscatter.io.hdf5 import Node, open_own
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.version import __version__

NAME = "unscatter pattern fit"
FORMAT_VERSION = 1
_CURVES = {"intensity": "Observed", "calculated": "Calculated", "background": "Background", "difference": "Difference"}
_LINES = ("hkl", "multiplicity", "two_theta", "area", "area_error")


def write_fit(path: str | Path, fit: PatternFit) -> None:
    """Write the curves, the lines and the cell with its s.u.; whole or not at all.

    /entry/pattern (NXdata) holds the curves over two_theta, /entry/lines a column for each property (foreign
    ones apart), /entry/sample the cell, /entry/process the provenance.
    """
    with replacing(path) as part, open_own(part, "w") as file:
        file.attrs.update({"NX_class": "NXroot", "default": "entry", "format": NAME, "format_version": FORMAT_VERSION})
        entry = _group(file, "entry", "NXentry")
        entry.attrs.update({"default": "pattern", "simulated": fit.pattern.simulated})
        entry["title"] = fit.pattern.title
        _write_curves(entry, fit)
        lines = _group(entry, "lines", "NXcollection")
        for name in _LINES:
            lines[name] = getattr(fit, name)
        lines["foreign"], lines["foreign_area"] = fit.foreign, fit.foreign_area
        sample = _group(entry, "sample", "NXsample")
        sample["unit_cell"] = np.array(fit.lattice.cell.parameters)
        sample["unit_cell_error"] = np.array(fit.cell_error)
        sample["bravais_lattice"] = fit.lattice.bravais
        process = _group(entry, "process", "NXprocess")
        process.update({"program": "unscatter", "version": __version__})
        process["provenance"] = json.dumps(fit.provenance, default=str)


def _write_curves(entry: Node, fit: PatternFit) -> None:
    pattern = _group(entry, "pattern", "NXdata")
    others = [name for name in _CURVES if name != "intensity"]
    pattern.attrs.update({"signal": "intensity", "axes": ["two_theta"], "auxiliary_signals": others})
    pattern["two_theta"] = fit.pattern.two_theta
    pattern["two_theta"].attrs.update({"units": "deg", "long_name": "2theta (deg)"})
    for name, label in _CURVES.items():
        pattern[name] = fit.pattern.intensity if name == "intensity" else getattr(fit, name)
        pattern[name].attrs["long_name"] = label


def write_points(path: str | Path, fit: PatternFit) -> None:
    """Write a line for each point: two-theta, observed, calculated, background, difference; whole or not at all."""
    columns = (fit.pattern.two_theta, fit.pattern.intensity, fit.calculated, fit.background, fit.difference)
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("two_theta_deg", "observed", "calculated", "background", "difference"))
        writer.writerows([f"{value:.7g}" for value in row] for row in zip(*columns, strict=True))


def write_reflections(path: str | Path, fit: PatternFit) -> None:
    """Write a line for each reflection, and for each line that is foreign, without indices; whole or not at all.

    Columns: h, k, l, multiplicity, d in Angstrom, two-theta in degrees as measured, area and its s.u., whether it is
    seen, and the number of the resolved line that it is part of.
    """
    wavelength = float(fit.provenance.get("wavelength_A") or fit.pattern.wavelength or np.nan)
    # d is that of the lattice: shifts are taken off.
    true = fit.two_theta - fit.zero - fit.displacement * np.cos(np.radians(fit.two_theta / 2))
    d = wavelength / (2 * np.sin(np.radians(true / 2)))
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("h", "k", "l", "multiplicity", "d_A", "two_theta_deg", "area", "area_su", "seen", "line"))
        for n in range(len(fit.two_theta)):
            numbers = (d[n], fit.two_theta[n], fit.area[n], fit.area_error[n])
            row = [*fit.hkl[n].tolist(), int(fit.multiplicity[n]), *(f"{value:.7g}" for value in numbers)]
            writer.writerow([*row, int(not fit.absent[n]), int(fit.column[n])])
        for angle, area in zip(fit.foreign.tolist(), fit.foreign_area.tolist(), strict=True):
            writer.writerow(["", "", "", "", "", f"{angle:.7g}", f"{area:.7g}", "", 1, "foreign"])


def _group(parent: Node, name: str, nexus_class: str) -> Node:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus_class
    return group
