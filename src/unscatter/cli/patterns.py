"""The command that names the symmetry behind powder patterns."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.files import each_file
from unscatter.cli.screen import Flat, Screen, indent
from unscatter.io.results.ranking import write_summary
from unscatter.jobs import classify as classifying
from unscatter.jobs.classify import ClassifyOptions


def classify(
    files: Positional[tuple[Path, ...]],
    /,
    out: Path = Path(),
    options: Flat[ClassifyOptions] = ClassifyOptions(),
    picture: bool = True,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Rank Bravais lattices, extinction groups and space groups of powder patterns, written as JSON, CSV and PNG.

    Args:
        files: powder patterns in any format that is read (.xy, .xye, .raw, .xrdml, GSAS, FullProf, pdCIF, ...).
        out: folder for NAME.classified.json, .csv and .png, and for classified.csv where there are several files.
        picture: also draw a PNG.
    """
    _require_different_names(files)
    rankings = []

    def one(path: Path) -> None:
        ranking = classifying.run(path, options)
        written = classifying.write(ranking, out / path.stem, picture=picture)
        screen.tell(f"{path}\n{indent(ranking.describe())}", {"file": path, **ranking.to_dict()}, written)
        rankings.append(ranking)

    code = each_file(files, one, example="unscatter classify corundum.xye")
    if len(rankings) > 1:
        write_summary(out / "classified.csv", rankings)
        screen.note(f"all of them in {out / 'classified.csv'}")
    return code


def _require_different_names(files: tuple[Path, ...]) -> None:
    """Refuse files whose results would overwrite each other."""
    seen: dict[str, Path] = {}
    for path in files:
        if path.stem in seen:
            raise ValueError(
                f"{seen[path.stem]} and {path} would both be written as {path.stem}.classified.json; "
                "classify them one by one, each with its own --out"
            )
        seen[path.stem] = path
