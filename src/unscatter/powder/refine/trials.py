"""Trial metrics for each crystal system, from lines to which indices are given by trial.

Every function makes metrics of base lines, and offers them to what is sought (see match.py), which keeps the best.
"""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.pattern.kernels import compiled
from unscatter.powder.refine.match import Sought, judge, keep, wanted
from unscatter.powder.refine.zones import plane_score

#: hkl of one general line, by system.
MULTIPLICITY = {"a": 2.0, "m": 4.0, "o": 8.0, "t": 16.0, "h": 24.0, "r": 12.0, "c": 48.0}


@compiled
def cubic(sought: Sought) -> None:
    """One line with h^2 + k^2 + l^2 = 1 ... 48."""
    q, rarity, table, masks, base, largest, scores, found, rule = sought
    bits, g = np.zeros(8, dtype=np.int64), np.zeros(6)
    for i in base:
        for s in range(1, 49):
            a = q[i] / s
            g[0], g[1], g[2] = a, a, a
            score, mask = judge(g, 2, 48.0, q, rarity, table, masks, bits, wanted(scores), largest, rule)
            keep(scores, found, g, score, mask)


@compiled
def two_parameters(sought: Sought, kind: int, nodes: Integers) -> None:
    """Pairs of lines A N + C l^2; kind: 0 tetragonal, 1 hexagonal, 2 rhombohedral; nodes: rows N, l^2 (m, 2)."""
    q, rarity, table, masks, base, largest, scores, found, rule = sought
    bits, g = np.zeros(8, dtype=np.int64), np.zeros(6)
    symmetry, multiplicity = (2, 3, 0)[kind], (16.0, 24.0, 12.0)[kind]
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
                    _form(kind, a, c, g)
                    score, mask = judge(
                        g, symmetry, multiplicity, q, rarity, table, masks, bits, wanted(scores), largest, rule
                    )
                    keep(scores, found, g, score, mask)


@compiled
def _form(kind: int, a: float, c: float, g: Floats) -> None:
    """Fill g (6,) for A N + C l^2; kind as in two_parameters."""
    if kind == 2:
        # Rhombohedral axes of the obverse setting: (1 0 1), (-1 1 1), (0 -1 1) on hexagonal ones.
        g[:3], g[3:] = a + c, 2 * c - a
    else:
        g[0], g[1], g[2], g[5] = a, a, c, a if kind == 1 else 0.0


@compiled
def orthorhombic(sought: Sought, squares: Floats, convincing: float) -> None:
    """Triples of lines with the squares of h, k, l in rows (m, 3), for A >= B >= C.

    Once a lattice scores more than `convincing`, no further line is taken.
    """
    q, rarity, table, masks, base, largest, scores, found, rule = sought
    bits, g = np.zeros(8, dtype=np.int64), np.zeros(6)
    count = len(squares)
    for n3 in range(2, len(base)):
        if scores[0] > convincing:
            return
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
                            z0, z1, z2 = squares[k, 0], squares[k, 1], squares[k, 2]
                            det = cx * z0 + cy * z1 + cz * z2
                            if det == 0:
                                continue
                            # Cramer: (p y x z + r z x x + s x x y) / det, with x meaning the vector product.
                            share = 1 / det
                            a = (uy * z2 - uz * z1 + s * cx) * share
                            b = (uz * z0 - ux * z2 + s * cy) * share
                            if not a >= b > 0:
                                continue
                            c = (ux * z1 - uy * z0 + s * cz) * share
                            if not b >= c > 0:
                                continue
                            g[0], g[1], g[2] = a, b, c
                            score, mask = judge(g, 2, 8.0, q, rarity, table, masks, bits, wanted(scores), largest, rule)
                            keep(scores, found, g, score, mask)


