"""What is done with the words on the command line before they are read: repeats, ranges, and a file of options."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from tyro.conf import UseAppendAction

from unscatter.jobs.options import make_options, read_options

Command = Callable[..., int]
logger = logging.getLogger(__name__)

#: What options were called, and what stands in their place.
RENAMED = {"--zeros-missing": ("--zeros", "missing"), "--no-zeros-missing": ("--zeros", "measured")}


def options_of(command: Command) -> type[Any] | None:
    """The options dataclass that a command takes as `options`, None where it takes none."""
    hint = get_type_hints(command).get("options")
    return hint if is_dataclass(hint) and isinstance(hint, type) else None


def with_options_file(command: Command, arguments: list[str], job: str) -> Command:
    """The command with the options of --options FILE as its defaults; typed options win.

    Raises ValueError for a file without options of this job, or with what are none.
    """
    path, kind = _value_of(arguments, "--options"), options_of(command)
    if path is None:
        return command
    if kind is None:
        raise ValueError(f"unscatter {job} takes no --options: it is no job with options of its own")
    typed = {_name(argument).removeprefix("--").removeprefix("no-") for argument in arguments if argument[:2] == "--"}
    table = {name: value for name, value in read_options(path, job).items() if name.replace("_", "-") not in typed}
    return _with_default(command, "options", make_options(kind, table, f"{path}: [{job}]"))


def _with_default(command: Command, name: str, value: Any) -> Command:
    @functools.wraps(command)
    def changed(*positional: Any, **named: Any) -> int:
        return command(*positional, **named)

    signature = inspect.signature(command)
    parameters = [p.replace(default=value) if p.name == name else p for p in signature.parameters.values()]
    changed.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return changed


def rename_old(arguments: list[str]) -> list[str]:
    """Put the present names in place of those that options had, and say so."""
    kept: list[str] = []
    for argument in arguments:
        name = _name(argument)
        if name in RENAMED:
            logger.warning("%s is now %s", name, " ".join(RENAMED[name]))
        kept += RENAMED.get(name, (argument,))
    return kept


def gather_repeats(arguments: list[str], command: Command) -> list[str]:
    """Put the values of an option that was typed again behind those of the first time, where it takes several.

    Raises ValueError for another option that was typed twice: neither value is dropped in silence.
    """
    several, repeatable = _options_of_several(command)
    found: list[list[str]] = [[]]
    for argument in arguments:
        name, joined, value = argument.partition("=")
        if argument[:2] != "--" and not (argument[:1] == "-" and argument[1:2].isalpha()):
            found[-1].append(argument)
            continue
        before = [block for block in found if block[:1] == [_name(name)]]
        values = [value] if joined else []
        if not before or _name(name) in repeatable:
            found.append([_name(name), *values])
        elif _name(name) in several:
            found.append(before[0])
            before[0] += values
        else:
            raise ValueError(f"{_name(name)} was given twice; give it once")
    kept: list[list[str]] = []
    for block in found:
        if not any(block is other for other in kept):
            kept.append(block)
    return [word for block in kept for word in block]


def shelter_ranges(arguments: list[str]) -> list[str]:
    """Put a space before a range such as -60:60:1 and an operation such as -y,x-y,z: they are no options.

    Spell the axis of a pattern with a hyphen.
    """
    words = [f" {word}" if _looks_like_an_option(word) else word for word in arguments]
    # as pyFAI spells it: q_nm
    return [
        word.replace("_", "-") if before == "--axis" else word
        for before, word in zip(["", *words], words, strict=False)
    ]


def take_option(arguments: list[str], name: str, default: str) -> str:
    """Take `name value` (or name=value) out of the arguments: an option that decides which others there are."""
    value = _value_of(arguments, name)
    if value is None:
        return default
    place = next(k for k, word in enumerate(arguments) if _name(word) == name)
    del arguments[place : place + 1 + ("=" not in arguments[place])]
    return value


def _value_of(arguments: list[str], name: str) -> str | None:
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{name}="):
            return argument.split("=", 1)[1]
        if argument == name and place + 1 < len(arguments):
            return arguments[place + 1]
    return None


def _name(argument: str) -> str:
    """An option as the help writes it: --model-a for --model_a=a.cif."""
    return argument.partition("=")[0].replace("_", "-")


def _looks_like_an_option(word: str) -> bool:
    return word[:1] == "-" and word[1:2] not in ("-", "") and (":" in word or word.count(",") == 2)


def _options_of_several(command: Command) -> tuple[set[str], set[str]]:
    """Options that take any number of values at once, and those that are typed once for each value."""
    several, repeatable = set(), set()
    parts = [command, *(hint for hint in get_type_hints(command).values() if is_dataclass(hint))]
    for part in parts:
        hints = get_type_hints(part, include_extras=True)
        names = [one.name for one in fields(part)] if is_dataclass(part) else list(hints)
        for name in names:
            flag = f"--{name.replace('_', '-')}"
            if UseAppendAction in getattr(hints[name], "__metadata__", ()):
                repeatable.add(flag)
            elif _is_open_tuple(hints[name]):
                several.add(flag)
    return several, repeatable


def _is_open_tuple(hint: Any) -> bool:
    """Whether a hint is tuple[..., ...], alone, annotated, or beside None."""
    if get_origin(hint) is tuple:
        return get_args(hint)[-1:] == (Ellipsis,)
    return any(_is_open_tuple(part) for part in get_args(hint) if part is not type(None))
