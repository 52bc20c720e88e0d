"""The command that names the symmetry behind powder patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from unscatter.cli.files import each_file, indent, say


def classify(
    files: Positional[tuple[Path, ...]],
    /,
    out: Path = Path(),
    wavelength: float | None = None,
    radiation: Literal["neutron", "x-ray"] | None = None,
    subtract_background: bool = False,
    weights: str = "group-230",
    picture: bool = True,
) -> int:
    """Rank Bravais lattices, extinction groups and space groups of powder patterns, written as JSON, CSV and PNG.

    Args:
        files: powder patterns in any format that is read (.xy, .xye, .raw, .xrdml, GSAS, FullProf, pdCIF, ...).
        out: folder for NAME.classified.json, .csv and .png, and for classified.csv where there are several files.
        wavelength: in Angstrom, where the file does not say or says it wrong; for example 1.5406 (Cu).
        radiation: where the file does not say.
        subtract_background: subtract the estimated background; the network was trained on patterns that have one.
        weights: name or path of the network.
        picture: also draw a PNG.
    """
    from unscatter.io.files import sha256_of
    from unscatter.io.patterns import read_pattern
    from unscatter.io.results.ranking import write_csv, write_json, write_summary
    from unscatter.powder.classify.classify import classify as rank

    _require_different_names(files)
    rankings = []

    def one(path: Path) -> None:
        pattern = read_pattern(path, wavelength=wavelength, radiation=radiation)
        ranking = rank(pattern, weights, subtract_background=subtract_background)
        ranking.provenance["input"] = path.name
        ranking.provenance["input_sha256"] = sha256_of(path)
        ranking.provenance["wavelength_from"] = "the file" if wavelength is None else "--wavelength"
        if pattern.radiation is not None:
            ranking.provenance["radiation_from"] = "the file" if radiation is None else "--radiation"
        say(f"{path}\n{indent(ranking.describe())}")
        out.mkdir(parents=True, exist_ok=True)
        targets = [out / f"{path.stem}.classified.{kind}" for kind in ("json", "csv", "png")[: 2 + picture]]
        write_json(targets[0], ranking)
        write_csv(targets[1], ranking)
        if picture:
            from unscatter.io.results.picture import save_figure
            from unscatter.powder.plot.ranking import plot_ranking

            save_figure(plot_ranking(ranking), targets[2])
        say(indent("\n".join(f"{'' if k else 'wrote':<16} {target}" for k, target in enumerate(targets))))
        rankings.append(ranking)

    code = each_file(files, one, example="unscatter classify corundum.xye")
    if len(rankings) > 1:
        write_summary(out / "classified.csv", rankings)
        print(f"all of them in {out / 'classified.csv'}")
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
