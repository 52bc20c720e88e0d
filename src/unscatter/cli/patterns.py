"""The commands that name the lattice and the symmetry behind powder patterns."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from unscatter.cli.files import Told, each_file
from unscatter.cli.screen import Flat, Screen, indent, reporting_progress
from unscatter.io.results.ranking import add_to_summary
from unscatter.jobs import classify as classifying
from unscatter.jobs import fit as fitting
from unscatter.jobs import index as indexing
from unscatter.jobs.classify import ClassifyOptions
from unscatter.jobs.fit import LatticeFitOptions
from unscatter.jobs.index import IndexOptions
from unscatter.jobs.pattern_files import find_patterns, options_for, outside_of_table, read_table, stems_of
from unscatter.workers import Workers


def classify(
    files: Positional[tuple[Path, ...]] = (),
    /,
    out: Path = Path(),
    table: Path | None = None,
    options: Flat[ClassifyOptions] = ClassifyOptions(),
    picture: bool = True,
    workers: Flat[Workers] = Workers(),
    screen: Flat[Screen] = Screen(),
) -> int:
    """Rank Bravais lattices, extinction groups and space groups of powder patterns, written as JSON, CSV and PNG.

    Args:
        files: powder patterns in any format that is read (.xy, .xye, .raw, .xrdml, GSAS, FullProf, pdCIF, ...), or
            folders of them.
        out: folder for NAME.classified.json, .csv and .png, and for classified.csv, which gets a line for each pattern.
        table: CSV with the columns file, wavelength, radiation (and axis, block): what is known of each file, where
            files are of several instruments; without files on the command line, those of the table.
        picture: also draw a PNG.
    """
    patterns, known = _patterns(files, table, screen)
    chosen = {path.absolute(): options_for(options, path, known, "classify") for path in patterns}
    stems = {path.absolute(): out.absolute() / stem for path, stem in stems_of(patterns).items()}
    work = partial(_classify, options=chosen, stems=stems, picture=picture)
    code, told = each_file(patterns, work, screen, workers, example="unscatter classify corundum.xye")
    rankings = [one.kept for one in told]
    if len(rankings) > 1:
        add_to_summary(out / "classified.csv", rankings)
        screen.note(f"all of them in {out / 'classified.csv'}")
    return code


def _classify(path: Path, options: dict[Path, ClassifyOptions], stems: dict[Path, Path], picture: bool) -> list[Told]:
    chosen = options[path.absolute()]
    ranking = classifying.run(path, chosen)
    written = classifying.write(ranking, stems[path.absolute()], picture=picture, start_files=chosen.start_files)
    # As a person in this folder would type them.
    here = Path.cwd()
    shown = tuple(one.relative_to(here) if one.is_relative_to(here) else one for one in written)
    return [Told(f"{path}\n{indent(ranking.describe())}", {"file": path, **ranking.to_dict()}, shown, ranking)]


def index(
    files: Positional[tuple[Path, ...]] = (),
    /,
    out: Path = Path(),
    table: Path | None = None,
    options: Flat[IndexOptions] = IndexOptions(),
    lines: bool = False,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Find the lattices that explain the lines of powder patterns: cells with figures of merit, also as JSON.

    Args:
        files: powder patterns in any format that is read, or lists of lines (two-theta or d, then intensity), or
            folders of them.
        out: folder for NAME.indexed.json and, with --lines, NAME.lines.
        table: CSV with the columns file, wavelength, radiation (and axis, block), as for classify.
        lines: also write the list of lines that was found.
    """
    patterns, known = _patterns(files, table, screen)
    stems = stems_of(patterns)

    def one(path: Path) -> list[Told]:
        with reporting_progress(path.name, hidden=screen.quiet or screen.json) as progress:
            found = indexing.run(path, options_for(options, path, known, "index"), progress)
        written = indexing.write(found, out / stems[path], lines=lines)
        return [Told(f"{path}\n{indent(found.describe())}", {"file": path, **found.to_dict()}, written)]

    return each_file(patterns, one, screen, example="unscatter index corundum.xye")[0]


def fit(
    files: Positional[tuple[Path, ...]] = (),
    /,
    out: Path = Path(),
    table: Path | None = None,
    options: Flat[LatticeFitOptions] = LatticeFitOptions(),
    picture: bool = True,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Fit a cell that is given to whole powder patterns without a structure: refined cell, R values, absences, picture.

    Args:
        files: powder patterns in any format that is read, or folders of them.
        out: folder for NAME.fit.json, .h5, .csv (the points), .reflections.csv, .cif and .png.
        table: CSV with the columns file, wavelength, radiation (and axis, block), as for classify.
        picture: also draw a PNG: pattern, fit, difference, tick marks.
    """
    patterns, known = _patterns(files, table, screen)
    stems = stems_of(patterns)

    def one(path: Path) -> list[Told]:
        chosen = options_for(options, path, known, "fit")
        fitted = fitting.run(path, chosen)
        written = fitting.write(fitted, out / stems[path], picture=picture, start_files=chosen.start_files)
        told = {name: value for name, value in fitted.to_dict().items() if name not in _CURVES}
        return [Told(f"{path}\n{indent(fitted.describe())}", {"file": path, **told}, written)]

    example = "unscatter fit corundum.xye --cell 4.76 4.76 12.99 90 90 120"
    return each_file(patterns, one, screen, example=example)[0]


def _patterns(
    files: tuple[Path, ...], table: Path | None, screen: Screen
) -> tuple[list[Path], dict[Path, dict[str, Any]]]:
    """The patterns that are asked for, and what a table says of them."""
    known = read_table(table) if table is not None else {}
    patterns = find_patterns(files, table)
    if words := outside_of_table(patterns, known):
        screen.note(words)
    return patterns, known


# What is not told on a line of JSON: a number for each point of the pattern.
_CURVES = ("calculated", "background")
