"""Tables as CSV files, records as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unscatter.io.files import replacing


def write_rows(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same keys as CSV, the keys in its first line, whole or not at all.

    Raises ValueError for no rows and FileNotFoundError if the folder does not exist.
    """
    if not rows:
        raise ValueError(f"{path}: no rows to write")
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_record(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write plain numbers and words as JSON, whole or not at all; FileNotFoundError if the folder does not exist."""
    with replacing(path) as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
