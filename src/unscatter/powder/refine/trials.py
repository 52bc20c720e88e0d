"""Trial metrics for each crystal system, from lines to which indices are given by trial.

Every function takes q (n,) = 1/d^2 of the lines sought, their rarity and table (see match.py), the lines from which
metrics are made (base, indices into q, the most trusted first), and the largest primitive volume; it fills
scores (m,) and found (m, 8): g0 ... g5, number of the mask, det G*.
"""

from __future__ import annotations

import numpy as np

from unscatter.powder.refine.columns import Floats, Integers
from unscatter.powder.refine.compiled import compiled
from unscatter.powder.refine.match import judge, keep

#: hkl of one general line, by system.
MULTIPLICITY = {"a": 2.0, "m": 4.0, "o": 8.0, "t": 16.0, "h": 24.0, "r": 12.0, "c": 48.0}


@compiled
def cubic(
    q: Floats,
    rarity: Floats,
    table: Integers,
    masks: Integers,
    base: Integers,
    largest: float,
    scores: Floats,
    found: Floats,
) -> None:
    """One line with h^2 + k^2 + l^2 = 1 ... 48."""
    bits = np.zeros(8, dtype=np.int64)
    for i in base:
        for s in range(1, 49):
            a = q[i] / s
            g = np.array([a, a, a, 0.0, 0.0, 0.0])
            score, mask = judge(g, 2, 48.0, q, rarity, table, masks, bits, scores[-1], largest)
            keep(scores, found, g, score, mask)


@compiled
def two_parameters(
    q: Floats,
    rarity: Floats,
    table: Integers,
    masks: Integers,
    base: Integers,
    largest: float,
    scores: Floats,
    found: Floats,
    kind: int,
    nodes: Integers,
) -> None:
    """Pairs of lines A N + C l^2; kind: 0 tetragonal, 1 hexagonal, 2 rhombohedral; nodes: rows N, l^2 (m, 2)."""
    bits = np.zeros(8, dtype=np.int64)
    for n2 in range(1, len(base)):
        for n1 in range(n2):
            p, r = q[base[n1]], q[base[n2]]
            for i in range(len(nodes)):
                s1, l1 = nodes[i, 0], nodes[i, 1]
                for j in range(len(nodes)):
                    s2, l2 = nodes[j, 0], nodes[j, 1]
                    det = s1 * l2 - s2 * l1
                    if det == 0:
                        continue
                    a, c = (p * l2 - r * l1) / det, (s1 * r - s2 * p) / det
                    if a <= 0 or c <= 0:
                        continue
                    g, symmetry, multiplicity = _form(kind, a, c)
                    score, mask = judge(g, symmetry, multiplicity, q, rarity, table, masks, bits, scores[-1], largest)
                    keep(scores, found, g, score, mask)


@compiled
def _form(kind: int, a: float, c: float) -> tuple[Floats, int, float]:
    if kind == 0:
        return np.array([a, a, c, 0.0, 0.0, 0.0]), 2, 16.0
    if kind == 1:
        return np.array([a, a, c, 0.0, 0.0, a]), 0, 24.0
    # Rhombohedral axes of the obverse setting: (1 0 1), (-1 1 1), (0 -1 1) on hexagonal ones.
    edge, product = a + c, 2 * c - a
    return np.array([edge, edge, edge, product, product, product]), 0, 12.0


@compiled
def orthorhombic(
    q: Floats,
    rarity: Floats,
    table: Integers,
    masks: Integers,
    base: Integers,
    largest: float,
    scores: Floats,
    found: Floats,
    squares: Floats,
) -> None:
    """Triples of lines with the squares of h, k, l in rows (m, 3), for A >= B >= C."""
    bits = np.zeros(8, dtype=np.int64)
    count = len(squares)
    for n3 in range(2, len(base)):
        for n2 in range(1, n3):
            for n1 in range(n2):
                p, r, s = q[base[n1]], q[base[n2]], q[base[n3]]
                for i in range(count):
                    x = squares[i]
                    for j in range(count):
                        y = squares[j]
                        cx, cy, cz = x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]
                        if cx == 0 and cy == 0 and cz == 0:
                            continue
                        ux, uy, uz = p * y[0] - r * x[0], p * y[1] - r * x[1], p * y[2] - r * x[2]
                        for k in range(count):
                            z = squares[k]
                            det = cx * z[0] + cy * z[1] + cz * z[2]
                            if det == 0:
                                continue
                            # Cramer: (p y x z + r z x x + s x x y) / det, with x meaning the vector product.
                            a = (uy * z[2] - uz * z[1] + s * cx) / det
                            b = (uz * z[0] - ux * z[2] + s * cy) / det
                            if not a >= b > 0:
                                continue
                            c = (ux * z[1] - uy * z[0] + s * cz) / det
                            if not b >= c > 0:
                                continue
                            g = np.array([a, b, c, 0.0, 0.0, 0.0])
                            score, mask = judge(g, 2, 8.0, q, rarity, table, masks, bits, scores[-1], largest)
                            keep(scores, found, g, score, mask)


