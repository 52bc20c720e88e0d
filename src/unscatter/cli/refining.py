"""Commands that refine what the two factors tell of the crystal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from unscatter.cli.files import say

Text = Annotated[str | None, tyro.conf.arg(metavar="TEXT")]


def refine_order(
    results: Positional[tuple[Path, ...]],
    /,
    against: Literal["data", "order"] = "data",
    laue: Text = None,
    vectors: Annotated[tuple[str, ...], tyro.conf.arg(metavar="U,V,W")] = (),
    radius: float | None = None,
    in_plane: bool = True,
    exclude: float = 0.05,
    saturation: float | None = None,
    background: bool = True,
    reach: float | None = None,
    form_factor: Path | None = None,
    model_a: Text = None,
    model_b: str = "vacancy",
    generate: Annotated[tuple[str, ...], tyro.conf.arg(metavar="X,Y,Z")] = (),
    debye_waller: float | None = None,
    radiation: Literal["x-ray", "neutron"] = "x-ray",
    concentration: float = 0.5,
    bootstrap: int = 200,
    seed: int = 0,
    out: Path | None = None,
    store: bool = True,
    picture: bool = True,
) -> int:
    """Refine Warren-Cowley parameters from planes that `unscatter factorize` took apart, one set for all of them.

    Args:
        results: files NAME.factorized.h5 of one crystal.
        against: data refines I_FF with the alphas; order takes I_SRO as it is.
        laue: -1, 2/m, mmm, 4/m, 4/mmm, -3, -3m, 6/m, 6/mmm, m-3, m-3m; without it -1, which is never wrong.
        vectors: vectors to refine, one of each set of equivalents: 1,0,0 2,0,0 2,1,0.
        radius: all vectors up to this length in Angstrom.
        in_plane: leave out vectors with a component along the normal of the plane.
        exclude: with --against order, leave out pixels with I_FF below this fraction of its maximum.
        saturation: intensities from here on are only known to be at least this.
        background: refine a constant background of each plane.
        reach: largest distance in Angstrom that the refined I_FF resolves; without it, from the cell.
        form_factor: .npy with I_FF known up to scale, of the shape of the plane, instead of the refined one.
        model_a: molecule A, to know I_FF from structure files: CIF, SDF or XYZ; file.cif#2 takes disorder group 2.
        model_b: molecule B: a file as for A, "vacancy", or an operation that makes B of A, such as x,y,1/2-z.
        generate: operations that complete what the files list, such as -y,x-y,z for the arms of a molecule.
        debye_waller: D_w of the model in Angstrom^2; without it, refined against I_FF of each plane.
        radiation: what was scattered, for the model.
        concentration: fraction of A, to check the alphas against.
        bootstrap: number of draws of reciprocal cells.
        seed: of these draws.
        out: folder for NAME.order.csv, .json and .png; without it that of the first result.
        store: keep the table in the first result too.
        picture: also draw a PNG.
    """
    from unscatter.diffuse.plot.order import plot_order
    from unscatter.diffuse.refine.disorder_model import read_models
    from unscatter.diffuse.refine.molecules import model_form_factor
    from unscatter.diffuse.refine.order import refine_order as refine
    from unscatter.io.planes.npy import read as read_npy
    from unscatter.io.results.components import read_components
    from unscatter.io.results.order_tables import store_order, write_csv, write_json
    from unscatter.io.results.picture import save_figure

    if not results:
        raise ValueError("no result given; type for example: unscatter refine order plane.factorized.h5 --laue 6/m")
    if form_factor is not None and len(results) > 1:
        raise ValueError("--form-factor knows one plane; refine several with --model-a")
    if (form_factor is not None or model_a is not None) and against == "order":
        raise ValueError("--against order takes I_FF as factorized: leave out --form-factor and --model-a")
    if form_factor is not None and model_a is not None:
        raise ValueError("--form-factor and --model-a both say what I_FF is; give one of them")
    components = [read_components(path) for path in results]
    known = None if form_factor is None else [read_npy(form_factor).intensity]
    if model_a is not None:
        (model,) = read_models([model_a], [model_b], generate)
        known = [model_form_factor(one, model, debye_waller, radiation, saturation) for one in components]
    fit = refine(
        components,
        against=against if known is None else "form-factor",
        form_factors=known,
        laue=laue,
        vectors=[_vector(text) for text in vectors] or None,
        radius=radius,
        in_plane=in_plane,
        exclude=exclude,
        saturation=saturation,
        background=background,
        reach=reach,
        concentration=concentration,
        bootstrap=bootstrap,
        seed=seed,
    )
    say(str(fit))
    folder = results[0].parent if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{results[0].name.removesuffix('.h5').removesuffix('.factorized')}.order"
    write_csv(Path(f"{target}.csv"), fit)
    write_json(Path(f"{target}.json"), fit)
    if store:
        store_order(results[0], fit)
    if picture:
        save_figure(plot_order(fit), Path(f"{target}.png"))
    say(f"  wrote {target}.csv, .json" + (", .png" if picture else "") + (f"; {results[0]}" if store else ""))
    return 0


def _vector(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3 or not any(numbers):
        raise ValueError(f"vector {text!r} is not known: expected three whole numbers, not all zero, such as 1,0,0")
    return numbers


def refine_molecules(
    result: Positional[Path],
    /,
    model_a: tuple[str, ...],
    model_b: tuple[str, ...] = ("vacancy",),
    out: Path | None = None,
    generate: Annotated[tuple[str, ...], tyro.conf.arg(metavar="X,Y,Z")] = (),
    rotate: Annotated[tuple[tuple[str, str], ...], tyro.conf.arg(metavar="BOND RANGE")] = (),
    shift: Annotated[tuple[tuple[str, str], ...], tyro.conf.arg(metavar="DIRECTION RANGE")] = (),
    debye_waller: float | None = None,
    radiation: Literal["x-ray", "neutron"] = "x-ray",
    against: Literal["form-factor", "data"] = "form-factor",
    saturated: float | None = None,
    picture: bool = True,
) -> int:
    """Compare models of the two molecules with I_FF, scan what moves in them, and refine it.

    Several models are ranked first; the best of them is scanned and refined. Writes NAME.molecules.csv (parameters),
    NAME.scan.csv and NAME.molecules.png.

    Args:
        result: a file that `unscatter factorize` wrote, with known cell and axes.
        model_a: molecule A: CIF, SDF or XYZ; file.cif#2 takes disorder group 2. Several files are ranked.
        model_b: molecule B: a file as for A, "vacancy", or an operation that makes B of A, such as x,y,1/2-z.
            One for all A, or one for each.
        out: folder to write to; that of the result where it is left out.
        generate: operations that complete what the files list, such as -y,x-y,z for the arms of a molecule.
        rotate: bond or axis and a range in degrees: "N1-C7" -60:60:1. N1 stays, what hangs on C7 turns. Bonds joined
            by commas turn together; "B:[0 0 1]" turns B about c. Repeat the pair for more.
        shift: direction and a range in Angstrom: "B:[0 0 1]" -0.5:0.5:0.05.
        debye_waller: D_w in Angstrom^2; refined where it is left out.
        radiation: what was scattered.
        against: fit I_FF, or the measured intensity with I_SRO as a known factor.
        saturated: leave out measured intensities from here on.
        picture: also draw a PNG.
    """
    from unscatter.diffuse.crystal.motions import parse_range, parse_rotation, parse_shift
    from unscatter.diffuse.plot.molecules import plot_molecules
    from unscatter.diffuse.refine.disorder_model import read_models
    from unscatter.diffuse.refine.molecules import rank_models
    from unscatter.diffuse.refine.molecules import refine_molecules as refine
    from unscatter.io.results.components import read_components
    from unscatter.io.results.picture import save_figure
    from unscatter.io.results.rows import write_rows
    from unscatter.nouns.molecule_fit import describe_ranking

    components = read_components(result)
    models = read_models(model_a, model_b, generate)
    scans = [(parse_rotation(what), parse_range(values)) for what, values in rotate]
    moves = [*scans, *((parse_shift(what), parse_range(values)) for what, values in shift)]
    ranked = rank_models(components, models, debye_waller, radiation, against, saturated)
    if len(models) > 1:
        say(describe_ranking(ranked))
    best = next(model for model in models if model.name == ranked[0].name)
    fit = refine(components, best, moves, debye_waller, radiation, against, saturated)
    say(fit.describe())
    folder = result.parent if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    stem = result.stem.removesuffix(".factorized")
    kept = [fit, *(other for other in ranked if other.name != fit.name)]
    tables = {"molecules": [row for one in kept for row in one.rows()]}
    tables |= {"scan": [row for scan in fit.scans for row in scan.rows()]} if fit.scans else {}
    for name, rows in tables.items():
        write_rows(folder / f"{stem}.{name}.csv", rows)
        say(f"  wrote {folder / f'{stem}.{name}.csv'}")
    if picture:
        save_figure(plot_molecules(fit), folder / f"{stem}.molecules.png")
        say(f"        {folder / f'{stem}.molecules.png'}")
    return 0
