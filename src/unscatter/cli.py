"""The commands, one function each; `unscatter COMMAND --help` explains them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from unscatter.version import __version__

Cell6 = tuple[float, ...]
Text = Annotated[str | None, tyro.conf.arg(metavar="TEXT")]


def factorize(
    files: Positional[tuple[Path, ...]],
    /,
    out: Path = Path(),
    plane: Text = None,
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
        plane: plane to cut from a volume: hk1, h0l, hhl, "origin=0,0,0.5 u=1,1,0 v=0,0,1".
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
    from unscatter.diffuse.plot import plot_components, save_figure, summarize
    from unscatter.io.files import sha256_of
    from unscatter.io.planes import read_plane
    from unscatter.io.result import write_components
    from unscatter.types import Cell

    def one(path: Path) -> None:
        measured = read_plane(
            path,
            plane=plane,
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
        out.mkdir(parents=True, exist_ok=True)
        target = out / f"{path.stem}.factorized.h5"
        write_components(target, components)
        print(f"{path}\n{_indent(summarize(components))}\n  wrote      {target}")
        if picture:
            save_figure(plot_components(components), target.with_suffix(".png"))
            print(f"             {target.with_suffix('.png')}")

    return _each(files, one)


def demo(out: Path = Path("demo")) -> int:
    """Simulate the demonstration plane and take it apart: a look at what unscatter does, in seconds.

    Args:
        out: folder for the plane, the result and the picture.
    """
    from unscatter.diffuse.demonstration import simulate_demonstration
    from unscatter.io.result import write_plane

    out.mkdir(parents=True, exist_ok=True)
    path = out / "trisamide_hk1_simulated.h5"
    write_plane(path, simulate_demonstration().plane)
    return factorize((path,), out=out)


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


def weights() -> int:
    """List the trained networks that are shipped, with what they scored."""
    from unscatter.weights import describe_card, list_weights

    for card in list_weights():
        print(describe_card(card))
    return 0


def cite(result: Positional[Path], /) -> int:
    """Print what to cite for a result file: the software and the methods and weights that made it.

    Args:
        result: a file that `unscatter factorize` wrote.
    """
    from unscatter.io.result import read_components
    from unscatter.weights import find_weights

    provenance = read_components(result).provenance
    print(f"unscatter {provenance['version']} (BSD-3-Clause)")
    for reference in find_weights(str(provenance["weights"])).cite:
        print(reference)
    return 0


def _commands() -> dict[str, Callable[..., int]]:
    return {"factorize": factorize, "demo": demo, "weights": weights, "cite": cite}


def _simulate_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    return {"diffuse": simulate_diffuse}


def _train_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    _require_torch("train")
    from unscatter.train.commands import train_factorize_commands

    return train_factorize_commands(_take_option(arguments, "--network", "unet"))


def _evaluate_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    _require_torch("evaluate")
    from unscatter.train import commands

    return {"factorize": commands.evaluate_factorize}


def _export_commands(arguments: list[str]) -> dict[str, Callable[..., int]]:
    _require_torch("export")
    from unscatter.train import commands

    return {"factorize": commands.export_weights}


#: Commands that have commands of their own: what they are for, and how to get them.
GROUPS: dict[str, tuple[str, Callable[[list[str]], dict[str, Callable[..., int]]]]] = {
    "simulate": (
        "Make frozen sets of simulated data: unscatter simulate diffuse --help.",
        _simulate_commands,
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


def _each(files: tuple[Path, ...], work: Callable[[Path], None]) -> int:
    """Do the work for every file; one that fails is reported and does not stop the rest."""
    if not files:
        raise ValueError("no file given; type for example: unscatter factorize plane.h5")
    failed = 0
    for path in files:
        try:
            work(path)
        except (ValueError, OSError) as error:
            if len(files) == 1:
                raise
            failed += 1
            print(f"unscatter: {error}", file=sys.stderr)
    if failed:
        print(f"unscatter: {failed} of {len(files)} files failed", file=sys.stderr)
    return 2 if failed else 0


def _indent(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
