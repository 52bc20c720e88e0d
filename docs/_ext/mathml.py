"""Equations as MathML, which every browser draws by itself: pages read the same without a network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number

#: What the converter does not know and the pages use: spaces, and several lines as a table of one column each.
_SPACES = re.compile(r"\\[,;:!]")


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(convert(_plain(node.astext())))
    raise nodes.SkipNode


def _display(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})</span>')
    writer.body.append(convert(_plain(node.astext()), display="block"))
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def _plain(latex: str) -> str:
    return _SPACES.sub(" ", latex).strip()


def setup(app: Sphinx) -> dict[str, bool]:
    """Make MathML the way in which HTML shows equations."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True}
