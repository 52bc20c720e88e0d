"""What patterns the network was trained on, in numbers, and how far outside of these a pattern lies."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.powder.pattern.channels import LONGEST, SHORTEST

#: The numbers, and how a sentence tells them.
NUMBERS = {
    "longest_d": "the longest d measured is {:.3g} A",
    "shortest_d": "the shortest d measured is {:.3g} A",
    "width": "lines are {:.2g} of their d wide",
    "points": "a line is {:.2g} points wide",
}


@dataclass(frozen=True)
class Outside:
    """The number of a pattern that lies farthest outside of what is known: by which factor (1 inside), and between."""

    name: str
    value: float
    known: tuple[float, float]
    factor: float

    def sentence(self) -> str:
        """What was seen, and what the network knows."""
        told = NUMBERS[self.name].format(self.value)
        return f"{told}; 99 % of the patterns that the network learned from lie between {_pair(self.known)}"


def numbers_of(pattern: Pattern, lines: Lines) -> dict[str, float]:
    """NUMBERS of a pattern of known wavelength in which at least one line was found; d as far as the network looks."""
    assert pattern.wavelength is not None, "checked before"
    d = pattern.wavelength / (2 * np.sin(np.radians(pattern.two_theta[[0, -1]] / 2)))
    fwhm = np.asarray(lines.fwhm)
    step = np.interp(lines.two_theta, pattern.two_theta, np.gradient(pattern.two_theta))
    return {
        "longest_d": min(float(d[0]), LONGEST),
        "shortest_d": max(float(d[1]), SHORTEST),
        "width": float(np.median(np.radians(fwhm) / 2 / np.tan(np.radians(lines.two_theta / 2)))),
        "points": float(np.median(fwhm / step)),
    }


@cache
def read_known_patterns() -> Mapping[str, tuple[float, float]]:
    """Lowest and highest of each number in 99 % of training patterns, drawn by tools/build_known_patterns.py."""
    table = tomllib.loads((files("unscatter.data") / "known_patterns.toml").read_text(encoding="utf-8"))
    return {name: (float(table[name][0]), float(table[name][1])) for name in NUMBERS}


def farthest_outside(pattern: Pattern, lines: Lines) -> Outside:
    """The number of a pattern that lies farthest outside of what the network was trained on."""
    found = []
    for name, value in numbers_of(pattern, lines).items():
        low, high = read_known_patterns()[name]
        found.append(Outside(name, value, (low, high), max(low / max(value, 1e-12), value / high, 1.0)))
    return max(found, key=lambda one: one.factor)


def _pair(known: tuple[float, float]) -> str:
    return f"{known[0]:.2g} and {known[1]:.2g}"
