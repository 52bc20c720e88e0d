"""Job: find the lattices that explain the lines of a powder pattern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from unscatter.io.patterns import read_lines
from unscatter.io.results.lattices import write_lines
from unscatter.io.results.rows import write_record
from unscatter.jobs.options import CHECKED, checked_dataclass, make_options, with_keywords
from unscatter.jobs.pattern_reading import PatternReading, PatternSource, read_pattern_source
from unscatter.jobs.provenance import record
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines

JOB = "index"

System = Literal["cubic", "rhombohedral", "tetragonal", "hexagonal", "orthorhombic", "monoclinic", "triclinic"]


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class IndexOptions(PatternReading):
    """How a pattern or a list of lines is read, and what lattices are looked for."""

    max_volume: Annotated[float | None, arg(metavar="A^3")] = None
    """largest primitive volume of any lattice given, --cell and supercells included; a few times what predicts as many
    lines as are seen, if not given."""
    systems: tuple[System, ...] = ()
    """crystal systems looked at; all seven, if none is given."""
    cell: Annotated[tuple[float, ...], arg(metavar="a b c [alpha beta gamma]")] = ()
    """a known or suspected cell, tried first; nothing is left out for it."""
    count: int = 20
    """lattices listed at most."""
    time_limit: Annotated[float, arg(metavar="SECONDS")] = 20.0
    """no further step is begun after so long; the best so far is given."""
    exhaustive: bool = False
    """also search cubic, tetragonal, hexagonal (with rhombohedral) and orthorhombic lattices to the end, for as many
    seconds again: what is not found within the bounds that are told is not there."""


@dataclass(frozen=True, eq=False)
class Indexed:
    """Lines of a pattern and the lattices that may explain them, the likeliest first."""

    lines: Lines
    lattices: tuple[Lattice, ...]
    provenance: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and words, for JSON."""
        return {
            "wavelength": self.lines.wavelength,
            "lines": len(self.lines),
            "lattices": [lattice.to_dict() for lattice in self.lattices],
            "provenance": self.provenance,
        }

    def describe(self) -> str:
        """Table of the lattices, or what it means that there is none."""
        flagged = sum(bool(flag) for flag in self.lines.flags)
        head = f"{len(self.lines)} lines, {flagged} of them images of others, wavelength {self.lines.wavelength:g} A"
        if not self.lattices:
            steps = self.provenance.get("searched", ())
            return f"{head}\nno lattice explains the lines better than chance (searched: {'; '.join(steps)})"
        parts = any(one.provenance.get("among others") for one in self.lattices)
        return "\n".join([head, _HEADING, *(_row(n, one) for n, one in enumerate(self.lattices, 1)), *[_PARTS] * parts])


_HEADING = (
    "     lattice       a        b        c    alpha     beta    gamma    volume     M20     F20   score  "
    "indexed  foreign    zero"
)
_PARTS = "  * may be one of several phases: in its score lines that it leaves cost nothing"


def _row(number: int, lattice: Lattice) -> str:
    edges = " ".join(f"{edge:8.4f}" for edge in lattice.cell.parameters[:3])
    angles = " ".join(f"{angle:8.3f}" for angle in lattice.cell.parameters[3:])
    return (
        f"  {number:2d} {lattice.bravais:>4}  {edges} {angles} {lattice.volume:9.2f} {lattice.m20:7.1f} "
        f"{lattice.f20:7.1f} {lattice.score:7.1f} {lattice.indexed:8d} {lattice.foreign:8d} {lattice.zero:+7.3f}"
        + " *"
        * bool(lattice.provenance.get("among others"))
    )


def run(
    source: PatternSource | Lines,
    options: IndexOptions = IndexOptions(),
    progress: Callable[[float, str], None] | None = None,
) -> Indexed:
    """Find the lines of one pattern, or read a list of them, and the lattices that may explain them.

    progress: told the share of the time limit that is used up and what was done. Raises ValueError for a pattern that
    cannot be read, has no wavelength or fewer than four lines, FileNotFoundError for no such file.
    """
    from unscatter.powder.refine.index import index as find_lattices
    from unscatter.powder.refine.search import SYSTEMS

    lines = source if isinstance(source, Lines) else lines_from(source, options)
    steps: list[str] = []

    def tell(step: str, best: tuple[Lattice, ...]) -> None:
        steps.append(step)
        if progress is not None:
            found = f", best {best[0].bravais} {best[0].volume:.0f} A^3" if best else ""
            progress(len(steps) / (len(SYSTEMS) + 2), step + found)

    lattices = find_lattices(
        lines,
        max_volume=options.max_volume,
        systems=options.systems or SYSTEMS,
        cell=Cell.from_sequence(options.cell) if options.cell else None,
        count=options.count,
        time_limit=options.time_limit,
        exhaustive=options.exhaustive,
        progress=tell,
    )
    return Indexed(lines, lattices, {**record(JOB, options, [source]), "searched": steps[1:]})


def lines_from(source: PatternSource, options: IndexOptions = IndexOptions()) -> Lines:
    """Lines of a pattern, or those of a file that is no pattern but a list of lines."""
    from unscatter.powder.refine.lines import find_lines

    try:
        pattern = read_pattern_source(source, options)
    except ValueError as no_pattern:
        if not isinstance(source, str | Path):
            raise
        try:
            return read_lines(source, wavelength=options.wavelength, radiation=options.radiation, axis=options.axis)
        except ValueError:
            raise no_pattern from None
    return find_lines(pattern)


@with_keywords(IndexOptions)
def index(source: PatternSource | Lines, **options: Any) -> tuple[Lattice, ...]:
    """Lattices that may explain a powder pattern or a list of lines, the likeliest first, as `unscatter index` finds.

    source: a file, columns of two-theta (degrees), intensity and perhaps its s.u., a Pattern, or Lines. Raises
    ValueError for what cannot be read or shows too few lines, FileNotFoundError for no such file.
    """
    return run(source, make_options(IndexOptions, options, JOB)).lattices


def write(indexed: Indexed, stem: str | Path, *, lines: bool = False) -> tuple[Path, ...]:
    """Write STEM.indexed.json and, if wanted, the list as STEM.lines; the folder is made."""
    target = Path(f"{stem}.indexed.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_record(target, indexed.to_dict())
    return (target, write_lines(Path(f"{stem}.lines"), indexed.lines)) if lines else (target,)
