"""Commands on planes of diffuse scattering: take apart, judge, and back to a crystal."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.files import Told, each_file
from unscatter.cli.screen import Flat, Screen, indent, reporting_progress, waiting
from unscatter.jobs import factorize as factorizing
from unscatter.jobs import report as reporting
from unscatter.jobs import volume as whole_volume
from unscatter.jobs.factorize import FactorizeOptions
from unscatter.jobs.report import ReportOptions
from unscatter.workers import Workers


def factorize(
    files: Positional[tuple[Path, ...]],
    /,
    out: Path = Path(),
    options: Flat[FactorizeOptions] = FactorizeOptions(),
    picture: bool = True,
    workers: Flat[Workers] = Workers(),
    screen: Flat[Screen] = Screen(),
) -> int:
    """Take planes of diffuse scattering apart: I_D -> I_FF x I_SRO, written as HDF5 and PNG.

    Args:
        files: .npy, .npz, a matrix of text, TIFF or HDF5 (NeXus, Yell, Meerkat, Mantid, DISCUS), a plane or a volume.
        out: folder for NAME.factorized.h5 and NAME.factorized.png.
        picture: also draw a PNG.
    """
    sections = _name_sections(options.plane)
    out = out.absolute() if workers.scheduler else out
    if options.volume:
        bar = len(files) == 1 and not (screen.quiet or screen.json)
        work = partial(_factorize_volume, out=out, options=options, picture=picture, bar=bar)
    else:
        work = partial(_factorize_planes, out=out, options=options, sections=sections, picture=picture)
    return each_file(files, work, screen, workers)[0]


def _factorize_planes(
    path: Path, out: Path, options: FactorizeOptions, sections: dict[str | None, str], picture: bool
) -> list[Told]:
    told = []
    for section, ending in sections.items():
        chosen = replace(options, plane=() if section is None else (section,))
        with waiting(path.name):
            components = factorizing.run(path, chosen)
        written = factorizing.write(components, out / f"{path.stem}{ending}", picture=picture)
        table = f"{components.describe()}\n{components.findings.brief()}"
        told.append(Told(f"{path}\n{indent(table)}", {"file": path, **components.to_dict()}, written))
    return told


def _factorize_volume(path: Path, out: Path, options: FactorizeOptions, picture: bool, bar: bool) -> list[Told]:
    with reporting_progress(path.name, hidden=not bar) as report:
        volume = whole_volume.run(path, options, report, out / path.stem)
        written = whole_volume.write(volume, out / path.stem, layout=options.layout, picture=picture, report=report)
    return [Told(f"{path}\n{indent(volume.describe())}", {"file": path, **volume.to_dict()}, written)]


def _name_sections(planes: tuple[str, ...]) -> dict[str | None, str]:
    """What each plane of a volume adds to the name of its result: nothing where there is one, .hk1 where several."""
    if len(planes) < 2:
        return {next(iter(planes), None): ""}
    endings = [f".{re.sub(r'[^0-9A-Za-z.,+-]+', '_', plane)}" for plane in planes]
    for plane, ending in zip(planes, endings, strict=True):
        if endings.count(ending) > 1:
            raise ValueError(f"--plane {plane} would be written twice as NAME{ending}.factorized.h5; name it once")
    return dict(zip(planes, endings, strict=True))


def report(
    files: Positional[tuple[Path, ...]],
    /,
    out: Path | None = None,
    options: Flat[ReportOptions] = ReportOptions(),
    picture: bool = True,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Say whether the crystal is suitable: what the data tell of the assumptions behind I_D = I_FF I_SRO.

    Prints every finding with its number, its limits and what it means; draws NAME.suitability.png.

    Args:
        files: results of `unscatter factorize`.
        out: folder for the pictures; that of the result where it is left out.
        picture: also draw a PNG.
    """

    def one(path: Path) -> list[Told]:
        with waiting(path.name):
            findings = reporting.run(path, options)
        stem = (path.parent if out is None else out) / path.stem.removesuffix(".factorized")
        written = reporting.write(path, findings, stem) if picture else ()
        record = {"file": path, "verdict": findings.verdict, "findings": findings.rows()}
        return [Told(f"{path}\n{indent(str(findings))}", record, written)]

    return each_file(files, one, screen, example="unscatter report plane.factorized.h5")[0]
