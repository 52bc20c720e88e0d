"""What other package managers are told is what pyproject.toml says."""

import json
import re
import tomllib
from pathlib import Path

from unscatter.version import __version__

ROOT = Path(__file__).parents[1]
#: Names that conda-forge has for packages of PyPI.
CONDA = {"matplotlib": "matplotlib-base"}


def test_the_conda_recipe_needs_what_the_wheel_needs() -> None:
    recipe = (ROOT / "conda" / "meta.yaml").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run = recipe.partition("  run:\n")[2].partition("\n\n")[0]
    written = {tuple(line.strip("- ").split()) for line in run.splitlines()}
    needed = [re.split(r"(?=[<>=!])", one, maxsplit=1) for one in project["dependencies"]]
    expected = {(CONDA.get(name, name), bound) for name, bound in needed} | {("python", project["requires-python"])}
    assert written == expected
    assert f'version = "{__version__}"' in recipe


def test_the_documentation_offers_this_version_and_has_notes_on_it() -> None:
    offered = json.loads((ROOT / "docs" / "_static" / "switcher.json").read_text(encoding="utf-8"))
    assert [one["version"] for one in offered if one.get("preferred")] == [__version__]
    assert f"## {__version__}" in (ROOT / "docs" / "release-notes.md").read_text(encoding="utf-8")
