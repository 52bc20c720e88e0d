"""Lists of lines as files."""

from __future__ import annotations

from pathlib import Path

from unscatter.io.files import replacing
from unscatter.nouns.lines import Lines


def write_lines(path: str | Path, lines: Lines) -> Path:
    """Write a list of lines as a table that `read_lines` reads, whole or not at all; images are named behind a #."""
    rows = [f"# wavelength {lines.wavelength:.7g}", "# 2theta(deg) intensity d(A) fwhm(deg)"]
    columns = (lines.two_theta, lines.area, lines.d, lines.fwhm)
    for place, area, d, fwhm, flag in zip(*columns, lines.flags, strict=True):
        row = f"{place:10.5f} {area:14.6g} {d:10.6f} {fwhm:8.4f}"
        rows.append(f"{row}  # {flag}" if flag else row)
    with replacing(path) as part:
        part.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return Path(path)
