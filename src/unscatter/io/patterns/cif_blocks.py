"""Data blocks of a CIF: every tag in the spelling of the first powder dictionary, columns as numbers with their s.u."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.quantities import parse_number

#: More data blocks than this are a database.
MOST_BLOCKS = 5000
_BLOCK = re.compile(r"^data_", re.MULTILINE | re.IGNORECASE)
WAVELENGTH = "_diffrn_radiation_wavelength"

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A data block: name and, for each tag in the spelling of the first dictionary, the values as text.

    twice: tags that occur again with other values, of which the first are used.
    """

    name: str
    tags: dict[str, list[str]]
    twice: tuple[str, ...] = ()

    def column(self, tag: str) -> tuple[Column, Column]:
        """Values and uncertainties of a tag, NaN where the file has "?" or "."."""
        texts = self.tags.get(tag, [])
        if not texts:
            return np.empty(0), np.empty(0)
        try:
            return np.array(texts, dtype=np.float64), np.full(len(texts), np.nan)
        except ValueError:
            pairs = [parse_number(text) or (np.nan, np.nan) for text in texts]
            table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
            return table[:, 0], table[:, 1]

    def number(self, tag: str) -> float | None:
        """The one number of a tag, None if it has none or several."""
        values, _ = self.column(tag)
        return float(values[0]) if values.size == 1 and np.isfinite(values[0]) else None

    def text(self, tag: str) -> str:
        """The first value of a tag."""
        return (self.tags.get(tag) or [""])[0]


def blocks_of(text: str) -> list[Block]:
    """The data blocks of a CIF; raises ValueError for what is none."""
    count = len(_BLOCK.findall(text))
    if count > MOST_BLOCKS:
        raise ValueError(f"{count} data blocks; at most {MOST_BLOCKS} are read: save those with the pattern")
    try:
        # a tag given twice is not rare, and no reason to lose a pattern
        document = gemmi.cif.read_string(text, check_level=0)
    except (ValueError, RuntimeError) as error:
        first = str(error).split("\n")[0]
        raise ValueError(f"CIF that cannot be read ({first}); correct the line or export it again") from error
    return [_block(block) for block in document]


def _block(block: gemmi.cif.Block) -> Block:
    tags: dict[str, list[str]] = {}
    twice = []
    for tag, values in _tags(block):
        if tags.setdefault(tag, values) != values:
            twice.append(tag)
    return Block(block.name, tags, tuple(dict.fromkeys(twice)))


def _tags(block: gemmi.cif.Block) -> Iterator[tuple[str, list[str]]]:
    for item in block:
        pair: Any = item.pair
        if pair is not None:
            yield _spelling(pair[0]), [gemmi.cif.as_string(pair[1])]
        elif item.loop is not None:
            width = len(item.loop.tags)
            for place, tag in enumerate(item.loop.tags):
                yield _spelling(tag), list(item.loop.values[place::width])


def _spelling(tag: str) -> str:
    """A tag as the first dictionary spells it: without dots, and the categories that were split put together."""
    plain = tag.lower().replace(".", "_")
    plain = re.sub(r"^_pd_(meas|proc|calc)_overall_", r"_pd_\1_", plain)
    return re.sub(rf"^{WAVELENGTH}_(?:wavelength|value)$", WAVELENGTH, plain)