@compiled
def plane_score(a: float, b: float, d: float, q: Floats, window: Floats, bits: Integers) -> tuple[float, int]:
    """Log Bayes factor of a two-dimensional lattice q = a m^2 + b n^2 + d mn, and the lines it explains as bits."""
    area = a * b - d * d / 4
    if area <= 0:
        return -1e9, 0
    hits, total = 0, 0.0
    density = np.pi / (2 * np.sqrt(area))
    for i in range(len(q)):
        hit = False
        most = int(np.sqrt(q[i] / area * a)) + 1
        for n in range(most + 1):
            centre = -d * n / (2 * a)
            under = centre * centre + (q[i] - b * n * n) / a
            if under < 0:
                continue
            half = np.sqrt(under)
            for m in (np.rint(centre - half), np.rint(centre + half)):
                if abs(a * m * m + d * m * n + b * n * n - q[i]) < window[i]:
                    hit = True
        chance = 1 - np.exp(-2 * window[i] * density)
        if hit:
            hits |= 1 << i
            total -= np.log(chance)
    return total, hits


@compiled
def zones(q: Floats, window: Floats, base: Integers, scores: Floats, found: Floats) -> None:
    """The best two-dimensional lattices (m, 3) a, b, d, from pairs of lines, halved or not, and a third.

    Two lines are taken for (10) and (01) or (20) and (02); a third gives the angle.
    Source: Ito, Nature 164, 755 (1949); Visser, J. Appl. Cryst. 2, 89 (1969).
    """
    bits = np.zeros(8, dtype=np.int64)
    size = len(scores)
    for n2 in range(1, len(base)):
        for n1 in range(n2):
            for halves in range(4):
                a = q[base[n1]] / (4.0 if halves & 1 else 1.0)
                b = q[base[n2]] / (4.0 if halves & 2 else 1.0)
                for k in range(len(q)):
                    for m, n in ((1, 1), (1, 2), (2, 1)):
                        d = (q[k] - m * m * a - n * n * b) / (m * n)
                        if abs(d) > 1.02 * 2 * min(a, b) or a * b - d * d / 4 <= 0:
                            continue
                        x, y, z = _reduced_plane(a, b, abs(d))
                        _keep_plane(x, y, z, q, window, bits, scores, found, size)
            # Right angles need no third line.
            _keep_plane(q[base[n1]], q[base[n2]], 0.0, q, window, bits, scores, found, size)


@compiled
def _reduced_plane(a: float, b: float, d: float) -> tuple[float, float, float]:
    """The same two-dimensional lattice with a <= b and 0 <= d <= a."""
    for _ in range(20):
        if a > b:
            a, b = b, a
        turns = np.rint(d / (2 * a))
        if turns == 0:
            break
        b, d = b - turns * d + turns * turns * a, d - 2 * turns * a
    return a, b, abs(d)


@compiled
def _keep_plane(
    a: float,
    b: float,
    d: float,
    q: Floats,
    window: Floats,
    bits: Integers,
    scores: Floats,
    found: Floats,
    size: int,
) -> None:
    for n in range(size):
        near = abs(found[n, 0] - a) < 0.003 * a and abs(found[n, 1] - b) < 0.003 * b
        if near and abs(found[n, 2] - d) < 0.006 * b:
            return
    score, _ = plane_score(a, b, d, q, window, bits)
    if score <= scores[size - 1]:
        return
    place = size - 1
    while place > 0 and scores[place - 1] < score:
        scores[place] = scores[place - 1]
        found[place] = found[place - 1]
        place -= 1
    scores[place] = score
    found[place, 0], found[place, 1], found[place, 2] = a, b, d


@compiled
def monoclinic(
    q: Floats,
    rarity: Floats,
    table: Integers,
    masks: Integers,
    base: Integers,
    largest: float,
    scores: Floats,
    found: Floats,
    planes: Floats,
) -> None:
    """Zones (m, 3) as h0l, and b* at right angles from every base line with k = 1, 2 or 3 over a node of the zone."""
    bits = np.zeros(8, dtype=np.int64)
    for plane in planes:
        a, b, d = plane
        if a <= 0:
            continue
        for i in base:
            for k in range(1, 4):
                for h in range(-2, 3):
                    for l in range(3):
                        if l == 0 and h < 0:
                            continue
                        high = (q[i] - (a * h * h + b * l * l + d * h * l)) / (k * k)
                        if high <= 0:
                            continue
                        g = np.array([a, high, b, 0.0, d, 0.0])
                        score, mask = judge(g, 1, 4.0, q, rarity, table, masks, bits, scores[-1], largest)
                        keep(scores, found, g, score, mask)


@compiled
def triclinic(
    q: Floats,
    window: Floats,
    rarity: Floats,
    table: Integers,
    masks: Integers,
    base: Integers,
    largest: float,
    scores: Floats,
    found: Floats,
    planes: Floats,
    partners: int,
) -> None:
    """Zones (m, 3) as hk0, a third vector from a line outside, and its two angles from two more lines."""
    bits = np.zeros(8, dtype=np.int64)
    for plane in planes:
        a, b, d = plane
        if a <= 0:
            continue
        inside = plane_score(a, b, d, q, window, bits)[1]
        for i in base:
            if inside >> i & 1:
                continue
            c = q[i]
            for j in range(min(partners, len(q))):
                e = q[j] - a - c
                if j == i or inside >> j & 1 or abs(e) > 1.6 * a:
                    continue
                for k in range(min(partners, len(q))):
                    f = q[k] - b - c
                    if k == i or inside >> k & 1 or abs(f) > 1.6 * b:
                        continue
                    for sign in (1.0, -1.0):
                        g = np.array([a, b, c, sign * f, e, d])
                        score, mask = judge(g, 0, 2.0, q, rarity, table, masks, bits, scores[-1], largest)
                        keep(scores, found, g, score, mask)