@compiled
def monoclinic(sought: Sought, planes: Floats) -> None:
    """Zones (m, 3) as h0l, as they are and halved both ways, and b* at right angles.

    b* comes from every base line with k = 1, 2 or 3 over a node of the zone. Glide planes and centring hide lines of
    the zone itself, so that its nodes may be twice too far apart.
    """
    q, rarity, table, masks, base, largest, scores, found, rule = sought
    bits, g = np.zeros(8, dtype=np.int64), np.zeros(6)
    for n in range(2 * len(planes)):
        part = 4.0 if n & 1 else 1.0
        a, b, d = planes[n // 2, 0] / part, planes[n // 2, 1] / part, planes[n // 2, 2] / part
        if a <= 0:
            continue
        for i in base:
            for k in range(1, 4):
                for h in range(-2, 3):
                    for l in range(3):  # noqa: E741
                        if l == 0 and h < 0:
                            continue
                        high = (q[i] - (a * h * h + b * l * l + d * h * l)) / (k * k)
                        if high <= 0:
                            continue
                        g[0], g[1], g[2], g[4] = a, high, b, d
                        score, mask = judge(g, 1, 4.0, q, rarity, table, masks, bits, wanted(scores), largest, rule)
                        keep(scores, found, g, score, mask)


@compiled
def monoclinic_rows(sought: Sought, planes: Floats) -> None:
    """Zones (m, 3) that are rectangles, centred or not, as b* and a*; c* and beta* from two more lines."""
    q, rarity, table, masks, base, largest, scores, found, rule = sought
    bits, g = np.zeros(8, dtype=np.int64), np.zeros(6)
    count = len(q)
    for plane in planes:
        a, b, d = plane
        if a <= 0:
            continue
        if d < 0.03 * a:
            first, second = a, b
        elif a - d < 0.03 * a:
            first, second = a, 4 * b - a
        elif b - a < 0.03 * a:
            first, second = a + b + d, a + b - d
        else:
            continue
        for role in range(4):
            row, high = (first, second) if role & 1 else (second, first)
            high = high / 4 if role & 2 else high
            for i in base:
                for n in range(4):
                    c = q[i] - n * n * high
                    if c <= 0:
                        break
                    for j in range(count):
                        for k in range(4):
                            e = q[j] - k * k * high - c - row
                            if e < -2 * np.sqrt(c * row):
                                break
                            if j == i or abs(e) > 1.5 * row:
                                continue
                            g[0], g[1], g[2], g[4] = row, high, c, e
                            score, mask = judge(g, 1, 4.0, q, rarity, table, masks, bits, wanted(scores), largest, rule)
                            keep(scores, found, g, score, mask)


@compiled
def triclinic(sought: Sought, window: Floats, planes: Floats, steps: Integers, partners: int) -> None:
    """Zones (m, 3) as hk0, a third vector from a line outside, and its two angles from two lines at higher angles.

    steps: rows (s, 2) that lead from the third vector to those lines, of which the first half are not opposites.
    """
    q, rarity, table, masks, base, largest, scores, found, rule = sought
    bits, g = np.zeros(8, dtype=np.int64), np.zeros(6)
    count = min(partners, len(q))
    for plane in planes:
        a, b, d = plane
        if a <= 0:
            continue
        inside = plane_score(a, b, d, q, 0.4 * window, bits)[1]
        for i in base:
            if inside >> i & 1:
                continue
            c = q[i]
            for j in range(i + 1, count):
                for x in range(len(steps) // 2):
                    m1, n1 = steps[x, 0], steps[x, 1]
                    r1 = q[j] - c - (m1 * m1 * a + n1 * n1 * b + m1 * n1 * d)
                    for k in range(i + 1, count):
                        if k == j:
                            continue
                        for y in range(len(steps)):
                            m2, n2 = steps[y, 0], steps[y, 1]
                            det = m1 * n2 - m2 * n1
                            # Each pair of lines once.
                            if det == 0 or abs(det) > 1 or (k < j and y < len(steps) // 2):
                                continue
                            r2 = q[k] - c - (m2 * m2 * a + n2 * n2 * b + m2 * n2 * d)
                            e, f = (r1 * n2 - r2 * n1) / det, (m1 * r2 - m2 * r1) / det
                            if abs(e) > 1.6 * a or abs(f) > 1.6 * b:
                                continue
                            g[0], g[1], g[2], g[3], g[4], g[5] = a, b, c, f, e, d
                            score, mask = judge(g, 0, 2.0, q, rarity, table, masks, bits, wanted(scores), largest, rule)
                            keep(scores, found, g, score, mask)
