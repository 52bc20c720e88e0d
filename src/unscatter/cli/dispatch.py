"""From the words on the command line to a command; `unscatter COMMAND --help` explains each."""

from __future__ import annotations

import sys
from collections.abc import Callable

import tyro

from unscatter.cli.about import cite, demo, weights
from unscatter.cli.patterns import classify
from unscatter.cli.planes import factorize, report, supercell
from unscatter.cli.refining import refine_molecules, refine_order
from unscatter.cli.simulating import simulate_diffuse, simulate_powder, simulate_reflections
from unscatter.version import __version__


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

    asked = next((argument for argument in arguments if argument in ("factorize", "classify")), "factorize")
    network = _take_option(arguments, "--network", "")
    method = _take_option(arguments, "--method", "") if asked == "classify" else ""
    return {
        "encoder": train_encoder,
        **train_factorize_commands(network if asked == "factorize" else ""),
        **train_classify_commands(network if asked == "classify" else "", method),
    }


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
