"""How a result was made, read from any file that unscatter writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unscatter.io.files import require_file
from unscatter.io.hdf5 import Store, attribute, is_hdf5

#: How the line of a text file begins that holds a provenance as JSON.
COMMENT = "# provenance: "
#: A provenance stands in the first lines of a text file.
_FIRST_LINES = 20


def read_provenances(path: str | Path) -> list[dict[str, Any]]:
    """Read how a result was made: one record for each job that wrote into the file, the first job first.

    Raises ValueError for a file that unscatter did not write, FileNotFoundError for none.
    """
    path = require_file(path)
    found = _from_hdf5(path) if is_hdf5(path) else _from_text(path)
    if not found:
        raise ValueError(
            f"{path} is no result; expected what unscatter factorize (.h5), classify, index, fit, refine order, refine "
            "molecules (.json), supercell (.cif) or simulate (.h5) wrote"
        )
    return found


def _from_hdf5(path: Path) -> list[dict[str, Any]]:
    with Store(path) as store:
        records = [json.loads(attribute(store.root, "provenance") or "{}")]
        records.append(json.loads(store.text("entry/process/provenance") or "{}"))
        order = json.loads(store.text("entry/order_parameters/record") or "{}")
    return [record for record in (*records, order.get("provenance", {})) if record]


def _from_text(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if text.lstrip().startswith("{"):
        try:
            record = json.loads(text)
        except ValueError:
            return []
        return [record["provenance"]] if isinstance(record.get("provenance"), dict) else []
    lines = text.splitlines()[:_FIRST_LINES]
    return [json.loads(line.removeprefix(COMMENT)) for line in lines if line.startswith(COMMENT)]
