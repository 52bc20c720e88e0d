"""The command that names the symmetry behind powder patterns."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.files import each_file
from unscatter.cli.screen import Flat, Screen, indent
from unscatter.io.results.ranking import add_to_summary
from unscatter.jobs import classify as classifying
from unscatter.jobs.classify import ClassifyOptions
from unscatter.jobs.pattern_files import find_patterns, options_for, read_table, stems_of


def classify(
    files: Positional[tuple[Path, ...]] = (),
    /,
    out: Path = Path(),
    table: Path | None = None,
    options: Flat[ClassifyOptions] = ClassifyOptions(),
    picture: bool = True,
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
    known = read_table(table) if table is not None else {}
    patterns = find_patterns(files, table)
    stems = stems_of(patterns)
    rankings = []

    def one(path: Path) -> None:
        ranking = classifying.run(path, options_for(options, path, known, "classify"))
        written = classifying.write(ranking, out / stems[path], picture=picture)
        screen.tell(f"{path}\n{indent(ranking.describe())}", {"file": path, **ranking.to_dict()}, written)
        rankings.append(ranking)

    code = each_file(tuple(patterns), one, example="unscatter classify corundum.xye")
    if len(rankings) > 1:
        add_to_summary(out / "classified.csv", rankings)
        screen.note(f"all of them in {out / 'classified.csv'}")
    return code
