"""All lattices of a system that explain a list of lines, within bounds: intervals of the cell, halved again and again.

A box holds all cells with reciprocal parameters between two bounds. 1/d^2 of every hkl then lies in an interval; a line
that is seen in none of them is explained by no cell of the box, and the box is given up as soon as more lines are lost
than may be foreign. What is left is halved until it is as small as the windows of the lines. Nothing within the bounds
is missed: no box left means that there is no such lattice.
Source: Louer & Louer, J. Appl. Cryst. 5, 271 (1972); Boultif & Louer, J. Appl. Cryst. 24, 987 (1991).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.kernels import compiled
from unscatter.powder.refine.match import ALONE, Sought, judge, keep, line_table, parity_masks
from unscatter.powder.refine.metric import OBVERSE
from unscatter.powder.refine.search import Problem, direct_metric, symmetric_masks

#: Systems that are searched to the end, in this order: one, two and three parameters.
EXHAUSTIVE = ("cubic", "tetragonal", "hexagonal", "orthorhombic")
#: Edges of conventional cells in Angstrom, and the shells of their volumes in Angstrom^3 that are searched one by one.
EDGES = (2.4, 30.0)
SHELLS = {
    "cubic": (0.0, 27000.0),
    "tetragonal": (0.0, 1000.0, 4000.0, 12000.0),
    "hexagonal": (0.0, 1000.0, 4000.0, 12000.0),
    "orthorhombic": (0.0, 250.0, 500.0, 750.0, 1000.0, 1500.0, 2000.0, 3000.0),
}
#: Lines that must be explained; one of so many may be foreign; half width in degrees within which a line is explained,
#: or so many s.u. if that is more.
LINES, FOREIGN, WINDOW, SIGMAS = 20, 10, 0.03, 2.0
#: Nats a line at which a lattice ends the search of its system with its shell: larger cells explain more by chance.
BELIEVED = 1.5
# Boxes between two looks at the clock, and lattices that are kept.
_STRIDE, _KEPT = 20_000, 10
# A box is a cell where it moves lines by at most this share of their windows to either side.
_FINE = 0.5
# Each parameter is halved some fifteen times, and one of two halves waits each time.
_STACK = 128


@dataclass(frozen=True)
class Exhausted:
    """What was searched to its end: no lattice within these bounds explains the lines but those that were found.

    system; largest: volume of the conventional cell in Angstrom^3, 0 where time ended before the first shell did;
    lines, foreign: how many were to be explained, and how many of these might not; score: of the best, in nats against
    chance, -inf where no cell is left; boxes: how many were looked at.
    """

    system: str
    largest: float
    lines: int
    foreign: int
    score: float
    boxes: int

    def describe(self) -> str:
        """What it means, in a few words."""
        if not self.largest:
            return f"{self.system}, all: time was up before anything could be ruled out"
        best = f"best score {self.score:.0f}" if self.score > 0 else "no cell better than chance"
        found = best if np.isfinite(self.score) else "no cell"
        asked = f"{self.lines - self.foreign} of {self.lines} lines"
        return f"{self.system}, all up to {self.largest:.0f} A^3 ({asked}): {found}"


def exhaust(
    problem: Problem, system: str, deadline: float, max_volume: float = np.inf
) -> tuple[list[Floats], Exhausted]:
    """Primitive metrics (3, 3) of a system that explain all lines but a tenth, the best first, and what is ruled out.

    problem: lines as a search sees them (see pose); deadline: of time.thread_time(), at which the shell that is
    searched is given up; max_volume: of the conventional cell in Angstrom^3. Edges lie between 2.4 and 30 Angstrom. A
    lattice that explains the lines far better than chance ends the search with its shell. Rhombohedral lattices are
    among the hexagonal ones.
    """
    kind, q = EXHAUSTIVE.index(system), problem.q
    masks = parity_masks() if kind == 3 else symmetric_masks() if kind < 2 else parity_masks()[:1]
    scores, found = np.full(_KEPT, -1e8), np.zeros((_KEPT, 8))
    # The middle of a box may be off by half of what its lines are allowed.
    table = line_table(q, (1 + _FINE) * problem.window)
    sought = Sought(q, problem.rarity, table, masks, np.arange(len(q)), np.inf, scores, found, ALONE)
    foreign = len(q) // FOREIGN
    bounds = [volume for volume in SHELLS[system] if volume < max_volume]
    bounds += [min(max_volume, SHELLS[system][-1])] * (bounds[-1] < SHELLS[system][-1])
    done, boxes, cells = 0.0, 0, 0
    for low, high in pairwise(bounds):
        stack, depth = np.zeros((_STACK, 6)), 1
        stack[0] = _everything(kind)
        while depth and time.thread_time() < deadline:
            depth, looked, left = _halve(sought, problem.window, kind, stack, depth, low, high, foreign, _STRIDE)
            boxes, cells = boxes + looked, cells + left
        if depth:
            break
        done = high
        if scores[0] > BELIEVED * len(q):
            break
    score = max(float(scores[0]), 0.0) if cells else -np.inf
    metrics = [direct_metric(row) for row in found[scores > 0]]
    if kind == 2:
        metrics += [_rhombohedral(row) for row in found[scores > 0]]
    return metrics, Exhausted(system, done, len(q), foreign, score, boxes)


def _rhombohedral(row: Floats) -> Floats:
    """Primitive metric (3, 3) of the rhombohedral lattice on the hexagonal axes of a trial."""
    a, c = 4 / (3 * row[0]), 1 / row[2]
    hexagonal = np.array([[a, -a / 2, 0.0], [-a / 2, a, 0.0], [0.0, 0.0, c]])
    return np.asarray(OBVERSE @ hexagonal @ OBVERSE.T)


def _everything(kind: int) -> Floats:
    """The box (6,) of all cells with edges between the bounds."""
    least, most = 1 / EDGES[1] ** 2, 1 / EDGES[0] ** 2
    # Hexagonal: A = 4 / (3 a^2).
    first = 4 / 3 if kind == 2 else 1.0
    return np.array([first * least, first * least, least, first * most, first * most, most])


@compiled
def _halve(
    sought: Sought,
    window: Floats,
    kind: int,
    stack: Floats,
    depth: int,
    low: float,
    high: float,
    foreign: int,
    most: int,
) -> tuple[int, int, int]:
    """Look at `most` boxes (low and high of the parameters) of the stack; new depth, boxes, cells left.

    Parameters: kind 0 A = B = C, 1 and 2 A = B and C, 3 A <= B <= C.
    """
    q, rarity, table, masks, _, largest, scores, found, rule = sought
    bits, g = np.zeros(8, dtype=np.int64), np.zeros(6)
    box = np.empty(6)
    boxes = cells = 0
    while depth > 0 and boxes < most:
        depth -= 1
        boxes += 1
        box[:] = stack[depth]
        if not _within(box, kind, low, high) or _lost(q, window, kind, box, foreign) > foreign:
            continue
        if _is_fine(q, window, kind, box):
            for n in range(3):
                g[n] = 0.5 * (box[n] + box[n + 3])
            g[3], g[4], g[5] = 0.0, 0.0, g[0] if kind == 2 else 0.0
            cells += 1
            enough = max(scores[-1], 0.0)
            multiplicity = (48.0, 16.0, 24.0, 8.0)[kind]
            score, mask = judge(
                g, 3 if kind == 2 else 2, multiplicity, q, rarity, table, masks, bits, enough, largest, rule
            )
            keep(scores, found, g, score, mask)
            continue
        widest = _widest(box, kind)[0]
        middle = np.sqrt(box[widest] * box[widest + 3])
        for half in range(2):
            stack[depth] = box
            stack[depth, widest + 3 * (1 - half)] = middle
            _tie(stack[depth], kind)
            depth += 1
    return depth, boxes, cells


@compiled
def _tie(box: Floats, kind: int) -> None:
    """Make equal what symmetry makes equal."""
    if kind < 3:
        box[1], box[4] = box[0], box[3]
    if kind == 0:
        box[2], box[5] = box[0], box[3]


@compiled
def _within(box: Floats, kind: int, low: float, high: float) -> bool:
    """Whether a box holds a cell with a volume between two bounds and, orthorhombic, with A <= B <= C."""
    if kind == 3 and (box[0] > box[4] or box[1] > box[5]):
        return False
    # V^-2 = A B C; hexagonal 3/4 A^2 C.
    share = 0.75 if kind == 2 else 1.0
    if share * box[3] * box[4] * box[5] < 1 / (high * high):
        return False
    return low == 0 or share * box[0] * box[1] * box[2] <= 1 / (low * low)


@compiled
def _widest(box: Floats, kind: int) -> tuple[int, float]:
    """Parameter whose bounds are in the largest ratio, and the ratio."""
    widest, ratio = 0, box[3] / box[0]
    for n in range(1, 3):
        if (kind == 3 or (kind > 0 and n == 2)) and box[n + 3] / box[n] > ratio:
            widest, ratio = n, box[n + 3] / box[n]
    return widest, ratio


@compiled
def _is_fine(q: Floats, window: Floats, kind: int, box: Floats) -> bool:
    """Whether no cell of a box puts a line farther from that of its middle than a share of the window."""
    ratio = _widest(box, kind)[1]
    return bool(np.all(0.5 * (ratio - 1) * q <= _FINE * window))


@compiled
def _lost(q: Floats, window: Floats, kind: int, box: Floats, foreign: int) -> int:
    """Lines that no cell of a box explains, up to one more than may be foreign."""
    lost = 0
    for n in range(len(q)):
        if not _hit(q[n] - window[n], q[n] + window[n], kind, box):
            lost += 1
            if lost > foreign:
                return lost
    return lost


@compiled
def _hit(low: float, high: float, kind: int, box: Floats) -> bool:
    """Whether any hkl has an interval of q that meets low ... high."""
    a0, b0, c0, a1, b1, c1 = box[0], box[1], box[2], box[3], box[4], box[5]
    h = 0
    while a0 * h * h <= high:
        # Of equivalent hkl one is looked at: h >= k, and k >= l where the lattice is cubic.
        k = 0
        while True:
            if kind == 2:
                n = h * h + h * k + k * k
                under, over = a0 * n, a1 * n
            else:
                under, over = a0 * h * h + b0 * k * k, a1 * h * h + b1 * k * k
            if under > high or (kind < 3 and k > h):
                break
            # l^2 c0 + under <= high and l^2 c1 + over >= low
            last = int(np.sqrt((high - under) / c0))
            first = 0 if over >= low else int(np.ceil(np.sqrt((low - over) / c1)))
            if first == 0 and h == 0 and k == 0:
                first = 1
            if first <= last:
                return True
            k += 1
        h += 1
    return False
