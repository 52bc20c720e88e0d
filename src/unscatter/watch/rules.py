"""Which files are worked on, by which job, with which options: a TOML file, or what is usual."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from unscatter.io.files import require_file
from unscatter.jobs import classify as classifying
from unscatter.jobs import factorize as factorizing
from unscatter.jobs.classify import ClassifyOptions
from unscatter.jobs.factorize import FactorizeOptions
from unscatter.jobs.options import make_options

#: Runs a job on a file and writes its results under a stem (folder and name); returns what was written and a summary.
Work = Callable[[Path, Any, Path], tuple[tuple[Path, ...], str]]
#: What results end in, so that a result is never taken for an input.
RESULTS = (
    *(".factorized.h5", ".factorized.png", ".part"),
    *(".classified.json", ".classified.csv", ".classified.png", ".indexed.json"),
    *(".fit.h5", ".fit.json", ".fit.csv", ".fit.reflections.csv", ".fit.cif", ".fit.png"),
)


@dataclass(frozen=True)
class Rule:
    """Files whose name fits a pattern (as a shell writes it) get a job with these options."""

    pattern: str
    job: str
    options: Any


def _factorize(path: Path, options: FactorizeOptions, stem: Path) -> tuple[tuple[Path, ...], str]:
    written: tuple[Path, ...] = ()
    words = []
    for plane in options.plane or (None,):
        components = factorizing.run(path, replace(options, plane=() if plane is None else (plane,)))
        named = stem if len(options.plane) < 2 else stem.with_name(f"{stem.name}.{plane}")
        written += factorizing.write(components, named)
        words.append(f"{100 * components.explained:.1f} % explained, {components.findings.verdict}")
    return written, "; ".join(words)


def _classify(path: Path, options: ClassifyOptions, stem: Path) -> tuple[tuple[Path, ...], str]:
    ranking = classifying.run(path, options)
    best = ranking.top(1, "Bravais lattice")[0]
    written = classifying.write(ranking, stem, start_files=options.start_files)
    return written, f"{best.name} {100 * best.probability:.0f} %"


#: The jobs a folder can be watched for: their options, and how they are run.
JOBS: dict[str, tuple[type[Any], Work]] = {
    "factorize": (FactorizeOptions, _factorize),
    "classify": (ClassifyOptions, _classify),
}

_PLANES = ("h5", "hdf5", "nxs", "npy", "npz", "tif", "tiff")
_PATTERNS = (
    "xy",
    "xye",
    "dat",
    "raw",
    "uxd",
    "ras",
    "rasx",
    "xrdml",
    "brml",
    "gsas",
    "gsa",
    "fxye",
    "csv",
    "udf",
    "cif",
)
#: What is done where no rules are given, by what the endings of names usually mean.
USUAL = (
    *(Rule(f"*.{end}", "factorize", FactorizeOptions()) for end in _PLANES),
    *(Rule(f"*.{end}", "classify", ClassifyOptions()) for end in _PATTERNS),
)


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Read rules from TOML: a table [[watch]] for each, with pattern, job, and a table of the job's options.

    The first rule that fits a name is taken. Raises ValueError, which says what to write, for a file without rules, a
    job that there is not, or options that are none.
    """
    try:
        table = tomllib.loads(require_file(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML ({error})") from error
    rules = table.get("watch")
    if not isinstance(rules, list) or not rules:
        raise ValueError(
            f'{path} has no rules; write for example [[watch]], pattern = "*.xye", job = "classify", and under it '
            '[watch.options], radiation = "neutron"'
        )
    return tuple(_rule(path, number, rule) for number, rule in enumerate(rules, 1))


def _rule(path: Path, number: int, rule: dict[str, Any]) -> Rule:
    place = f"{path}: rule {number}"
    unknown = set(rule) - {"pattern", "job", "options"}
    if unknown or not {"pattern", "job"} <= set(rule):
        raise ValueError(f"{place} has {', '.join(rule) or 'nothing'}; expected pattern, job, and perhaps options")
    if rule["job"] not in JOBS:
        raise ValueError(f"{place}: no job {rule['job']!r} for a folder; there are {', '.join(JOBS)}")
    return Rule(rule["pattern"], rule["job"], make_options(JOBS[rule["job"]][0], rule.get("options", {}), place))


def rule_for(path: Path, rules: tuple[Rule, ...]) -> Rule | None:
    """The first rule that fits a file, None for results, hidden files and what no rule is for."""
    if not is_input(path):
        return None
    return next((rule for rule in rules if fnmatch(path.name.lower(), rule.pattern.lower())), None)


def is_input(path: Path) -> bool:
    """Whether a file may be measured data: neither hidden nor one of our results."""
    return not path.name.startswith(".") and not path.name.endswith(RESULTS)
