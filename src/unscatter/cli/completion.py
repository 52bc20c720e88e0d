"""Completion in the shell: names of commands, their options and choices, by the TAB key."""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import Annotated, Any, Literal, Union

import tyro
from tyro.conf import OmitSubcommandPrefixes, Positional, subcommand


def completion(shell: Positional[Literal["bash", "zsh", "tcsh"]], /) -> int:
    """Print a script that completes commands and options by the TAB key: eval "$(unscatter completion bash)".

    Args:
        shell: which shell the script is for.
    """
    tyro.cli(
        _every_command(),
        prog="unscatter",
        args=["--tyro-print-completion", shell],
        config=(OmitSubcommandPrefixes,),
    )
    return 0


def _every_command() -> Any:
    """All commands as one type, those of a group inside it."""
    from unscatter.cli.dispatch import COMMANDS, GROUPS, load

    single = [_entry(job, load(job)) for job in COMMANDS if " " not in job]
    groups = []
    for group in GROUPS:
        inside = [job for job in COMMANDS if job.startswith(f"{group} ")]
        if inside:
            entries = tuple(_entry(job.removeprefix(f"{group} "), load(job)) for job in inside)
            groups.append(_entry(group, make_dataclass(group, [("command", Union[entries])])))  # noqa: UP007
    return Union[(*single, *groups)]


def _entry(name: str, made_by: Any) -> Any:
    return Annotated[Any, subcommand(name=name, constructor=made_by)]
