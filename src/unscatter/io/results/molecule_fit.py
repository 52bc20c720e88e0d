"""Fits of molecules: the components that were fitted, as their own file has them, and the fit beside them.

/entry/calculated and /entry/used are planes, the rest is JSON in /entry/process/molecule_fit. The file opens wherever
one of components does.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import require_file
from unscatter.io.hdf5 import Store
from unscatter.io.planes.result import recognises
from unscatter.io.results.components import Extra, read_components, write_components
from unscatter.nouns.findings import Findings
from unscatter.nouns.molecule_fit import MoleculeFit, MotionScan

#: The layout of the record; a reader refuses a later one.
FORMAT_VERSION = 1

#: What is kept as it is, and what as lists of numbers.
_PLAIN = ("name", "against", "names", "units", "mse", "r_factor", "weighted_r", "pixels", "independent",
          "correlation_radius")  # fmt: skip
_ARRAYS = ("values", "standard_error", "plain_error", "correlation")


def write_molecule_fit(path: str | Path, fit: MoleculeFit) -> None:
    """Write a fit with the components it was made of, whole or not at all.

    Raises FileNotFoundError if the folder does not exist.
    """
    found = fit.findings
    record = {
        "format_version": FORMAT_VERSION,
        **{name: getattr(fit, name) for name in _PLAIN},
        **{name: getattr(fit, name).tolist() for name in _ARRAYS},
        "scans": [
            {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(scan).items()}
            for scan in fit.scans
        ],
        "notes": fit.notes,
        "provenance": fit.provenance,
        "findings": {"subject": found.subject, "caveat": found.caveat, "findings": found.rows()},
    }
    images: dict[str, tuple[NDArray[Any], str]] = {
        "calculated": (fit.calculated, f"Calculated by {fit.name}"),
        "used": (fit.used.astype(np.uint8), "Pixels compared"),
    }
    write_components(path, fit.components, Extra(images, {"molecule_fit": record}))


def read_molecule_fit(path: str | Path) -> MoleculeFit:
    """Read what write_molecule_fit wrote, exactly; raises ValueError for another file, FileNotFoundError for none."""
    path = require_file(path)
    record, calculated, used = _stored(path) if recognises(path) else ({}, None, None)
    if not record or calculated is None or used is None:
        raise ValueError(f"{path} holds no fit of molecules; expected NAME.molecules.h5 of unscatter refine molecules")
    if record["format_version"] > FORMAT_VERSION:
        raise ValueError(f"{path} has layout {record['format_version']}, expected {FORMAT_VERSION}: upgrade unscatter")
    found = record["findings"]
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value := record[name], list) else value for name in _PLAIN
    }
    values |= {name: np.array(record[name], dtype=np.float64) for name in _ARRAYS}
    return MoleculeFit(
        **values,
        components=read_components(path),
        calculated=calculated,
        used=used != 0,
        scans=tuple(_scan(scan) for scan in record["scans"]),
        notes=tuple(record["notes"]),
        provenance=record["provenance"],
        findings=Findings.from_rows(found["findings"], found["subject"], found["caveat"]),
    )


def _stored(path: Path) -> tuple[dict[str, Any], Any, Any]:
    with Store(path) as store:
        record = json.loads(store.text("entry/process/molecule_fit") or "{}")
        return record, store.numbers("entry/calculated/data"), store.numbers("entry/used/data")


def _scan(stored: dict[str, Any]) -> MotionScan:
    columns = {key: np.array(value, dtype=np.float64) for key, value in stored.items() if isinstance(value, list)}
    return MotionScan(**(stored | columns))
