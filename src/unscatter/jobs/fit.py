"""Job: fit a lattice that is given to a whole powder pattern."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from unscatter.io.files import replacing
from unscatter.io.results.pattern_fit import write_fit, write_points
from unscatter.io.results.picture import save_figure
from unscatter.io.results.start_files.cif import cif_text
from unscatter.io.results.start_files.start import make_start
from unscatter.jobs.options import CHECKED, checked_dataclass, make_options, with_keywords
from unscatter.jobs.pattern_reading import PatternReading, PatternSource, read_pattern_source
from unscatter.jobs.provenance import record
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.symmetry import bravais_lattice

JOB = "fit"

Bravais = Literal["aP", "mP", "mC", "oP", "oC", "oI", "oF", "tP", "tI", "hP", "hR", "cP", "cI", "cF"]


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class LatticeFitOptions(PatternReading):
    """How a pattern is read, and the lattice that is fitted to it."""

    bravais: Bravais | None = None
    """Bravais lattice: hR on hexagonal axes, monoclinic with unique axis b."""
    cell: Annotated[tuple[float, ...], arg(metavar="A B C ALPHA BETA GAMMA")] = ()
    """a b c alpha beta gamma of its conventional cell, in Angstrom and degrees, where the fit begins."""
    zero: float = 0.0
    """shift of all angles in degrees where the fit begins: measured = calculated + zero."""
    displacement: float = 0.0
    """shift in degrees that goes with cos(theta) where the fit begins."""
    space_group: int | None = None
    """number of the group that the CIF names; without it the highest of the lattice without absences."""


def run(source: PatternSource, options: LatticeFitOptions = LatticeFitOptions()) -> PatternFit:
    """Fit cell, shifts, profile, background and all intensities of one lattice; no structure is needed.

    Raises ValueError for a pattern that cannot be read or a lattice that is not given, FileNotFoundError for no such
    file.
    """
    from unscatter.powder.refine.fit_pattern import fit_observation
    from unscatter.powder.refine.lines import find_lines
    from unscatter.powder.refine.observation import observe

    if options.bravais is None or not options.cell:
        raise ValueError(
            "which lattice? give its Bravais lattice and its cell, such as hR and 4.76 4.76 12.99 90 90 120"
        )
    _check_group(options)
    lattice = Lattice(Cell.from_sequence(options.cell), options.bravais, zero=options.zero)
    pattern = read_pattern_source(source, options)
    observation = observe(pattern, find_lines(pattern))
    last = _last_angle(lattice, observation.shape.wavelength, float(pattern.two_theta[-1]))
    if last < pattern.two_theta[-1]:
        observation = observation.up_to(last)
    fit = fit_observation(observation, lattice, options.displacement)
    return replace(fit, provenance={**fit.provenance, **record(JOB, options, [source])})


@with_keywords(LatticeFitOptions)
def fit(source: PatternSource, **options: Any) -> PatternFit:
    """Fit a lattice to a whole powder pattern without a structure: cell with s.u., shifts, R values, lines.

    source: a file, columns of two-theta (degrees), intensity and perhaps its s.u., or a Pattern. Raises ValueError for
    what cannot be read, a lattice that is not given or predicts no line, FileNotFoundError for no such file.
    """
    return run(source, make_options(LatticeFitOptions, options, JOB))


def write(fitted: PatternFit, stem: str | Path, *, picture: bool = True, cif: bool = True) -> tuple[Path, ...]:
    """Write STEM.fit.h5, STEM.fit.csv (the points) and, if wanted, .cif (the cell) and .png; the folder is made."""
    targets = {kind: Path(f"{stem}.fit.{kind}") for kind in ("h5", "csv", "cif", "png")}
    targets["h5"].parent.mkdir(parents=True, exist_ok=True)
    write_fit(targets["h5"], fitted)
    write_points(targets["csv"], fitted)
    written = [targets["h5"], targets["csv"]]
    if cif:
        from unscatter.powder.refine.thompson import thompson_law

        asked = (fitted.provenance.get("options") or {}).get("space_group")
        number = asked or highest_group(fitted.lattice.bravais)
        with replacing(targets["cif"]) as part:
            part.write_text(cif_text(make_start(fitted, number, thompson_law(fitted))), encoding="utf-8")
        written.append(targets["cif"])
    if picture:
        save_figure(fitted.plot(), targets["png"])
        written.append(targets["png"])
    return tuple(written)


def highest_group(bravais: str) -> int:
    """The symmorphic space group of the highest symmetry of a lattice, which extinguishes nothing more.

    >>> [highest_group(one) for one in ("aP", "mC", "oF", "hR", "cI")]
    [2, 12, 69, 166, 229]
    """
    return _HIGHEST[bravais]


_HIGHEST = {
    **{"aP": 2, "mP": 10, "mC": 12, "oP": 47, "oC": 65, "oI": 71, "oF": 69, "tP": 123, "tI": 139},
    **{"hP": 191, "hR": 166, "cP": 221, "cI": 229, "cF": 225},
}


def _check_group(options: LatticeFitOptions) -> None:
    number = options.space_group
    if number is not None and bravais_lattice(number) != options.bravais:
        raise ValueError(
            f"space group {number} has the lattice {bravais_lattice(number)}, not {options.bravais}: leave it out, or "
            "give one of that lattice"
        )


def _last_angle(lattice: Lattice, wavelength: float, last: float) -> float:
    """Angle in degrees up to which a lattice is fitted: all of the pattern, unless it predicts very many lines."""
    from unscatter.powder.refine.fit_pattern import MOST_LINES
    from unscatter.powder.refine.predicted import predicted_angles

    _, angles = predicted_angles(lattice, wavelength, last)
    if not len(angles):
        raise ValueError(f"{lattice.describe()} predicts no line up to {last:.1f} deg: check its cell")
    return float(angles[MOST_LINES]) if len(angles) > MOST_LINES else last
