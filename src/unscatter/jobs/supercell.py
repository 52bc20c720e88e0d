"""Job: draw a crystal that has refined alphas, and recompute the plane from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from unscatter.diffuse.supercell import ClosedLoop, close_loop, draw_supercell, read_species_pair
from unscatter.io.results.components import read_components
from unscatter.io.results.picture import save_figure
from unscatter.io.results.rows import write_rows
from unscatter.io.results.supercell import read_targets, write_cif, write_discus, write_yell
from unscatter.jobs.options import (
    CHECKED,
    OneOrMany,
    Text,
    checked_dataclass,
    make_options,
    part_of,
    with_keywords,
)
from unscatter.jobs.provenance import record
from unscatter.nouns.findings import Findings
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderTargets
from unscatter.nouns.order_fit import OrderFit
from unscatter.nouns.supercell import Supercell

JOB = "supercell"


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class DrawOptions:
    """How boxes are drawn: keywords of diffuse.draw_supercell."""

    concentration: float | None = None
    """fraction of A; 0.5 is assumed where it is left out."""
    box: Annotated[tuple[int, int, int] | None, arg(metavar="NA NB NC")] = None
    """cells along a, b, c; 48 x 48 x 1 for layers without order between them, 20 x 20 x 20 otherwise."""
    boxes: int | None = None
    """how many boxes are drawn and averaged; the first is written."""
    sweeps: int = 24
    """proposed swaps a site."""
    seed: int = 0
    """another seed is another crystal."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class SupercellOptions(DrawOptions):
    """Which alphas are drawn, how, and what sits on the sites."""

    alphas: Path | None = None
    """CSV or JSON table of alphas (u, v, w, alpha, standard_error) to use instead of those in the result."""
    laue: Text = None
    """Laue class that ties vectors, in place of the one that was refined in; -1 for a table without one."""
    model_a: Text = None
    """molecule A for the files: CIF, SDF or XYZ; placeholder atoms where it is left out."""
    model_b: Text = None
    """molecule B: a file, "vacancy", or an operation that makes B of A, such as x,y,1/2-z."""
    generate: Annotated[tuple[str, ...], arg(metavar="X,Y,Z"), OneOrMany] = ()
    """operations that complete what the files list."""


@dataclass(frozen=True)
class DrawnCrystal:
    """A supercell, the plane that it scatters against the data, and what A and B (None: a vacancy) are.

    reach: largest |h|, |k|, |l| of the plane.
    """

    supercell: Supercell
    loop: ClosedLoop
    species: tuple[Molecule, Molecule | None]
    reach: tuple[float, float, float]


def run(source: str | Path | OrderFit, options: SupercellOptions = SupercellOptions()) -> DrawnCrystal:
    """Draw boxes with the alphas of a result or a fit, and compare the plane they scatter with the measured one.

    Raises ValueError for a result without cell, axes or alphas, FileNotFoundError for no such file.
    """
    components = source.components[0] if isinstance(source, OrderFit) else read_components(source)
    cell, axes = components.plane.cell, components.plane.axes
    if cell is None or axes is None:
        name = components.plane.source if isinstance(source, OrderFit) else source
        raise ValueError(f"{name} has no cell or no axes; factorize it again with --cell and --axes")
    targets = _targets(source, options)
    species = read_species_pair(cell, options.model_a, options.model_b, options.generate)
    how = part_of(options, DrawOptions)
    assumed = () if options.concentration is not None else _ASSUMED
    how["concentration"] = 0.5 if options.concentration is None else options.concentration
    drawn = draw_supercell(targets, cell, **how)
    loop = close_loop(components, drawn)
    drawn = replace(
        drawn,
        notes=(*drawn.notes, *assumed),
        provenance={**drawn.provenance, **record(JOB, options, [source])},
        # What speaks against the plane speaks against a crystal drawn from it.
        findings=Findings((*drawn.findings, loop.finding(), *components.findings), "supercell"),
    )
    h, k, l = (float(abs(axes.hkl()[..., i]).max()) for i in range(3))  # noqa: E741
    return DrawnCrystal(drawn, loop, species, (h, k, l))


def _targets(source: str | Path | OrderFit, options: SupercellOptions) -> OrderTargets:
    if options.alphas is not None:
        return read_targets(options.alphas, options.laue)
    if not isinstance(source, OrderFit):
        return read_targets(source, options.laue)
    return source.targets if options.laue is None else replace(source.targets, laue=options.laue)


_ASSUMED = ("a concentration of 0.5 was assumed; give another with --concentration",)


@with_keywords(SupercellOptions)
def supercell(source: str | Path | OrderFit, **options: Any) -> Supercell:
    """Draw a crystal that has the refined alphas of a result or a fit, as `unscatter supercell` does.

    Raises ValueError for a result without cell, axes or alphas, FileNotFoundError for no such file.
    """
    return run(source, make_options(SupercellOptions, options, JOB)).supercell


def write(drawn: DrawnCrystal, stem: str | Path, *, picture: bool = True) -> tuple[Path, ...]:
    """Write STEM.supercell.cif (P1), .stru (DISCUS), .yell.txt (Yell), .csv (alphas) and .png; the folder is made."""
    paths = tuple(Path(f"{stem}.supercell.{ending}") for ending in ("cif", "stru", "yell.txt", "csv"))
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    write_cif(paths[0], drawn.supercell, *drawn.species)
    write_discus(paths[1], drawn.supercell, *drawn.species)
    write_yell(paths[2], drawn.supercell, *drawn.species, drawn.reach)
    write_rows(paths[3], drawn.supercell.rows())
    if not picture:
        return paths
    target = Path(f"{stem}.supercell.png")
    save_figure(drawn.supercell.plot(), target)
    return (*paths, target)
