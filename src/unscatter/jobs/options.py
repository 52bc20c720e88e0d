"""What the options of all jobs share: how they are checked, read from TOML, and kept with a result."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, get_type_hints

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass
from tyro.conf import arg

from unscatter.io.files import require_file

__all__ = ["CHECKED", "OneOrMany", "Text", "checked_dataclass"]

Options = TypeVar("Options")
Function = TypeVar("Function", bound=Callable[..., Any])

#: How every options class is made: checked_dataclass(frozen=True, kw_only=True, config=CHECKED).
CHECKED = ConfigDict(extra="forbid", use_attribute_docstrings=True)


#: A word or a path, as the help writes it.
Text: TypeAlias = Annotated[str | None, arg(metavar="TEXT")]
#: Put after a tuple of words: in Python a single word may stand for a tuple of one.
OneOrMany = BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)


def make_options(kind: type[Options], values: Mapping[str, Any], job: str) -> Options:
    """Make options from keywords or a table; raises ValueError, in one line, for what is no option or no value."""
    try:
        return kind(**values)
    except ValidationError as error:
        known = [one.name for one in fields(kind)]  # type: ignore[arg-type]  # kind is a dataclass
        raise ValueError(f"{job}: {explain(error, known)}") from None


def explain(error: ValidationError, known: list[str] | None = None) -> str:
    """Say in one line what is wrong with the first option that is."""
    first = error.errors(include_url=False)[0]
    place, seen = [str(part) for part in first["loc"]], first["input"]
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        there = f"; there are {', '.join(known)}" if known else ""
        return f"no option {place[-1]!r}{there}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"option {place[0] if place else ''} {message[:1].lower()}{message[1:]}, got {seen!r}"


def table_of(options: Any) -> dict[str, Any]:
    """Every option by name, as plain numbers, words, lists and None, for JSON."""
    table: dict[str, Any] = TypeAdapter(type(options)).dump_python(options, mode="json")
    return table


def part_of(options: Any, part: type[Any]) -> dict[str, Any]:
    """The options that `part` declares, by name: keywords for the function that they are for."""
    return {one.name: getattr(options, one.name) for one in fields(part)}


def rest_of(options: Any, *parts: type[Any]) -> dict[str, Any]:
    """The options that none of `parts` declares, by name."""
    declared = {one.name for part in parts for one in fields(part)}
    return {one.name: getattr(options, one.name) for one in fields(options) if one.name not in declared}


def refuse_reading(options: Any, part: type[Any], noun: str) -> None:
    """Refuse options that say how a file is read, where they differ from their defaults: a noun has been read."""
    names = [one.name for one in fields(part) if getattr(options, one.name) != _default(one)]
    if names:
        raise ValueError(
            f"a {noun} has been read already, and {', '.join(names)} says how a file is read: leave it out, "
            f"or change the {noun} with dataclasses.replace"
        )


def _default(one: Any) -> Any:
    if one.default is not MISSING:
        return one.default
    return inspect.Parameter.empty if one.default_factory is MISSING else one.default_factory()


def read_options(path: str | Path, job: str) -> dict[str, Any]:
    """Read the table of a job from a TOML file: [factorize], [refine.order], ...; a file may hold several.

    Raises FileNotFoundError, or ValueError for a file that is no TOML or has no such table.
    """
    path = require_file(path)
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML ({error}); unscatter options RESULT prints one") from error
    for word in job.split():
        table = table.get(word) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise ValueError(f"{path} has no table [{'.'.join(job.split())}]; unscatter options RESULT prints one")
    return table


def write_options(jobs: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the options of one job or several as TOML that read_options reads; options that are None are left out."""
    import tomli_w

    text = []
    for job, table in jobs.items():
        kept = {name: value for name, value in table.items() if value is not None}
        for word in reversed(job.split()):
            kept = {word: kept}
        text.append(tomli_w.dumps(kept, multiline_strings=False))
    return "\n".join(text)


def describe_fields(kind: type[Any]) -> dict[str, str]:
    """What each option is, from the text below its field."""
    words: dict[str, str] = {}
    # A class knows the texts of its own fields alone.
    for home in reversed(kind.__mro__):
        for name, known in getattr(home, "__pydantic_fields__", {}).items():
            words[name] = " ".join((known.description or words.get(name, "")).split())
    return {one.name: words[one.name] for one in fields(kind)}


def with_keywords(kind: type[Any]) -> Callable[[Function], Function]:
    """Let a function that takes **options show the options of a job as keywords, in its signature and docstring."""

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        types, how = get_type_hints(kind), inspect.Parameter.KEYWORD_ONLY
        more = [
            inspect.Parameter(one.name, how, default=_default(one), annotation=types[one.name])
            for one in fields(kind)
            if one.name not in signature.parameters
        ]
        function.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        text = "\n".join(f"    {name}: {words}" for name, words in describe_fields(kind).items())
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\nOptions:\n{text}\n"
        return function

    return decorate
