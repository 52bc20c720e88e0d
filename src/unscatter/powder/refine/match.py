"""How well a reciprocal metric explains the positions of lines: one pass for a lattice and all its centrings.

A lattice predicts q = 1/d^2 = g0 h^2 + g1 k^2 + g2 l^2 + g3 kl + g4 hl + g5 hk. Observed lines are bits; each predicted
line sets those it may be, sorted by the parity of hkl, so that every sublattice of index 2 and 4 is judged at once.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.pattern.kernels import compiled

#: Bins of q from 0 to the last line; most lines that fit into the bits of a bin.
BINS, MOST_LINES = 8192, 31
#: How far below the best, in nats, a trial may be.
BELOW = 25.0
#: Least gain of a line that is explained, where chance would explain it too.
_LEAST = 0.02


def line_table(q: Floats, window: Floats) -> Integers:
    """Bits of the lines (n,) that lie within their windows (n,) of each of BINS places between 0 and the last line."""
    table = np.zeros(BINS + 2, dtype=np.int64)
    scale = BINS / (q[-1] + window[-1])
    for n, (place, half) in enumerate(zip(q, window, strict=True)):
        low, high = round((place - half) * scale), round((place + half) * scale)
        table[max(low, 0) : high + 1] |= 1 << n
    return table


@cache
def parity_masks() -> Integers:
    """Classes of (h, k, l) modulo 2 (15, 8) that are kept: all, half in seven ways, and a quarter in seven ways."""
    parity = np.array([[n & 1, n >> 1 & 1, n >> 2 & 1] for n in range(8)])
    halves = [(parity @ parity[f] % 2 == 0) for f in range(1, 8)]
    quarters = {tuple(a & b): a & b for i, a in enumerate(halves) for b in halves[:i]}
    return np.array([np.ones(8, dtype=bool), *halves, *(quarters[key] for key in sorted(quarters))]).astype(np.int64)


@compiled
def explained(g: Floats, symmetry: int, most: float, table: Integers, scale: float, bits: Integers, limit: int) -> int:
    """Set the bits (8,) of the lines that a metric g (6,) explains below q = most; return how many it predicts.

    symmetry: 0 for all hkl and their opposites as one, 1 with k and -k as one (g3 = g5 = 0), 2 with all signs alike, 3
    for hexagonal axes, where classes of hkl are not told apart.
    More than `limit` predictions end the count.
    """
    for n in range(8):
        bits[n] = 0
    if symmetry == 2:
        return _explained_upright(g, most, table, scale, bits, limit)
    if symmetry == 3:
        return _explained_hexagonal(g, most, table, scale, bits, limit)
    count = 0
    # Along h for every k, l: bounds from the form with h, then h and k, taken out.
    g1 = g[1] - g[5] * g[5] / (4 * g[0])
    g3 = g[3] - g[4] * g[5] / (2 * g[0])
    g2 = g[2] - g[4] * g[4] / (4 * g[0])
    if g1 <= 0:
        return limit + 1
    g2 -= g3 * g3 / (4 * g1)
    if g2 <= 0:
        return limit + 1
    highest = int(np.sqrt(most / g2))
    if highest > limit:
        return limit + 1
    for l in range(highest + 1):  # noqa: E741
        centre_k = -g3 * l / (2 * g1)
        half_k = np.sqrt(max((most - g2 * l * l) / g1, 0.0))
        first_k, last_k = int(np.ceil(centre_k - half_k)), int(np.floor(centre_k + half_k))
        if symmetry == 1 or l == 0:
            first_k = max(first_k, 0)
        if last_k - first_k > limit:
            return limit + 1
        for k in range(first_k, last_k + 1):
            slope = g[4] * l + g[5] * k
            rest = g[1] * k * k + g[2] * l * l + g[3] * k * l
            centre = -slope / (2 * g[0])
            under = centre * centre + (most - rest) / g[0]
            if under < 0:
                continue
            half = np.sqrt(under)
            first, last = int(np.ceil(centre - half)), int(np.floor(centre + half))
            if l == 0 and (k == 0 or symmetry == 1):
                first = max(first, 0)
            if l == 0 and k == 0:
                first = max(first, 1)
            count += max(last - first + 1, 0)
            if count > limit:
                return count
            row = (k & 1) << 1 | (l & 1) << 2
            for h in range(first, last + 1):
                place = int((g[0] * h * h + slope * h + rest) * scale + 0.5)
                bits[row | (h & 1)] |= table[place]
    return count


@compiled
def _explained_upright(g: Floats, most: float, table: Integers, scale: float, bits: Integers, limit: int) -> int:
    """The same for right angles: no roots, no equivalents; n stands for l."""
    count, n = 0, 0
    while g[2] * n * n <= most:
        k = 0
        while g[2] * n * n + g[1] * k * k <= most:
            row, h = (k & 1) << 1 | (n & 1) << 2, 0 if k or n else 1
            place, step = g[2] * n * n + g[1] * k * k + g[0] * h * h, g[0] * (2 * h + 1)
            while place <= most:
                bits[row | (h & 1)] |= table[int(place * scale + 0.5)]
                place, step, h, count = place + step, step + 2 * g[0], h + 1, count + 1
            if count > limit:
                return count
            k += 1
        n += 1
    return count


@compiled
def _explained_hexagonal(g: Floats, most: float, table: Integers, scale: float, bits: Integers, limit: int) -> int:
    """The same for hexagonal axes, h >= k >= 0 standing for all that are equivalent."""
    count, n = 0, 0
    while g[2] * n * n <= most:
        k = 0
        while g[2] * n * n + 3 * g[0] * k * k <= most:
            h = k if k or n else 1
            place = g[2] * n * n + g[0] * (h * h + k * k + h * k)
            while place <= most:
                bits[0] |= table[int(place * scale + 0.5)]
                place += g[0] * (2 * h + 1 + k)
                h, count = h + 1, count + 1
            if count > limit:
                return count
            k += 1
        n += 1
    return count


@compiled
def count_bits(number: int) -> int:
    """Number of ones."""
    found = 0
    while number:
        number &= number - 1
        found += 1
    return found


@compiled
def gain(bits: int, rarity: Floats, log_density: float, foreign: float) -> float:
    """Log Bayes factor (nats) against chance of the lines in bits: each is worth -log of what chance explains.

    foreign: price in nats of any other line.
    """
    total = 0.0
    for n in range(len(rarity)):
        if bits >> n & 1:
            total += max(rarity[n] - log_density, _LEAST)
        else:
            total -= foreign
    return total


class Rule(NamedTuple):
    """What a lattice must do: price in nats of a line that is foreign, and shares explained at least.

    least: of all lines; glanced: of the first ones, at which a glance is taken.
    """

    foreign: float
    least: float
    glanced: float


#: Of one phase, whose lines are nearly all of those seen; and of one phase among others.
ALONE, AMONG_OTHERS = Rule(3.0, 0.55, 0.6), Rule(0.0, 0.1, 0.0)


class Sought(NamedTuple):
    """Lines to be explained, and the best metrics so far.

    q: (n,) 1/d^2; rarity: (n,) -log(4 pi w sqrt(q)) of lines with windows w; table: see line_table; masks: parity
    classes that a lattice may keep; base: indices into q of the lines from which metrics are made, the most trusted
    first; largest: volume of the primitive cell in Angstrom^3; scores: (m,), the best first; found: (m, 8), g0 ... g5,
    the classes kept as bits, det G*; rule: what a lattice must do.
    """

    q: Floats
    rarity: Floats
    table: Integers
    masks: Integers
    base: Integers
    largest: float
    scores: Floats
    found: Floats
    rule: Rule


@compiled
def _fewest_classes(masks: Integers) -> int:
    """Parity classes that the sparsest of the lattices keeps; masks: (m, 8)."""
    fewest = 8
    for mask in masks:
        fewest = min(fewest, mask.sum())
    return fewest


@compiled
def wanted(scores: Floats) -> float:
    """Score that a trial must exceed to be handed on, the best (m,) so far given."""
    return float(max(scores[-1], scores[0] - BELOW, 0.0))


# Loops call judge and keep one after the other, with plain arrays: through one function, or with what is sought as it
# is, they take half as much time again.
@compiled
def judge(
    g: Floats,
    symmetry: int,
    multiplicity: float,
    q: Floats,
    rarity: Floats,
    table: Integers,
    masks: Integers,
    bits: Integers,
    enough: float,
    largest: float,
    rule: Rule,
) -> tuple[float, int]:
    """Best score of a metric and the parity classes kept, as bits; -1e9 where a first look at few lines says no.

    multiplicity: hkl of one general line; enough: score that is not wanted, nor any below; the rest as in Sought.
    """
    # det of G* = [[g0, g5/2, g4/2], [., g1, g3/2], [., ., g2]]
    det = g[0] * g[1] * g[2] + (g[3] * g[4] * g[5] - g[0] * g[3] ** 2 - g[1] * g[4] ** 2 - g[2] * g[5] ** 2) / 4
    if det <= 0:
        return -1e9, 0
    volume = 1 / np.sqrt(det)
    if volume > 4 * largest:
        return -1e9, 0
    count = len(q)
    # The sparsest lattice of the masks, were it to explain all.
    rarest = np.log(volume * _fewest_classes(masks) / 8 / multiplicity)
    if gain((1 << count) - 1, rarity, rarest, rule.foreign) <= enough:
        return -1e9, 0
    scale = BINS / q[-1]
    limit = 4000
    # A glance at few lines turns most trials away before the whole list is looked at.
    for few in (5, 9):
        if few > count:
            continue
        if explained(g, symmetry, q[few - 1] * 1.0005, table, scale, bits, 40 * few) > 40 * few:
            return -1e9, 0
        everything = 0
        for n in range(8):
            everything |= bits[n]
        first = (1 << few) - 1
        seen = count_bits(everything & first)
        if seen < rule.glanced * few - 1e-9 or gain(everything | ~first, rarity, rarest, rule.foreign) <= enough:
            return -1e9, 0
    if explained(g, symmetry, q[-1], table, scale, bits, limit) > limit:
        return -1e9, 0
    best, chosen = -1e9, 0
    for m in range(len(masks)):
        found, kept = 0, 0
        for n in range(8):
            if masks[m, n]:
                found |= bits[n]
                kept += 1
        if volume * kept / 8 > largest or count_bits(found) < rule.least * count:
            continue
        score = gain(found, rarity, np.log(volume * kept / 8 / multiplicity), rule.foreign)
        if score > best:
            best, chosen = score, 0
            for n in range(8):
                chosen |= masks[m, n] << n
    return best, chosen


@compiled
def keep(scores: Floats, found: Floats, g: Floats, score: float, mask: int) -> None:
    """Put a metric among the best so far, sorted by score; one of like determinant and score is the same."""
    size = len(scores)
    if score <= scores[size - 1] or mask == 0:
        return
    det = g[0] * g[1] * g[2] + (g[3] * g[4] * g[5] - g[0] * g[3] ** 2 - g[1] * g[4] ** 2 - g[2] * g[5] ** 2) / 4
    place = size - 1
    for n in range(size):
        if scores[n] > -1e8 and abs(found[n, 7] - det) < 0.004 * det and found[n, 6] == mask:
            if scores[n] >= score:
                return
            place = n
            break
    while place > 0 and scores[place - 1] < score:
        scores[place] = scores[place - 1]
        found[place] = found[place - 1]
        place -= 1
    scores[place] = score
    found[place, :6] = g
    found[place, 6] = mask
    found[place, 7] = det
