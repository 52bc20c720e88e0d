"""Write all start files of a fit."""

from __future__ import annotations

from pathlib import Path

from unscatter.io.files import replacing
from unscatter.io.results.start_files.cif import cif_text
from unscatter.io.results.start_files.fullprof import fullprof_text
from unscatter.io.results.start_files.gsas2 import gsas2_text
from unscatter.io.results.start_files.start import Start
from unscatter.io.results.start_files.topas import topas_text

#: What is written, by the ending of its name.
FORMATS = {"cif": cif_text, "instprm": gsas2_text, "pcr": fullprof_text, "inp": topas_text}


def write_start_files(stem: str | Path, start: Start) -> tuple[Path, ...]:
    """Write STEM.start.cif, .instprm (GSAS-II), .pcr (FullProf) and .inp (TOPAS), each whole or not at all."""
    written = []
    for ending, text in FORMATS.items():
        target = Path(f"{stem}.start.{ending}")
        with replacing(target) as part:
            part.write_text(text(start), encoding="utf-8")
        written.append(target)
    return tuple(written)
