"""Job: name the symmetry behind a powder pattern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from unscatter.io.results.picture import save_figure
from unscatter.io.results.ranking import write_csv, write_json
from unscatter.io.results.start_files.start import make_start
from unscatter.io.results.start_files.write import write_start_files
from unscatter.jobs.options import CHECKED, checked_dataclass, make_options, rest_of, with_keywords
from unscatter.jobs.pattern_reading import PatternReading, PatternSource, read_pattern_source
from unscatter.jobs.provenance import record
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.classify import classify_many as rank
from unscatter.symmetry import bravais_lattice

JOB = "classify"
#: What is said where start files were wanted and there is nothing to start from.
NO_START = "no start files are written, for no lattice was fitted (--engine crystallography fits one)"


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class StartOptions:
    """What is written beside the ranking."""

    start_files: bool = False
    """also write files from which GSAS-II, FullProf and TOPAS begin a Le Bail refinement of the lattice, and a CIF."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class ClassifyOptions(StartOptions, PatternReading):
    """How a pattern is read and classified; what is not of the reader or of files is a keyword of powder.classify."""

    subtract_background: bool = False
    """subtract the estimated background; the network was trained on patterns that have one."""
    weights: str = "group-230"
    """name or path of the network."""
    engine: Literal["crystallography", "none"] = "crystallography"
    """what names the lattice beside the network: lines, indexing and whole-pattern fits, or nothing."""
    time_limit: float = 10.0
    """seconds after which the search for lattices begins no further step."""


def run(source: PatternSource, options: ClassifyOptions = ClassifyOptions()) -> Ranking:
    """Read one pattern and rank what symmetry it may have.

    Raises ValueError for a pattern that cannot be read or says too little, FileNotFoundError for no such file or
    weights.
    """
    return run_many([source], options)[0]


def run_many(sources: Sequence[PatternSource], options: ClassifyOptions = ClassifyOptions()) -> list[Ranking]:
    """As run, for many patterns, which the network sees in batches; raises ValueError at the first that is no use."""
    patterns = [read_pattern_source(source, options) for source in sources]
    rankings = rank(patterns, **rest_of(options, PatternReading, StartOptions))
    return [
        replace(
            one,
            assumptions=one.assumptions + ((NO_START,) if options.start_files and one.fit is None else ()),
            provenance={**one.provenance, **record(JOB, options, [source]), **_origins(source, options, one)},
        )
        for source, one in zip(sources, rankings, strict=True)
    ]


def _origins(source: PatternSource, options: ClassifyOptions, ranking: Ranking) -> dict[str, str]:
    """Who said what wavelength and radiation are."""
    home = "the file" if isinstance(source, str | Path) else "the pattern"
    said = {"wavelength_from": home if options.wavelength is None else "--wavelength"}
    if ranking.pattern.radiation is not None:
        said["radiation_from"] = home if options.radiation is None else "--radiation"
    return said


@with_keywords(ClassifyOptions)
def classify(source: PatternSource, weights: str = ClassifyOptions.weights, **options: Any) -> Ranking:
    """Rank the 230 space groups, and so all coarser classes, given one powder pattern, as `unscatter classify` does.

    source: a file, columns of two-theta (degrees), intensity and perhaps its s.u., or a Pattern. Raises ValueError for
    a pattern that cannot be read or says too little, FileNotFoundError for no such file.
    """
    return run(source, make_options(ClassifyOptions, {"weights": weights, **options}, JOB))


@with_keywords(ClassifyOptions)
def classify_many(
    sources: Iterable[PatternSource], weights: str = ClassifyOptions.weights, **options: Any
) -> list[Ranking]:
    """As classify, for many patterns at once; raises ValueError at the first that cannot be used."""
    return run_many(list(sources), make_options(ClassifyOptions, {"weights": weights, **options}, JOB))


def write(ranking: Ranking, stem: str | Path, *, picture: bool = True, start_files: bool = False) -> tuple[Path, ...]:
    """Write STEM.classified.json, .csv and, if a picture is wanted, .png; the folder is made.

    start_files: also STEM.start.cif, .instprm, .pcr and .inp, where a lattice was fitted.
    """
    targets = [Path(f"{stem}.classified.{kind}") for kind in ("json", "csv", "png")]
    targets[0].parent.mkdir(parents=True, exist_ok=True)
    write_json(targets[0], ranking)
    write_csv(targets[1], ranking)
    if picture:
        save_figure(ranking.plot(), targets[2])
    started = _write_start(ranking, stem) if start_files else ()
    return (*targets[: 3 if picture else 2], *started)


def _write_start(ranking: Ranking, stem: str | Path) -> tuple[Path, ...]:
    """Start files of the fitted lattice and the likeliest of its space groups."""
    if ranking.fit is None:
        return ()
    from unscatter.powder.refine.thompson import thompson_law

    groups = [one.groups[0] for one in ranking.top(230)]
    number = next(one for one in groups if bravais_lattice(one) == ranking.fit.lattice.bravais)
    return write_start_files(stem, make_start(ranking.fit, number, thompson_law(ranking.fit)))
