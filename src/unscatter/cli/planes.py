"""Commands on planes of diffuse scattering: take apart, judge, and back to a crystal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from unscatter.cli.files import each_file, indent, say

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
    from unscatter.diffuse.factorize.factorize import factorize as take_apart
    from unscatter.diffuse.plot.components import plot_components, summarize
    from unscatter.diffuse.suitability import assess_suitability
    from unscatter.io.files import sha256_of
    from unscatter.io.planes.read import read_plane
    from unscatter.io.results.components import write_components
    from unscatter.io.results.picture import save_figure
    from unscatter.nouns.cell import Cell

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
        say(f"{path}\n{indent(summarize(components))}\n{indent(suitability.brief())}\n  wrote      {target}")
        if picture:
            save_figure(plot_components(components), target.with_suffix(".png"))
            say(f"             {target.with_suffix('.png')}")

    return each_file(files, one)


def _name_sections(planes: tuple[str, ...]) -> dict[str | None, str]:
    """What each plane of a volume adds to the name of its result: nothing where there is one, .hk1 where several."""
    if len(planes) < 2:
        return {next(iter(planes), None): ""}
    endings = [f".{re.sub(r'[^0-9A-Za-z.,+-]+', '_', plane)}" for plane in planes]
    for plane, ending in zip(planes, endings, strict=True):
        if endings.count(ending) > 1:
            raise ValueError(f"--plane {plane} would be written twice as NAME{ending}.factorized.h5; name it once")
    return dict(zip(planes, endings, strict=True))


def report(files: Positional[tuple[Path, ...]], /, out: Path | None = None, picture: bool = True) -> int:
    """Say whether the crystal is suitable: what the data tell of the assumptions behind I_D = I_FF I_SRO.

    Prints every finding with its number, its limits and what it means; draws NAME.suitability.png.

    Args:
        files: results of `unscatter factorize`.
        out: folder for the pictures; that of the result where it is left out.
        picture: also draw a PNG.
    """
    from unscatter.diffuse.suitability import assess_suitability
    from unscatter.io.results.components import read_components
    from unscatter.io.results.picture import save_figure

    def one(path: Path) -> None:
        components = read_components(path)
        suitability = assess_suitability(components, images=picture)
        say(f"{path}\n{indent(str(suitability))}")
        if picture:
            from unscatter.diffuse.plot.suitability import plot_suitability

            folder = path.parent if out is None else out
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{path.stem.removesuffix('.factorized')}.suitability.png"
            save_figure(plot_suitability(components, suitability), target)
            say(f"  wrote      {target}")

    return each_file(files, one, example="unscatter report plane.factorized.h5")


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
    from unscatter.io.results.components import read_components
    from unscatter.io.results.rows import write_rows
    from unscatter.io.results.supercell import read_targets, write_cif, write_discus, write_yell

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
    say(str(drawn))
    if concentration is None:
        say("  a concentration of 0.5 was assumed; give another with --concentration")
    say(f"  {close_loop(components, drawn)}")
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
        say(f"  {'     ' if count else 'wrote'} {path}")
    return 0
