"""From the words on the command line to a command; `unscatter COMMAND --help` explains each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module

from unscatter.version import __version__

Command = Callable[..., int]

#: Where each command is, and what it is for; loaded when it is asked for. A command of two words is in a group.
COMMANDS = {
    "factorize": ("planes", "Take planes of diffuse scattering apart: I_D -> I_FF x I_SRO, written as HDF5 and PNG."),
    "report": ("planes", "Say whether the crystal is suitable: what the data tell of the assumptions behind a result."),
    "refine order": ("refining", "Refine Warren-Cowley parameters from planes that were taken apart."),
    "refine molecules": ("refining", "Compare models of the two molecules with I_FF, and refine what moves in them."),
    "supercell": ("refining", "Draw a crystal that has the refined alphas, and recompute the plane from it."),
    "classify": ("patterns", "Rank Bravais lattices, extinction groups and space groups of powder patterns."),
    "index": ("patterns", "Find the lattices that explain the lines of powder patterns, with figures of merit."),
    "fit": ("patterns", "Fit a cell that is given to whole powder patterns: refined cell, R values, absences."),
    "watch": ("watching", "Watch a folder: work on planes and patterns as they are written, each once."),
    "serve": ("serving", "Serve a local page and a JSON API onto the same jobs."),
    "demo": ("about", "Simulate a plane and a powder pattern, and take apart the one and classify the other."),
    "options": ("about", "Print the options that made a result, as TOML, to make it again."),
    "doctor": ("about", "Say what is installed and whether it works."),
    "weights": ("about", "List the trained networks that are shipped, with what they scored."),
    "cite": ("about", "Print what to cite for a result file, as BibTeX."),
    "completion": ("completion", "Print a script that completes commands and options by the TAB key."),
    "simulate diffuse": ("simulating", "Write a frozen set of simulated planes with their I_FF and I_SRO."),
    "simulate powder": ("simulating", "Write a frozen set of simulated powder patterns with their space groups."),
    "simulate reflections": ("simulating", "Compute the lines of many structures once, for training."),
}
#: Commands of the workshop, which needs PyTorch: made when they are asked for, as options decide which there are.
WORKSHOP = ("train", "export", "evaluate")
#: What the groups are for.
GROUPS = {
    "refine": "Refine what the factors tell of the crystal: unscatter refine order (or molecules) --help.",
    "simulate": "Make frozen sets of simulated data: unscatter simulate diffuse (or powder, reflections) --help.",
    "train": "Train networks: unscatter train factorize --help.",
    "export": "Turn a checkpoint into weights to ship: unscatter export factorize --help.",
    "evaluate": "Score networks on held-out samples: unscatter evaluate factorize --help.",
}
DESCRIPTION = "Deep learning that takes diffraction data apart."


def main(arguments: list[str] | None = None) -> None:
    """Run a command; errors a user can mend are one line on standard error and exit code 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--version"]:
        print(f"unscatter {__version__}")
        return
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
        sys.exit(code)
    except BrokenPipeError:
        # Who reads has seen enough, as in `unscatter ... | head`: end as a program does that the signal ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ValueError, OSError, MemoryError) as error:
        print(f"unscatter: {_words_of(error)}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("unscatter: interrupted; nothing half-written was left behind", file=sys.stderr)
        sys.exit(130)


def _words_of(error: BaseException) -> str:
    from pydantic import ValidationError

    from unscatter.cli.files import words_of
    from unscatter.jobs.options import explain

    return explain(error) if isinstance(error, ValidationError) else words_of(error)


def _run(arguments: list[str]) -> int:
    """Load the one command that was asked for, and run it; with none, or an unknown one, show which there are."""
    import tyro

    from unscatter.cli.arguments import gather_repeats, rename_old, shelter_ranges, with_options_file
    from unscatter.cli.screen import listen

    listen()
    words, rest = _split(arguments)
    if words[:1] and words[0] in WORKSHOP:
        return _run_workshop(words[0], arguments[1:])
    if " ".join(words) not in COMMANDS:
        group = words[0] if words and words[0] in GROUPS else ""
        code: int = tyro.extras.subcommand_cli_from_dict(
            _placeholders(group),
            prog=f"unscatter {group}".strip(),
            description=GROUPS.get(group, DESCRIPTION),
            args=arguments[bool(group) :] or ["--help"],
        )
        return code
    job = " ".join(words)
    command = load(job)
    rest = gather_repeats(shelter_ranges(rename_old(rest)), command)
    chosen = with_options_file(command, rest, job)
    answer: int = tyro.cli(chosen, prog=f"unscatter {job}", args=rest)
    return answer


def load(job: str) -> Command:
    """The function of a command."""
    command: Command = getattr(import_module(f"unscatter.cli.{COMMANDS[job][0]}"), job.replace(" ", "_"))
    return command


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The words that name a command, and the rest."""
    count = 2 if arguments[:1] and arguments[0] in GROUPS else 1
    words = arguments[:count]
    return words, arguments[count:]


def _placeholders(group: str) -> dict[str, Command]:
    """Entries that stand for the commands of a group, or for all commands and groups, in the list that help shows."""

    def entry(purpose: str) -> Command:
        def placeholder() -> int:
            return 0

        placeholder.__doc__ = purpose
        return placeholder

    if group:
        return {
            name.removeprefix(f"{group} "): entry(purpose)
            for name, (_, purpose) in COMMANDS.items()
            if name.startswith(f"{group} ")
        }
    single = {name: entry(purpose) for name, (_, purpose) in COMMANDS.items() if " " not in name}
    return single | {name: entry(purpose) for name, purpose in GROUPS.items()}


# --- The workshop -------------------------------------------------------------------------------------------------


def _run_workshop(group: str, arguments: list[str]) -> int:
    import tyro

    commands = {"train": _train_commands, "export": _export_commands, "evaluate": _evaluate_commands}[group]
    _require_torch(group)
    made = commands(arguments)
    code: int = tyro.extras.subcommand_cli_from_dict(
        made, prog=f"unscatter {group}", description=GROUPS[group], args=arguments or ["--help"]
    )
    return code


def _train_commands(arguments: list[str]) -> dict[str, Command]:
    from unscatter.cli.arguments import take_option
    from unscatter.train.commands import train_classify_commands, train_encoder, train_factorize_commands

    asked = next((argument for argument in arguments if argument in ("factorize", "classify")), "factorize")
    network = take_option(arguments, "--network", "")
    method = take_option(arguments, "--method", "") if asked == "classify" else ""
    return {
        "encoder": train_encoder,
        **train_factorize_commands(network if asked == "factorize" else ""),
        **train_classify_commands(network if asked == "classify" else "", method),
    }


def _evaluate_commands(arguments: list[str]) -> dict[str, Command]:
    from unscatter.train import commands

    return {"factorize": commands.evaluate_factorize, "classify": commands.evaluate_classify}


def _export_commands(arguments: list[str]) -> dict[str, Command]:
    from unscatter.train import commands

    return {
        "factorize": commands.export_weights,
        "classify": commands.export_classifier,
        "encoder": commands.export_encoder_weights,
    }


def _require_torch(what: str) -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise ValueError(f'unscatter {what} needs PyTorch; type: pip install "unscatter[train]"')
