"""What other package managers are told is what pyproject.toml says."""

import json
import re
import tomllib
from pathlib import Path

import pytest

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


def test_the_conda_recipe_is_one_document_that_builds_as_the_wheel_is_built() -> None:
    yaml = pytest.importorskip("yaml", reason="reads the recipe: pip install pyyaml")
    text = (ROOT / "conda" / "meta.yaml").read_text(encoding="utf-8")
    # What conda-build fills in before it reads the file.
    filled = re.sub(r"{% set .* %}\n", "", text).replace("{{ version }}", __version__).replace("{{ PYTHON }}", "python")
    recipe = yaml.safe_load(filled)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    host = [one.replace(" ", "") for one in recipe["requirements"]["host"]]
    assert set(project["build-system"]["requires"]) <= set(host)
    ((command, function),) = project["project"]["scripts"].items()
    assert recipe["build"]["entry_points"] == [f"{command} = {function}"]
    assert recipe["about"]["license"] == project["project"]["license"]
    # conda-build looks for it in the source, which is the folder above.
    assert (ROOT / recipe["about"]["license_file"]).is_file()
    assert recipe["build"]["script"].endswith("--no-deps --no-build-isolation")


def test_what_the_container_copies_is_there_and_what_it_installs_has_a_name() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE) for name in line.split()[:-1]]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
    extras = re.search(r"/source\[([a-z,]+)\]", text)
    assert extras is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras[1].split(",")) <= set(project["optional-dependencies"])


def test_the_documentation_offers_this_version_and_has_notes_on_it() -> None:
    offered = json.loads((ROOT / "docs" / "_static" / "switcher.json").read_text(encoding="utf-8"))
    assert [one["version"] for one in offered if one.get("preferred")] == [__version__]
    assert f"## {__version__}" in (ROOT / "docs" / "release-notes.md").read_text(encoding="utf-8")
