"""Job: compare models of the two molecules with I_FF, and refine the best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from tyro.conf import arg

from unscatter.diffuse.crystal.motions import parse_range, parse_rotation, parse_shift
from unscatter.diffuse.refine.disorder_model import read_models
from unscatter.diffuse.refine.molecules import rank_models
from unscatter.diffuse.refine.molecules import refine_molecules as refine
from unscatter.io.results.components import read_components
from unscatter.io.results.molecule_fit import write_molecule_fit
from unscatter.io.results.picture import save_figure
from unscatter.io.results.rows import write_record, write_rows
from unscatter.jobs.options import CHECKED, OneOrMany, checked_dataclass, make_options, part_of, with_keywords
from unscatter.jobs.provenance import record
from unscatter.nouns.components import Components
from unscatter.nouns.molecule_fit import MoleculeFit

JOB = "refine molecules"

#: Pairs of what moves and its range.
Moves: TypeAlias = tuple[tuple[str, str], ...]


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class FitOptions:
    """How a model is compared with the data: keywords of diffuse.refine.refine_molecules."""

    debye_waller: float | None = None
    """D_w in Angstrom^2; refined where it is left out."""
    radiation: Literal["x-ray", "neutron"] = "x-ray"
    """what was scattered."""
    against: Literal["form-factor", "data"] = "form-factor"
    """fit I_FF, or the measured intensity with I_SRO as a known factor."""
    saturated: float | None = None
    """leave out measured intensities from here on."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class RefineMoleculesOptions(FitOptions):
    """What the molecules may be, what moves in them, and how they are compared with the data."""

    model_a: Annotated[tuple[str, ...], OneOrMany]
    """molecule A: CIF, SDF or XYZ; file.cif#2 takes disorder group 2. Several files are ranked."""
    model_b: Annotated[tuple[str, ...], OneOrMany] = ("vacancy",)
    """molecule B: a file as for A, "vacancy", or an operation that makes B of A, such as x,y,1/2-z. One for all A, or
    one for each."""
    generate: Annotated[tuple[str, ...], arg(metavar="X,Y,Z"), OneOrMany] = ()
    """operations that complete what the files list, such as -y,x-y,z for the arms of a molecule."""
    rotate: Annotated[Moves, arg(metavar="BOND RANGE")] = ()
    """bond or axis and a range in degrees: "N1-C7" -60:60:1. N1 stays, what hangs on C7 turns. Bonds joined by commas
    turn together; "B:[0 0 1]" turns B about c. Repeat the pair for more."""
    shift: Annotated[Moves, arg(metavar="DIRECTION RANGE")] = ()
    """direction and a range in Angstrom: "B:[0 0 1]" -0.5:0.5:0.05."""


@dataclass(frozen=True)
class RankedFits:
    """The models as they are, the best first, and the best of them with its motions refined."""

    fit: MoleculeFit
    ranked: tuple[MoleculeFit, ...]


def run(source: str | Path | Components, options: RefineMoleculesOptions) -> MoleculeFit:
    """Rank the models, then scan and refine what moves in the best.

    Raises ValueError where cell and axes are not known or a motion does not fit the model, FileNotFoundError for no
    such file.
    """
    return run_ranked(source, options).fit


def run_ranked(source: str | Path | Components, options: RefineMoleculesOptions) -> RankedFits:
    """As run, with the fits of all models beside it."""
    components = source if isinstance(source, Components) else read_components(source)
    models = read_models(options.model_a, options.model_b, options.generate)
    moves = [
        *((parse_rotation(what), parse_range(values)) for what, values in options.rotate),
        *((parse_shift(what), parse_range(values)) for what, values in options.shift),
    ]
    how = part_of(options, FitOptions)
    ranked = rank_models(components, models, **how)
    best = next(model for model in models if model.name == ranked[0].name)
    fit = refine(components, best, moves, **how)
    fit = replace(fit, provenance={**fit.provenance, **record(JOB, options, [source])})
    return RankedFits(fit, ranked)


@with_keywords(RefineMoleculesOptions)
def refine_molecules(source: str | Path | Components, **options: Any) -> MoleculeFit:
    """Compare models of the two molecules with I_FF, eq. (1), (2) and (13), and refine the best.

    source: a result of `unscatter factorize`, or the Components of it. The same as `unscatter refine molecules`.
    Raises ValueError where cell and axes are not known or a motion does not fit, FileNotFoundError for no such file.
    """
    return run(source, make_options(RefineMoleculesOptions, options, JOB))


def write(found: RankedFits, stem: str | Path, *, picture: bool = True) -> tuple[Path, ...]:
    """Write STEM.molecules.csv, .json, .h5, STEM.scan.csv where something moved, and STEM.molecules.png.

    The .h5 holds the fit as `read_molecule_fit` gives it back.
    """
    folder = Path(stem).parent
    folder.mkdir(parents=True, exist_ok=True)
    record = record_of(found)
    tables = {"molecules": record["parameters"]}
    if found.fit.scans:
        tables["scan"] = [row for scan in found.fit.scans for row in scan.rows()]
    written = []
    for name, rows in tables.items():
        write_rows(f"{stem}.{name}.csv", rows)
        written.append(Path(f"{stem}.{name}.csv"))
    write_record(f"{stem}.molecules.json", record)
    write_molecule_fit(f"{stem}.molecules.h5", found.fit)
    written += [Path(f"{stem}.molecules.json"), Path(f"{stem}.molecules.h5")]
    if picture:
        save_figure(found.fit.plot(), Path(f"{stem}.molecules.png"))
        written.append(Path(f"{stem}.molecules.png"))
    return tuple(written)


def record_of(found: RankedFits) -> dict[str, Any]:
    """The parameters of all models, the best first, with figures of merit, notes and provenance."""
    kept = [found.fit, *(other for other in found.ranked if other.name != found.fit.name)]
    return {
        "parameters": [row for one in kept for row in one.rows()],
        "models": [
            {"model": one.name, "mse": one.mse, "R": one.r_factor, "wR": one.weighted_r, "pixels": one.pixels}
            for one in kept
        ],
        "notes": list(found.fit.notes),
        "findings": found.fit.findings.rows(),
        "provenance": found.fit.provenance,
    }
