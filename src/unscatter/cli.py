"""The commands, one function each; `unscatter COMMAND --help` explains them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TextIO

import tyro
from tyro.conf import Positional

from unscatter.version import __version__

Cell6 = tuple[float, ...]
Text = Annotated[str | None, tyro.conf.arg(metavar="TEXT")]


def factorize(
    files: Positional[tuple[Path, ...]],
    /,
    out: Path = Path(),
    plane: Annotated[tuple[str, ...], tyro.conf.arg(metavar="TEXT"), tyro.conf.UseAppendAction] = (),
    cell: Annotated[Cell6 | None, tyro.conf.arg(metavar="A B C ALPHA BETA GAMMA")] = None,
    axes: Text = None,
    mask: Text = None,
    dataset: Text = None,
    negative: Literal["refuse", "clip", "shift"] = "refuse",
    zeros_missing: bool = True,
    weights: str = "factorize-256",
    find_lattice: bool = False,
    picture: bool = True,
) -> int:
    """Take planes of diffuse scattering apart: I_D -> I_FF x I_SRO, written as HDF5 and PNG.

    Args:
        files: .npy, TIFF or HDF5 (NeXus, Yell, Meerkat, Mantid, DISCUS), a plane or a volume.
        out: folder for NAME.factorized.h5 and NAME.factorized.png.
        plane: plane to cut from a volume: hk1, h0l, hhl, "origin=0,0,0.5 u=1,1,0 v=0,0,1". Repeat it for several;
            results are then NAME.hk1.factorized.h5 and so on.
        cell: a b c alpha beta gamma, in Angstrom and degrees, where the file does not say.
        axes: indices of the pixels, where the file does not say: "h=-8:8 k=-8:8 l=1".
        mask: file of the same shape, non-zero = not measured (.npy, TIFF, or file.h5::path).
        dataset: which data set of an HDF5 file.
        negative: what to do with negative intensities.
        zeros_missing: exact zeros were not measured (detector gaps).
        weights: name or path of the network.
        find_lattice: where the lattice is not known, look for it in the picture.
        picture: also draw a PNG.
    """
    from unscatter.diffuse.factorize import factorize as take_apart
    from unscatter.diffuse.plot import plot_components, summarize
    from unscatter.diffuse.suitability import assess_suitability
    from unscatter.io.files import sha256_of
    from unscatter.io.picture import save_figure
    from unscatter.io.planes import read_plane
    from unscatter.io.result import write_components
    from unscatter.types import Cell

    sections = _name_sections(plane)

    def one(path: Path) -> None:
        for section, ending in sections.items():
            take(path, section, f"{path.stem}{ending}.factorized.h5")

    def take(path: Path, section: str | None, name: str) -> None:
        measured = read_plane(
            path,
            plane=section,
            cell=None if cell is None else Cell.from_sequence(cell),
            axes=axes,
            mask=mask,
            dataset=dataset,
            negative=negative,
            zeros_missing=zeros_missing,
        )
        if cell is not None and measured.axes is None:
            raise ValueError(
                f'{path}: a cell does not say where the pixels lie; add --axes, such as "h=-8:8 k=-8:8 l=1"'
            )
        components = take_apart(measured, weights, find_lattice=find_lattice)
        components.provenance["input"] = path.name
        components.provenance["input_sha256"] = sha256_of(path)
        suitability = assess_suitability(components, images=False)
        components.provenance["suitability"] = suitability.rows()
        out.mkdir(parents=True, exist_ok=True)
        target = out / name
        write_components(target, components)
        _say(f"{path}\n{_indent(summarize(components))}\n{_indent(suitability.brief())}\n  wrote      {target}")
        if picture:
            save_figure(plot_components(components), target.with_suffix(".png"))
            _say(f"             {target.with_suffix('.png')}")

    return _each(files, one)


def _name_sections(planes: tuple[str, ...]) -> dict[str | None, str]:
    """What each plane of a volume adds to the name of its result: nothing where there is one, .hk1 where several."""
    if len(planes) < 2:
        return {next(iter(planes), None): ""}
    endings = [f".{re.sub(r'[^0-9A-Za-z.,+-]+', '_', plane)}" for plane in planes]
    for plane, ending in zip(planes, endings, strict=True):
        if endings.count(ending) > 1:
            raise ValueError(f"--plane {plane} would be written twice as NAME{ending}.factorized.h5; name it once")
    return dict(zip(planes, endings, strict=True))


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
    from unscatter.io.ranking import write_csv, write_json, write_summary
    from unscatter.powder.classify import classify as rank

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
        out.mkdir(parents=True, exist_ok=True)
        targets = [out / f"{path.stem}.classified.{kind}" for kind in ("json", "csv", "png")]
        write_json(targets[0], ranking)
        write_csv(targets[1], ranking)
        if picture:
            from unscatter.io.picture import save_figure
            from unscatter.powder.plot import plot_ranking

            save_figure(plot_ranking(ranking), targets[2])
        written = "\n".join(f"{'' if k else 'wrote':<16} {target}" for k, target in enumerate(targets[: 2 + picture]))
        _say(f"{path}\n{_indent(ranking.describe())}\n{_indent(written)}")
        rankings.append(ranking)

    code = _each(files, one, example="unscatter classify corundum.xye")
    if len(rankings) > 1:
        write_summary(out / "classified.csv", rankings)
        print(f"all of them in {out / 'classified.csv'}")
    return code


def demo(out: Path = Path("demo")) -> int:
    """Simulate a plane and take it apart, simulate a powder pattern and classify it: what unscatter does, in seconds.

    Args:
        out: folder for the simulated data, the results and the pictures.
    """
    from unscatter.diffuse.demonstration import simulate_demonstration
    from unscatter.io.result import write_plane
    from unscatter.powder.demonstration import simulate_corundum, write_pattern

    out.mkdir(parents=True, exist_ok=True)
    plane, pattern = out / "trisamide_hk1_simulated.h5", out / "corundum_simulated.xye"
    write_plane(plane, simulate_demonstration().plane)
    write_pattern(pattern, simulate_corundum())
    return max(factorize((plane,), out=out), classify((pattern,), out=out))


def simulate_diffuse(
    out: Path,
    recipe: str = "physical",
    count: int = 1000,
    seed: int = 0,
    split: Literal["training", "validation"] = "training",
    drop_duplicates: bool = False,
) -> int:
    """Write a frozen set of simulated planes with their I_FF and I_SRO; goes on where it was interrupted.

    Args:
        out: HDF5 file to write.
        recipe: paper, physical, measured, or the path of a TOML file.
        count: number of samples.
        seed: another seed is another set.
        split: which molecules and models to draw from.
        drop_duplicates: leave out near-duplicates by sliced Wasserstein distance.
    """
    from unscatter.diffuse.duplicates import THRESHOLD
    from unscatter.diffuse.frozen import write_samples
    from unscatter.diffuse.samples import read_recipe

    write_samples(
        out, read_recipe(recipe), count, seed=seed, split=split, drop_duplicates=THRESHOLD if drop_duplicates else None
    )
    return 0


def simulate_powder(
    out: Path,
    recipe: str = "paper",
    count: int = 1000,
    seed: int = 0,
    structures: tuple[Path, ...] = (),
    axis: Literal["network", "instrument"] | None = None,
) -> int:
    """Write a frozen set of simulated powder patterns with their space groups; goes on where it was interrupted.

    Args:
        out: HDF5 file to write.
        recipe: paper, measured, or the path of a TOML file.
        count: number of samples.
        seed: another seed is another set.
        structures: files that `unscatter simulate reflections` wrote; random crystals where none is given.
        axis: network (three channels, free of the wavelength) or instrument, where not as the recipe says.
    """
    from dataclasses import replace

    from unscatter.powder.frozen import write_samples
    from unscatter.powder.samples import CachedCrystals, RandomCrystals, read_recipe

    chosen = read_recipe(recipe)
    if axis is not None:
        chosen = replace(chosen, axis=axis)
    write_samples(out, chosen, count, CachedCrystals(structures) if structures else RandomCrystals(seed), seed)
    return 0


def simulate_reflections(
    sources: Positional[tuple[Path, ...]], /, out: Path, workers: int = 1, years: Path | None = None
) -> int:
    """Compute the lines of many structures once, neutrons and X-rays, for training; goes on where it was interrupted.

    Args:
        sources: folders or zips of CIFs, or .parquet or .csv tables of structures.
        out: HDF5 file to write, about 2 kB a structure.
        workers: number of processes.
        years: .csv or .csv.gz with columns material_id and year, for splits in time.
    """
    from unscatter.powder.cache import read_years, write_reflection_cache

    failed = write_reflection_cache(sources, out, workers, years=None if years is None else read_years(years))
    for name, reason in failed.items():
        print(f"left out {name}: {reason}", file=sys.stderr)
    return 0


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
    from unscatter.diffuse.disorder_model import read_models
    from unscatter.diffuse.plot_order import plot_order
    from unscatter.diffuse.refine_molecules import model_form_factor
    from unscatter.diffuse.refine_order import refine_order as refine
    from unscatter.io.npy import read as read_npy
    from unscatter.io.order_tables import store_order, write_csv, write_json
    from unscatter.io.picture import save_figure
    from unscatter.io.result import read_components

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
    _say(str(fit))
    folder = results[0].parent if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{results[0].name.removesuffix('.h5').removesuffix('.factorized')}.order"
    write_csv(Path(f"{target}.csv"), fit)
    write_json(Path(f"{target}.json"), fit)
    if store:
        store_order(results[0], fit)
    if picture:
        save_figure(plot_order(fit), Path(f"{target}.png"))
    _say(f"  wrote {target}.csv, .json" + (", .png" if picture else "") + (f"; {results[0]}" if store else ""))
    return 0


def _vector(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3 or not any(numbers):
        raise ValueError(f"vector {text!r} is not known: expected three whole numbers, not all zero, such as 1,0,0")
    return numbers


def weights() -> int:
    """List the trained networks that are shipped, with what they scored."""
    from unscatter.weights import describe_card, list_weights

    for card in list_weights():
        print(describe_card(card))
    return 0


def cite(result: Positional[Path], /) -> int:
    """Print what to cite for a result file: the software and the methods and weights that made it.

    Args:
        result: a file that `unscatter factorize` (.h5) or `unscatter classify` (.json) wrote.
    """
    from unscatter.io.ranking import read_provenance
    from unscatter.io.result import read_components
    from unscatter.weights import find_weights

    provenance = read_provenance(result) if result.suffix == ".json" else read_components(result).provenance
    print(f"unscatter {provenance['version']} (BSD-3-Clause)")
    for reference in find_weights(str(provenance["weights"])).cite:
        print(reference)
    return 0


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
    from unscatter.diffuse.disorder_model import read_models
    from unscatter.diffuse.motions import parse_range, parse_rotation, parse_shift
    from unscatter.diffuse.plot_molecules import plot_molecules
    from unscatter.diffuse.refine_molecules import rank_models
    from unscatter.diffuse.refine_molecules import refine_molecules as refine
    from unscatter.io.picture import save_figure
    from unscatter.io.result import read_components
    from unscatter.io.rows import write_rows
    from unscatter.molecule_fit import describe_ranking

    components = read_components(result)
    models = read_models(model_a, model_b, generate)
    scans = [(parse_rotation(what), parse_range(values)) for what, values in rotate]
    moves = [*scans, *((parse_shift(what), parse_range(values)) for what, values in shift)]
    ranked = rank_models(components, models, debye_waller, radiation, against, saturated)
    if len(models) > 1:
        _say(describe_ranking(ranked))
    best = next(model for model in models if model.name == ranked[0].name)
    fit = refine(components, best, moves, debye_waller, radiation, against, saturated)
    _say(fit.describe())
    folder = result.parent if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    stem = result.stem.removesuffix(".factorized")
    kept = [fit, *(other for other in ranked if other.name != fit.name)]
    tables = {"molecules": [row for one in kept for row in one.rows()]}
    tables |= {"scan": [row for scan in fit.scans for row in scan.rows()]} if fit.scans else {}
    for name, rows in tables.items():
        write_rows(folder / f"{stem}.{name}.csv", rows)
        _say(f"  wrote {folder / f'{stem}.{name}.csv'}")
    if picture:
        save_figure(plot_molecules(fit), folder / f"{stem}.molecules.png")
        _say(f"        {folder / f'{stem}.molecules.png'}")
    return 0


def report(files: Positional[tuple[Path, ...]], /, out: Path | None = None, picture: bool = True) -> int:
    """Say whether the crystal is suitable: what the data tell of the assumptions behind I_D = I_FF I_SRO.

    Prints every finding with its number, its limits and what it means; draws NAME.suitability.png.

    Args:
        files: results of `unscatter factorize`.
        out: folder for the pictures; that of the result where it is left out.
        picture: also draw a PNG.
    """
    from unscatter.diffuse.suitability import assess_suitability
    from unscatter.io.picture import save_figure
    from unscatter.io.result import read_components

    def one(path: Path) -> None:
        components = read_components(path)
        suitability = assess_suitability(components, images=picture)
        _say(f"{path}\n{_indent(str(suitability))}")
        if picture:
            from unscatter.diffuse.plot_suitability import plot_suitability

            folder = path.parent if out is None else out
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{path.stem.removesuffix('.factorized')}.suitability.png"
            save_figure(plot_suitability(components, suitability), target)
            _say(f"  wrote      {target}")

    return _each(files, one, example="unscatter report plane.factorized.h5")


def supercell(
    result: Positional[Path],
    /,
    out: Path | None = None,
    alphas: Path | None = None,
    laue: Text = None,
    concentration: float | None = None,
    box: Annotated[tuple[int, int, int] | None, tyro.conf.arg(metavar="NA NB NC")] = None,
    boxes: int | None = None,
    sweeps: int = 24,
    seed: int = 0,
    model_a: Text = None,
    model_b: Text = None,
    generate: Annotated[tuple[str, ...], tyro.conf.arg(metavar="X,Y,Z")] = (),
) -> int:
    """Draw a crystal that has the refined alphas, recompute the plane from it, and compare with the data.

    Writes NAME.supercell.cif (P1), NAME.supercell.stru (DISCUS), NAME.supercell.yell.txt (Yell) and
    NAME.supercell.csv (alphas: targets and what was reached).

    Args:
        result: a file that `unscatter factorize` wrote, after `unscatter refine order`.
        out: folder to write to; that of the result where it is left out.
        alphas: CSV or JSON table of alphas (u, v, w, alpha, standard_error) to use instead of those in the result.
        laue: Laue class that ties vectors, in place of the one that was refined in; -1 for a table without one.
        concentration: fraction of A; 0.5 is assumed where it is left out.
        box: cells along a, b, c; 48 x 48 x 1 for layers without order between them, 20 x 20 x 20 otherwise.
        boxes: how many boxes are drawn and averaged; the first is written.
        sweeps: proposed swaps a site.
        seed: another seed is another crystal.
        model_a: molecule A for the files: CIF, SDF or XYZ; placeholder atoms where it is left out.
        model_b: molecule B: a file, "vacancy", or an operation that makes B of A, such as x,y,1/2-z.
        generate: operations that complete what the files list.
    """
    from unscatter.diffuse.supercell import close_loop, draw_supercell, read_species_pair
    from unscatter.io.result import read_components
    from unscatter.io.rows import write_rows
    from unscatter.io.supercell import read_targets, write_cif, write_discus, write_yell

    components = read_components(result)
    cell, axes = components.plane.cell, components.plane.axes
    if cell is None or axes is None:
        raise ValueError(f"{result} has no cell or no axes; factorize it again with --cell and --axes")
    targets = read_targets(result if alphas is None else alphas, laue)
    a, b = read_species_pair(cell, model_a, model_b, generate)
    drawn = draw_supercell(
        targets,
        cell,
        concentration=0.5 if concentration is None else concentration,
        box=box,
        boxes=boxes,
        sweeps=sweeps,
        seed=seed,
    )
    _say(str(drawn))
    if concentration is None:
        _say("  a concentration of 0.5 was assumed; give another with --concentration")
    _say(f"  {close_loop(components, drawn)}")
    folder = result.parent if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / result.stem.removesuffix(".factorized")
    paths = [Path(f"{stem}.supercell.{ending}") for ending in ("cif", "stru", "yell.txt", "csv")]
    write_cif(paths[0], drawn, a, b)
    write_discus(paths[1], drawn, a, b)
    h, k, l = (float(abs(axes.hkl()[..., i]).max()) for i in range(3))  # noqa: E741
    write_yell(paths[2], drawn, a, b, (h, k, l))
    write_rows(paths[3], drawn.rows())
    for count, path in enumerate(paths):
        _say(f"  {'     ' if count else 'wrote'} {path}")
    return 0


def _commands() -> dict[str, Callable[..., int]]:
    return {
        "factorize": factorize,
        "report": report,
        "supercell": supercell,
        "classify": classify,
        "demo": demo,
        "weights": weights,
        "cite": cite,
    }


def _simulate_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    return {"diffuse": simulate_diffuse, "powder": simulate_powder, "reflections": simulate_reflections}


def _train_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    _require_torch("train")
    from unscatter.train.commands import train_classify_commands, train_encoder, train_factorize_commands

    makers = {"factorize": (train_factorize_commands, "unet"), "classify": (train_classify_commands, "convnext1d")}
    asked = next((argument for argument in arguments if argument in makers), "factorize")
    commands: dict[str, Callable[..., int]] = {"encoder": train_encoder}
    for name, (make, usual) in makers.items():
        commands |= make(_take_option(arguments, "--network", usual) if name == asked else usual)
    return commands


def _refine_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    _shelter_ranges(arguments)
    return {"order": refine_order, "molecules": refine_molecules}


def _evaluate_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    _require_torch("evaluate")
    from unscatter.train import commands

    return {"factorize": commands.evaluate_factorize, "classify": commands.evaluate_classify}


def _export_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    _require_torch("export")
    from unscatter.train import commands

    return {
        "factorize": commands.export_weights,
        "classify": commands.export_classifier,
        "encoder": commands.export_encoder_weights,
    }


#: Commands that have commands of their own: what they are for, and how to get them.
GROUPS: dict[str, tuple[str, Callable[[list[str]], dict[str, Callable[..., int]]]]] = {
    "simulate": (
        "Make frozen sets of simulated data: unscatter simulate diffuse (or powder, reflections) --help.",
        _simulate_commands,
    ),
    "refine": (
        "Refine what the factors tell of the crystal: unscatter refine order (or molecules) --help.",
        _refine_commands,
    ),
    "train": ("Train networks: unscatter train factorize --help.", _train_commands),
    "export": (
        "Turn a checkpoint into weights to ship: unscatter export factorize --help.",
        _export_commands,
    ),
    "evaluate": (
        "Score networks on held-out samples: unscatter evaluate factorize --help.",
        _evaluate_commands,
    ),
}


def main(arguments: list[str] | None = None) -> None:
    """Run a command; errors a user can mend are one line on standard error and exit code 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--version"]:
        print(f"unscatter {__version__}")
        return
    try:
        sys.exit(_run(arguments))
    except (ValueError, OSError) as error:
        print(f"unscatter: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("unscatter: interrupted; nothing half-written was left behind", file=sys.stderr)
        sys.exit(130)


def _run(arguments: list[str]) -> int:
    """Dispatch; the commands of a group are loaded only when the group is asked for."""
    if arguments and arguments[0] in GROUPS:
        program, rest = f"unscatter {arguments[0]}", arguments[1:]
        commands = GROUPS[arguments[0]][1](rest)
    else:
        if arguments[:1] == ["supercell"]:
            _shelter_ranges(arguments)
        commands, program, rest = {**_commands(), **_placeholders()}, "unscatter", arguments
    description = "Deep learning that takes diffraction data apart."
    code: int = tyro.extras.subcommand_cli_from_dict(
        commands, prog=program, description=description, args=rest or ["--help"]
    )
    return code


def _take_option(arguments: list[str], name: str, default: str) -> str:
    """Take `name value` (or name=value) out of the arguments: an option that decides which others there are."""
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{name}="):
            return arguments.pop(place).split("=", 1)[1]
        if argument == name and place + 1 < len(arguments):
            return [arguments.pop(place), arguments.pop(place)][1]
    return default


def _shelter_ranges(arguments: list[str]) -> None:
    """Put a space before a range such as -60:60:1 and an operation such as -y,x-y,z, lest they look like options."""
    for place, argument in enumerate(arguments):
        if argument[:1] == "-" and argument[1:2] not in ("-", "") and (":" in argument or argument.count(",") == 2):
            arguments[place] = f" {argument}"


def _placeholders() -> dict[str, Callable[..., int]]:
    """Entries that stand for the groups in the list of commands."""

    def entry(purpose: str) -> Callable[..., int]:
        def placeholder() -> int:
            return 0

        placeholder.__doc__ = purpose
        return placeholder

    return {name: entry(purpose) for name, (purpose, _) in GROUPS.items()}


def _require_torch(what: str) -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise ValueError(f'unscatter {what} needs PyTorch; type: pip install "unscatter[train]"')


def _each(files: tuple[Path, ...], work: Callable[[Path], None], example: str = "unscatter factorize plane.h5") -> int:
    """Do the work for every file; one that fails is reported and does not stop the rest."""
    from tqdm import tqdm

    if not files:
        raise ValueError(f"no file given; type for example: {example}")
    failed = 0
    # disable=None: a bar on a terminal, none in a log.
    for path in tqdm(files, unit="file", leave=False, disable=True if len(files) == 1 else None):
        try:
            work(path)
        except (ValueError, OSError) as error:
            if len(files) == 1:
                raise
            failed += 1
            _say(f"unscatter: {error}", file=sys.stderr)
    if failed:
        print(f"unscatter: {failed} of {len(files)} files failed", file=sys.stderr)
    return 2 if failed else 0


def _say(text: str, file: TextIO | None = None) -> None:
    """Print without tearing the progress bar."""
    from tqdm import tqdm

    tqdm.write(text, file=file or sys.stdout)


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


def _indent(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
