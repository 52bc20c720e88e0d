"""How a result shows itself in a notebook: its table, a picture of it, and what the data say of it."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from unscatter.nouns.findings import VERDICT_COLOURS, Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from unscatter.nouns.table import Result

#: Width of the picture in pixels.
WIDTH = 900


def notebook_page(result: Result) -> str:
    """The result as HTML: table, picture and findings, all in one piece that stays with the notebook."""
    findings = getattr(result, "findings", None)
    parts = [result.table().html(), _picture(result)]
    if isinstance(findings, Findings) and len(findings):
        parts.append(_told(findings))
    return "".join(parts)


def _picture(result: Result) -> str:
    if not result.draws_itself:
        return ""
    png = b64encode(_png(result.plot())).decode("ascii")
    words = escape(f"picture of {type(result).__name__}", quote=True)
    return f'<p><img alt="{words}" style="max-width:100%" src="data:image/png;base64,{png}"></p>'


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    stream = BytesIO()
    figure.savefig(stream, dpi=WIDTH / figure.get_size_inches()[0], format="png")
    return stream.getvalue()


def _told(findings: Findings) -> str:
    """The verdict, and behind it every finding: open where something is poor."""
    colour = VERDICT_COLOURS[findings.verdict]
    shown = " open" if findings.verdict == "poor" else ""
    table = findings.table().html()
    head = f'<summary>findings: <b style="color:{colour}">{escape(findings.verdict)}</b></summary>'
    return f"<details{shown}>{head}{table}</details>"
