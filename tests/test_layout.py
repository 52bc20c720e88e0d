"""The page on the layout says what is there."""

import re
import tomllib
from pathlib import Path

import unscatter

ROOT = Path(unscatter.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "dev" / "layout.md"


def test_every_room_is_on_the_page_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    drawn = page.partition("```text")[2].partition("```")[0]
    rooms = [path.parent.relative_to(ROOT) for path in ROOT.rglob("__init__.py")]
    for room in rooms:
        if room.parts and room.parts[0] != "data" and len(room.parts) < 3:
            assert f"{room.parts[-1]}/" in drawn, f"{room} is not in docs/dev/layout.md"
    named = set(re.findall(r"(\w+)/ ", drawn)) - {"unscatter"}
    outside = {"tests", "examples", "docs", "benchmarks", "tools", "data"}
    assert named - outside <= {room.parts[-1] for room in rooms if room.parts}


def test_the_floors_on_the_page_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((PAGE.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    floors = next(one for one in contracts["contracts"] if one["name"].startswith("The floors"))["layers"]
    written = [floor.replace("unscatter.", "") for floor in floors]
    expected = " > ".join(f"{{ {floor} }}" if "|" in floor else floor for floor in written)
    assert expected in " ".join(PAGE.read_text(encoding="utf-8").split())
