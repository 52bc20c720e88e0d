"""Commands that refine what the two factors tell of the crystal, and draw it."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.screen import Flat, Screen, waiting
from unscatter.io.results.order_tables import record_of
from unscatter.jobs import refine_molecules as molecules_job
from unscatter.jobs import refine_order as order_job
from unscatter.jobs import supercell as supercell_job
from unscatter.jobs.refine_molecules import RefineMoleculesOptions
from unscatter.jobs.refine_order import RefineOrderOptions
from unscatter.jobs.supercell import SupercellOptions
from unscatter.nouns.molecule_fit import table_of_models


def refine_order(
    results: Positional[tuple[Path, ...]],
    /,
    options: Flat[RefineOrderOptions] = RefineOrderOptions(),
    out: Path | None = None,
    store: bool = True,
    picture: bool = True,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Refine Warren-Cowley parameters from planes that `unscatter factorize` took apart, one set for all of them.

    Args:
        results: files NAME.factorized.h5 of one crystal.
        out: folder for NAME.order.csv, .json and .png; without it that of the first result.
        store: keep the table in the first result too; with --out in a copy of it there, and the result stays as it is.
        picture: also draw a PNG.
    """
    with waiting("refining alphas"):
        fit = order_job.run(results, options)
    stem = _folder(results[0], out) / results[0].name.removesuffix(".h5").removesuffix(".factorized")
    written = order_job.write(fit, stem, store_in=results[0] if store else None, picture=picture)
    screen.tell(str(fit), {"files": results, **record_of(fit)}, written)
    return 0


def refine_molecules(
    result: Positional[Path],
    /,
    options: Flat[RefineMoleculesOptions],
    out: Path | None = None,
    picture: bool = True,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Compare models of the two molecules with I_FF, scan what moves in them, and refine it.

    Several models are ranked first; the best of them is scanned and refined. Writes NAME.molecules.csv (parameters),
    NAME.molecules.json, NAME.molecules.h5, NAME.scan.csv and NAME.molecules.png.

    Args:
        result: a file that `unscatter factorize` wrote, with known cell and axes.
        out: folder to write to; that of the result where it is left out.
        picture: also draw a PNG.
    """
    found = molecules_job.run_ranked(result, options)
    written = molecules_job.write(found, _folder(result, out) / _stem(result), picture=picture)
    table = f"{table_of_models(found.ranked).text()}\n{found.fit}" if len(found.ranked) > 1 else str(found.fit)
    screen.tell(table, {"file": result, **molecules_job.record_of(found)}, written)
    return 0


def supercell(
    result: Positional[Path],
    /,
    options: Flat[SupercellOptions] = SupercellOptions(),
    out: Path | None = None,
    picture: bool = True,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Draw a crystal that has the refined alphas, recompute the plane from it, and compare with the data.

    Writes NAME.supercell.cif (P1), NAME.supercell.stru (DISCUS), NAME.supercell.yell.txt (Yell),
    NAME.supercell.csv (alphas: targets and what was reached) and NAME.supercell.png.

    Args:
        result: a file that `unscatter factorize` wrote, after `unscatter refine order`.
        out: folder to write to; that of the result where it is left out.
        picture: also draw a PNG.
    """
    drawn = supercell_job.run(result, options)
    written = supercell_job.write(drawn, _folder(result, out) / _stem(result), picture=picture)
    record = {"file": result, "targets": drawn.supercell.rows(), **drawn.loop.to_dict()}
    screen.tell(f"{drawn.supercell}\n  {drawn.loop}", record | {"provenance": drawn.supercell.provenance}, written)
    return 0


def _folder(result: Path, out: Path | None) -> Path:
    return result.parent if out is None else out


def _stem(result: Path) -> str:
    return result.stem.removesuffix(".factorized")
