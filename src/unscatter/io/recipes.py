"""Recipes of samples as TOML tables: those that are shipped, and files of one's own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any


def read_recipe_table(wing: str, name: str, keys: Iterable[str]) -> dict[str, Any]:
    """Read the table of a recipe of a wing (diffuse, powder): of one that is shipped, or of a TOML file by its path.

    keys: what it may hold. Its name is that of the file where it holds none. Raises FileNotFoundError or ValueError
    that says which recipes and keys there are.
    """
    shipped = files("unscatter.data").joinpath("recipes")
    prefix = f"{wing}-"
    names = sorted(
        f.name.removeprefix(prefix).removesuffix(".toml") for f in shipped.iterdir() if f.name.startswith(prefix)
    )
    if name in names:
        text = shipped.joinpath(f"{prefix}{name}.toml").read_text(encoding="utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        raise FileNotFoundError(f"no recipe {name!r}: give one of {', '.join(names)}, or the path of a TOML file")
    table = tomllib.loads(text)
    known = set(keys)
    unknown = sorted(set(table) - known)
    if unknown:
        raise ValueError(f"recipe {name!r} has unknown keys {unknown}; known are {sorted(known)}")
    return {"name": Path(name).stem, **table}
