"""Job: fit a lattice that is given to a whole powder pattern."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from unscatter.io.files import replacing
from unscatter.io.results.pattern_fit import write_fit, write_points, write_reflections
from unscatter.io.results.picture import save_figure
from unscatter.io.results.rows import write_record
from unscatter.io.results.start_files.cif import cif_text
from unscatter.io.results.start_files.start import Start, make_start
from unscatter.io.results.start_files.write import write_start_files
from unscatter.jobs.options import CHECKED, checked_dataclass, make_options, with_keywords
from unscatter.jobs.pattern_reading import PatternReading, PatternSource, read_pattern_source
from unscatter.jobs.provenance import record
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.symmetry import bravais_lattice

JOB = "fit"

Bravais = Literal["aP", "mP", "mC", "oP", "oC", "oI", "oF", "tP", "tI", "hP", "hR", "cP", "cI", "cF"]


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class LatticeFitOptions(PatternReading):
    """How a pattern is read, and the lattice that is fitted to it."""

    cell: Annotated[tuple[float, ...], arg(metavar="A B C [ALPHA BETA GAMMA]")] = ()
    """a b c alpha beta gamma of the conventional cell, in Angstrom and degrees, where the fit begins; three numbers
    where all angles are right. It may be up to 3 % off."""
    bravais: Bravais | None = None
    """Bravais lattice: hR on hexagonal axes, monoclinic with unique axis b. Without it the lattices that the cell
    admits are weighed, one for each centring, and the likeliest is fitted."""
    space_group: int | None = None
    """number of the group, which names the Bravais lattice too; start files and the CIF say it. Without it the
    likeliest group, by absences and frequency."""
    zero: float = 0.0
    """shift of all angles in degrees where the fit begins: measured = calculated + zero."""
    displacement: float = 0.0
    """shift in degrees that goes with cos(theta) where the fit begins."""
    start_files: bool = False
    """also write files from which GSAS-II, FullProf and TOPAS begin a Le Bail refinement, and a CIF."""


def run(source: PatternSource, options: LatticeFitOptions = LatticeFitOptions()) -> PatternFit:
    """Fit cell, shifts, profile, background and all intensities of one lattice; no structure is needed.

    Raises ValueError for a pattern that cannot be read or a lattice that is not given, FileNotFoundError for no such
    file.
    """
    from unscatter.powder.classify.given_lattice import fit_given

    lattices = _lattices(options)
    fit = fit_given(read_pattern_source(source, options), lattices, options.displacement)
    return replace(fit, provenance={**fit.provenance, **record(JOB, options, [source])})


@with_keywords(LatticeFitOptions)
def fit(source: PatternSource, **options: Any) -> PatternFit:
    """Fit a cell that is given to a whole powder pattern without a structure, as `unscatter fit` does.

    The result holds cell with s.u., shifts, profile, R values, lines that are absent or not explained, extinction
    symbols by probability, and findings. source: a file, columns of two-theta (degrees), intensity and perhaps its
    s.u., or a Pattern. Raises ValueError for what cannot be read, a lattice that is not given or predicts no line,
    FileNotFoundError for no such file.
    """
    return run(source, make_options(LatticeFitOptions, options, JOB))


def write(
    fitted: PatternFit, stem: str | Path, *, picture: bool = True, cif: bool = True, start_files: bool = False
) -> tuple[Path, ...]:
    """Write STEM.fit.h5 and .json (all of it), .csv (the points), .reflections.csv, .cif and .png; the folder is made.

    picture, cif: whether those are wanted; start_files: STEM.start.cif, .instprm, .pcr and .inp in place of the CIF.
    """
    kinds = ("h5", "json", "csv", "reflections.csv", "cif", "png")
    targets = {kind: Path(f"{stem}.fit.{kind}") for kind in kinds}
    targets["h5"].parent.mkdir(parents=True, exist_ok=True)
    write_fit(targets["h5"], fitted)
    write_record(targets["json"], fitted.to_dict())
    write_points(targets["csv"], fitted)
    write_reflections(targets["reflections.csv"], fitted)
    written = [targets[kind] for kind in ("h5", "json", "csv", "reflections.csv")]
    if start_files:
        written += write_start_files(stem, _start(fitted))
    elif cif:
        with replacing(targets["cif"]) as part:
            part.write_text(cif_text(_start(fitted)), encoding="utf-8")
        written.append(targets["cif"])
    if picture:
        save_figure(fitted.plot(), targets["png"])
        written.append(targets["png"])
    return tuple(written)


def _start(fitted: PatternFit) -> Start:
    """What other programs begin with: the group that was asked for, or the likeliest."""
    from unscatter.powder.refine.thompson import thompson_law

    number = (fitted.provenance.get("options") or {}).get("space_group")
    if number is None:
        number = likeliest_group(fitted)
    return make_start(fitted, number, thompson_law(fitted))


def likeliest_group(fitted: PatternFit) -> int:
    """The most frequent space group of the likeliest symbol; where symbols were not asked for, of the lattice's most
    symmetric groups the one that extinguishes nothing more.
    """
    from unscatter.powder.classify.combine import frequencies

    if fitted.symbols:
        groups = fitted.symbols[0].space_groups
        return max(groups, key=lambda number: float(frequencies()[number - 1]))
    return highest_group(fitted.lattice.bravais)


def highest_group(bravais: str) -> int:
    """The symmorphic space group of the highest symmetry of a lattice, which extinguishes nothing more.

    >>> [highest_group(one) for one in ("aP", "mC", "oF", "hR", "cI")]
    [2, 12, 69, 166, 229]
    """
    return _HIGHEST[bravais]


_HIGHEST = {
    **{"aP": 2, "mP": 10, "mC": 12, "oP": 47, "oC": 65, "oI": 71, "oF": 69, "tP": 123, "tI": 139},
    **{"hP": 191, "hR": 166, "cP": 221, "cI": 229, "cF": 225},
}


def _lattices(options: LatticeFitOptions) -> tuple[Lattice, ...]:
    """The lattice that was named, or those that the cell admits."""
    from unscatter.powder.refine.given_cell import admitted_lattices, lattice_of_cell

    if not options.cell:
        raise ValueError(
            "which cell? give its a b c alpha beta gamma (--cell), such as --cell 4.76 4.76 12.99 90 90 120; "
            "unscatter index lists cells that explain the lines"
        )
    cell = Cell.from_sequence(options.cell)
    bravais: str | None = options.bravais
    if options.space_group is not None:
        bravais = bravais_lattice(options.space_group)
        if options.bravais not in (None, bravais):
            raise ValueError(
                f"space group {options.space_group} has the lattice {bravais}, not {options.bravais}: leave one of "
                "them out"
            )
    found = (lattice_of_cell(cell, bravais),) if bravais is not None else admitted_lattices(cell)
    return tuple(replace(one, zero=options.zero) for one in found)
