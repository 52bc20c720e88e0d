"""The directive `what-is-read`: formats, names, units and limits, from the readers' own tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> nodes.table:
    """A table whose first column, and all in back quotes, is literal."""
    table, group = nodes.table(), nodes.tgroup(cols=len(head))
    table += group
    group += [nodes.colspec(colwidth=1) for _ in head]
    for part, lines in ((nodes.thead(), [head]), (nodes.tbody(), rows)):
        group += part
        for line in lines:
            row = nodes.row()
            part += row
            for cell in line:
                row += nodes.entry("", nodes.paragraph("", "", *_words(cell)))
    return table


def _words(text: str) -> list[nodes.Node]:
    """Text, with what stands between back quotes as literal."""
    parts = text.split("`")
    return [nodes.literal("", part) if place % 2 else nodes.Text(part) for place, part in enumerate(parts) if part]


def _paragraphs(text: str) -> list[nodes.Node]:
    return [nodes.paragraph("", "", *_words(" ".join(part.split()))) for part in text.split("\n\n")]


def _formats(formats: Iterable[Any]) -> list[nodes.Node]:
    """A definition list: what each module says of itself, and what it declares beside that."""
    listed = nodes.definition_list()
    for form in formats:
        meaning = nodes.definition("", *_paragraphs(inspect.cleandoc(form.__doc__ or "")))
        said = [f"taken for granted: {sentence}" for sentence in getattr(form, "ASSUMES", ())]
        if blocks := getattr(form, "BLOCKS", ""):
            said.append(f"several patterns in a file: `--block` takes the {blocks}")
        if datasets := getattr(form, "DATASETS", ""):
            said.append(f"several planes in a file: `--dataset` takes the {datasets}")
        if hasattr(form, "GAPS_KNOWN"):
            zero = "a measured zero" if form.GAPS_KNOWN else "a zero or a gap, told apart by its neighbours"
            said.append(f"an intensity of exactly zero is {zero}")
        if said:
            meaning += nodes.bullet_list("", *(nodes.list_item("", *_paragraphs(sentence)) for sentence in said))
        listed += nodes.definition_list_item("", nodes.term("", form.NAME), meaning)
    return [listed]


def _patterns() -> list[nodes.Node]:
    from unscatter.io.patterns.read import FORMATS

    return _formats(FORMATS)


def _planes() -> list[nodes.Node]:
    from unscatter.io.planes.read import FORMATS

    return _formats(FORMATS)


def _quantities() -> list[nodes.Node]:
    from unscatter.quantities import NAMES, UNITS

    rows = [(kind, UNITS[dimension], f"`{names}`") for names, kind, dimension, _ in NAMES]
    return [_table(("quantity", "kept in", "names, without case, blanks, hyphens and underscores"), rows)]


def _units() -> list[nodes.Node]:
    from unscatter.quantities import SPELLINGS, UNITS

    rows = [
        (dimension, f"{factor:.6g} {UNITS[dimension]}", f"`{names}`")
        for dimension, spellings in SPELLINGS.items()
        for names, factor in spellings.items()
    ]
    return [_table(("dimension", "one is", "spellings, without case"), rows)]


def _shifts() -> list[nodes.Node]:
    from unscatter.io.patterns.conditions import SHIFTS

    rows = [(name.removeprefix("a ").capitalize(), f"`{words}`") for name, words in SHIFTS.items()]
    return [_table(("what", "words before a number, without case"), rows)]


def _columns() -> list[nodes.Node]:
    from unscatter.io.patterns.labels import ROLES

    return [
        _table(("column", "names, without case and blanks"), [(role, f"`{names}`") for role, names in ROLES.items()])
    ]


def _cif() -> list[nodes.Node]:
    from unscatter.io.patterns.pdcif import CALCULATED, INTENSITIES, POSITIONS, RANGES

    rows = [
        ("intensities, the first that holds numbers", ", ".join(f"`{tag}`" for tag in INTENSITIES)),
        ("if none does, and then the pattern counts as simulated", ", ".join(f"`{tag}`" for tag in CALCULATED)),
        ("positions, the first that matches", ", ".join(f"`{tag}` ({axis.kind})" for tag, axis in POSITIONS.items())),
        ("or a range, as _min, _max, _inc", ", ".join(f"`{tag}`" for tag in RANGES)),
    ]
    return [_table(("what", "names"), rows)]


def _limits() -> list[nodes.Node]:
    from unscatter.io.hdf5 import LARGEST_CHUNK, LARGEST_READ
    from unscatter.io.patterns import checks
    from unscatter.io.patterns.archive import LARGEST_CONTENT
    from unscatter.io.patterns.content import LARGEST_FILE
    from unscatter.io.patterns.scan import MOST_POINTS, MOST_RANGES
    from unscatter.io.planes import matrix
    from unscatter.nouns.pattern import FEW_NEGATIVE, SUBTRACTED
    from unscatter.quantities import WAVELENGTHS
    from unscatter.tubes import K_ALPHA_1

    low, high = WAVELENGTHS
    rows = [
        ("wavelength that a file states", f"{low:g} to {high:g} A"),
        (
            "K-alpha 1 where only the anode is named",
            ", ".join(f"{name} {value:.5g} A" for name, value in K_ALPHA_1.items()),
        ),
        ("points of a pattern", f"{checks.LEAST_POINTS} to {MOST_POINTS}, over {checks.LEAST_RANGE:g} deg or more"),
        (
            "negative intensities",
            f"more than {FEW_NEGATIVE:.0%} are told, and refused below {-SUBTRACTED:.0%} of the maximum",
        ),
        ("points without an intensity", f"up to {checks.MOST_MISSING:.0%}, left out"),
        ("uneven steps, beyond which it is a list of lines", f"{checks.MOST_UNEVEN:.0%}"),
        ("ranges that are joined", str(MOST_RANGES)),
        ("text, vendors' files", f"{LARGEST_FILE >> 20} MB"),
        ("a matrix of text", f"{matrix.LARGEST_FILE >> 20} MB, in {matrix.LEAST_COLUMNS} columns or more"),
        ("members of a zip together", f"{LARGEST_CONTENT >> 20} MB"),
        ("numbers of HDF5 that are read at once", str(LARGEST_READ)),
        ("a block of HDF5", f"{LARGEST_CHUNK >> 20} MB"),
    ]
    return [_table(("what", "limit"), rows)]


#: What the directive can show.
PARTS: dict[str, Callable[[], list[nodes.Node]]] = {
    "patterns": _patterns,
    "planes": _planes,
    "quantities": _quantities,
    "units": _units,
    "columns": _columns,
    "shifts": _shifts,
    "cif": _cif,
    "limits": _limits,
}


class WhatIsRead(SphinxDirective):
    """One of PARTS."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Ask the readers."""
        return PARTS[self.arguments[0]]()


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_directive("what-is-read", WhatIsRead)
    return {"parallel_read_safe": True}
