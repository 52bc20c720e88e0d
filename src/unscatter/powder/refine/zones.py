"""Two-dimensional lattices (zones) among the lines, from which monoclinic and triclinic trials start.

A zone is q = a m^2 + b n^2 + d mn, with q (n,) = 1/d^2 of the lines sought and window (n,) how far each may lie off.
"""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.pattern.kernels import compiled


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
def find_zones(q: Floats, window: Floats, base: Integers, scores: Floats, found: Floats) -> None:
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
def refine_planes(planes: Floats, q: Floats, window: Floats) -> None:
    """Least squares of two-dimensional lattices (m, 3) on the lines that they explain, in place."""
    for z in range(len(planes)):
        a, b, d = planes[z]
        if a <= 0:
            continue
        square, target = np.zeros((3, 3)), np.zeros(3)
        lines = 0
        for i in range(len(q)):
            best, nearest = window[i], np.zeros(3)
            area = a * b - d * d / 4
            for n in range(int(np.sqrt(q[i] / area * a)) + 2):
                centre = -d * n / (2 * a)
                half = np.sqrt(max(centre * centre + (q[i] - b * n * n) / a, 0.0))
                for m in (np.rint(centre - half), np.rint(centre + half)):
                    off = abs(a * m * m + d * m * n + b * n * n - q[i])
                    if off < best:
                        best = off
                        nearest[0], nearest[1], nearest[2] = m * m, n * n, m * n
            if nearest[0] + nearest[1] > 0:
                lines += 1
                for x in range(3):
                    target[x] += nearest[x] * q[i] / window[i] ** 2
                    for y in range(3):
                        square[x, y] += nearest[x] * nearest[y] / window[i] ** 2
        if lines < 4 or not np.linalg.det(square) > 1e-8 * square[0, 0] * square[1, 1] * square[2, 2]:
            continue
        solved = np.linalg.solve(square, target)
        turned = abs(solved[0] - a) > 0.01 * a or abs(solved[1] - b) > 0.01 * b
        if not turned and solved[0] * solved[1] - solved[2] * solved[2] / 4 > 0:
            planes[z] = solved


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
