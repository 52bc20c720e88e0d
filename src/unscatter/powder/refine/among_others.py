"""Lattices of few parameters that explain a part of the lines, where a pattern holds several phases.

A lattice of one phase is asked to explain nearly all lines, and each that it leaves costs nats. In a mixture each phase
leaves most of them. Here the share s of the lines that are its own is free, and of a lattice only what it gains over
chance counts: sum_i ln[s p_i(near) + (1 - s) p_i(chance)] - ln p_i(chance). Cubic to hexagonal lattices have few enough
parameters to be told from chance so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from unscatter.powder.refine.candidates import distinct, refined
from unscatter.powder.refine.match import MOST_LINES
from unscatter.powder.refine.search import Effort, largest_volume, pose, sweep
from unscatter.powder.refine.settle import Observed, Settled, settle

#: Systems of one and two parameters.
SHORT = ("cubic", "rhombohedral", "tetragonal", "hexagonal")
#: Share of the lines that one of several phases is taken to have while trials are made, and lines they are made of.
EFFORT = Effort(lines=MOST_LINES, base=(12, 0, 0, 0), share=0.4)
#: Largest primitive cell in Angstrom^3, and nats by which a lattice is better than chance.
LARGEST, BETTER = 800.0, 12.0
#: Zeros in degrees that are tried, as a sample off the axis makes them, until a lattice gains so many nats.
ZEROS, CLEAR = (0.0, 0.06, -0.06, 0.12, -0.12), 25.0
#: Share of its lines that a lattice may have in common with a better one, and lattices at most.
COMMON, MOST = 0.7, 4


def among_others(
    observed: Observed, ranked_on: Observed, systems: Iterable[str], max_volume: float = np.inf
) -> list[Settled]:
    """Lattices of which each explains other lines, the likeliest first.

    observed: all lines; ranked_on: those over which lattices are ranked; systems: that are allowed.
    """
    mixed = replace(observed, mixed=True).strongest(EFFORT.lines, len(observed))
    ranked_on, largest = replace(ranked_on, mixed=True), min(LARGEST, max_volume)
    short, settled = [one for one in SHORT if one in set(systems)], list[Settled]()
    for zero in ZEROS:
        found = _tried(mixed, short, zero, largest)
        settled += [settle(one.metric, ranked_on, one.zero) for one in distinct(found)]
        # One scale is common to all phases: what one of them tells clearly holds for the others.
        if max((one.score for one in settled), default=0.0) > CLEAR:
            break
    return _differing(distinct(one for one in settled if one.score > BETTER))


def _tried(observed: Observed, systems: Sequence[str], zero: float, largest: float) -> list[Settled]:
    """Lattices refined from trials with a zero of the scale in degrees."""
    problem, found = pose(observed, EFFORT, zero), list[Settled]()
    for system in systems:
        for matrix in sweep(problem, system, EFFORT, min(largest, largest_volume(problem, system))):
            found += refined(matrix, observed, zero, largest)
    return found


def _differing(found: list[Settled]) -> list[Settled]:
    """Lattices that explain other lines than all better ones."""
    kept: list[Settled] = []
    for one in found:
        own = max(int(np.sum(one.indexed)), 1)
        if all(np.sum(one.indexed & other.indexed) < COMMON * own for other in kept):
            kept.append(one)
    return kept[:MOST]
