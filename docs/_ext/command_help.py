"""The directive `command-help`: what `unscatter COMMAND --help` prints, so that the reference cannot go stale."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

#: Commands that cannot even explain themselves without PyTorch.
WORKSHOP = ("train", "evaluate", "export")


class CommandHelp(SphinxDirective):
    """A literal block with the help of one command."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Ask the command itself."""
        command = self.arguments[0].split()
        if command[0] in WORKSHOP and find_spec("torch") is None:
            text = "These pages were built without PyTorch; with unscatter[train] installed, type\n"
            return [nodes.literal_block("", f"{text}unscatter {' '.join(command)} --help", language="none")]
        environment = {**os.environ, "COLUMNS": "96", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        shown = subprocess.run(
            [sys.executable, "-m", "unscatter", *command, "--help"],
            check=True,
            capture_output=True,
            encoding="utf-8",
            env=environment,
        )
        return [nodes.literal_block("", shown.stdout.rstrip(), language="none")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
