"""Tables as CSV files."""

from __future__ import annotations

import csv
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
