"""The commands, one function each; `unscatter COMMAND --help` explains them."""

from unscatter.cli.dispatch import main

__all__ = ["main"]
