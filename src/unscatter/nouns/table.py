"""Tables: what a result shows of itself, as text for a screen, as HTML for a notebook and as one short line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from importlib import import_module
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar

from unscatter.nouns.arrays import Noun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What draws each noun; found by name, because drawing stands above the nouns and loads matplotlib.
PLOTS = {
    "Components": "unscatter.diffuse.plot.components:plot_components",
    "Findings": "unscatter.diffuse.plot.suitability:plot_findings",
    "MoleculeFit": "unscatter.diffuse.plot.molecules:plot_molecules",
    "OrderFit": "unscatter.diffuse.plot.order:plot_order",
    "PatternFit": "unscatter.powder.plot.pattern_fit:plot_pattern_fit",
    "Ranking": "unscatter.powder.plot.ranking:plot_ranking",
    "VolumeComponents": "unscatter.diffuse.plot.volume:plot_volume",
    "Supercell": "unscatter.diffuse.plot.supercell:plot_supercell",
}


#: Longer titles are cut in the short form.
_LONGEST = 160


@dataclass(frozen=True)
class Table:
    """Rows of words under headings, with a line above and lines below.

    columns: headings, or () for a table of names and values; align: "l" or "r" for each column, all "l" where it is
    left out; a cell is text already, so that a number is rounded where it is known what it means.
    """

    title: str
    rows: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...] = ()
    align: str = ""
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """The table for a screen: columns of one width each, rows set off from the title by two blanks."""
        every = [self.columns, *self.rows] if self.columns else list(self.rows)
        count = max((len(row) for row in every), default=0)
        widths = [max(len(row[k]) for row in every if len(row) > k) for k in range(count)]
        lines = ["  ".join(self._cell(row, k, widths) for k in range(len(row))).rstrip() for row in every]
        margin = "  " if self.title else ""
        title = [self.title] if self.title else []
        return "\n".join([*title, *(margin + line for line in lines), *(margin + note for note in self.notes)])

    def wrapped(self, longest: int) -> Table:
        """The same with the last cell of each row over as many rows as it takes, `longest` characters in each."""
        rows = tuple(
            (*(row[:-1] if n == 0 else ("",) * (len(row) - 1)), part)
            for row in self.rows
            for n, part in enumerate(wrap(row[-1], longest) or [""])
        )
        return replace(self, rows=rows)

    def _cell(self, row: Sequence[str], k: int, widths: list[int]) -> str:
        return row[k].rjust(widths[k]) if self.align[k : k + 1] == "r" else row[k].ljust(widths[k])

    def html(self) -> str:
        """The table for a notebook, every word escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(f"<tr>{self._html_cells(row)}</tr>" for row in self.rows)
        title = f"<p>{escape(self.title)}</p>" if self.title else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{title}<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>{notes}"

    def _html_cells(self, row: Sequence[str]) -> str:
        sides = {"r": "right"}
        return "".join(
            f'<td style="text-align:{sides.get(self.align[k : k + 1], "left")}">{escape(cell)}</td>'
            for k, cell in enumerate(row)
        )


class Result(Noun):
    """A noun that a job ends with: it shows itself as a table, and draws itself."""

    #: Whether plot() needs nothing but the result.
    draws_itself: ClassVar[bool] = True

    def table(self) -> Table:
        """All that a reader must know of it."""
        raise NotImplementedError

    def describe(self) -> str:
        """The table as text."""
        return self.table().text()

    def __str__(self) -> str:
        """Return the table."""
        return self.describe()

    def __repr__(self) -> str:
        """One line: the title of the table, or its first rows."""
        table = self.table()
        # What a reader must know first may stand above the title proper.
        first = table.title.splitlines()[-1] if table.title else "; ".join(" ".join(row) for row in table.rows[:2])
        return f"<{type(self).__name__}: {first if len(first) <= _LONGEST else f'{first[:_LONGEST]}...'}>"

    def _repr_html_(self) -> str:
        """Show table, picture and findings in a notebook."""
        from unscatter.nouns.notebook import notebook_page

        return notebook_page(self)

    def plot(self, **how: Any) -> Figure:
        """Draw it, as its command does; matplotlib is loaded now."""
        module, name = PLOTS[type(self).__name__].split(":")
        figure: Figure = getattr(import_module(module), name)(self, **how)
        return figure


def with_error(value: float, error: float) -> str:
    """A value with its standard uncertainty in units of the last digits, as -4.31(12)."""
    # A number that was given, not refined, has none; NaN does not compare.
    if not 0 < error < float("inf"):
        return f"{value:.5g}"
    digits = 1 - int(f"{error:e}".partition("e")[2])
    if digits <= 0 or digits > 8:
        return f"{value:.6g} ({error:.2g})"
    return f"{value:.{digits}f}({round(error * 10**digits)})"
