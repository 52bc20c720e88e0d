"""Count the private functions of the package that are named at one place only.

python tools/private_functions.py [--list]

A function that is named once is called once: it earns its name by saying what a comment would, or wants to be inlined.
Those that cannot be are told apart: decorated ones (cached, properties) and those that are handed over by their name.
"""

import argparse
import ast
import re
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "unscatter"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print each, with its lines")
    listed = parser.parse_args().list
    once: list[tuple[int, str]] = []
    needed = total = 0
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        used = Counter(re.findall(r"\b_[A-Za-z]\w*", text))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and re.match(r"_[a-z]", node.name):
                total += 1
                # its own definition is one of the two
                if used[node.name] <= 2:
                    once.append((node.end_lineno - node.lineno + 1, f"{path.relative_to(SOURCE)}:{node.name}"))
                    needed += bool(node.decorator_list) or not re.search(rf"(?<!def )\b{node.name}\(", text)
    if listed:
        print("\n".join(f"{lines:4d} {name}" for lines, name in sorted(once)))
    print(f"{len(once)} of {total} private functions are named at one place only ({100 * len(once) / total:.0f} %)")
    short = sum(lines <= 4 for lines, _ in once)
    print(f"of these {needed} are decorated or handed over by their name, and {short} have four lines or fewer")


if __name__ == "__main__":
    main()
