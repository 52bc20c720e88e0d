"""Job: say whether a crystal is suitable for what was done with its plane."""

from __future__ import annotations

from pathlib import Path

from unscatter.diffuse.suitability import assess_suitability
from unscatter.io.results.components import read_components
from unscatter.io.results.picture import save_figure
from unscatter.jobs.options import CHECKED, checked_dataclass
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Findings

JOB = "report"


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class ReportOptions:
    """What a report looks at; there is nothing to choose so far."""


def run(source: str | Path | Components, options: ReportOptions = ReportOptions()) -> Findings:
    """Compare a factorized plane with what the method assumes; the findings hold the images behind them.

    Raises ValueError for a file without components, FileNotFoundError for none.
    """
    return assess_suitability(source if isinstance(source, Components) else read_components(source))


def write(source: str | Path | Components, findings: Findings, stem: str | Path) -> tuple[Path, ...]:
    """Draw STEM.suitability.png; the folder is made."""
    from unscatter.diffuse.plot.suitability import plot_suitability

    components = source if isinstance(source, Components) else read_components(source)
    target = Path(f"{stem}.suitability.png")
    target.parent.mkdir(parents=True, exist_ok=True)
    save_figure(plot_suitability(components, findings), target)
    return (target,)
