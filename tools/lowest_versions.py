"""Print the lowest version of every dependency that pyproject.toml allows, as pip constraints.

python tools/lowest_versions.py > lowest.txt
"""

import re
import tomllib
from pathlib import Path

#: What a user of the package needs; tools that check the code may be as new as they like.
EXTRAS = ("powder",)


def main() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    for requirement in wanted:
        if match := re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\w.]+)", requirement):
            print(f"{match[1]}=={match[2]}")


if __name__ == "__main__":
    main()
