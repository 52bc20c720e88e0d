"""Figures of merit of a lattice over a list of lines."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats


def distinct(q: Floats) -> Floats:
    """Values of q (n,) that differ, increasing."""
    ordered = np.sort(q)
    return ordered[np.concatenate([[True], np.diff(ordered) > 1e-6 * ordered[1:]])] if len(ordered) else ordered


def m20(observed: Floats, calculated: Floats, predicted: Floats, lines: int = 20) -> float:
    """M_n = Q_n / (2 <|Q_obs - Q_calc|> N_n) over the first n = 20 lines that are indexed, or all if fewer.

    observed, calculated: (n,) 1/d^2 of indexed lines, increasing; predicted: (m,) of all lines of the lattice; N_n of
    them lie up to the n-th observed line. Source: de Wolff, J. Appl. Cryst. 1, 108 (1968).
    """
    count = min(lines, len(observed))
    if count < 2:
        return float("nan")
    last = max(observed[count - 1], calculated[count - 1])
    mean = float(np.mean(np.abs(observed[:count] - calculated[:count])))
    return float(last / (2 * max(mean, 1e-12) * _up_to(predicted, last)))


def f20(observed: Floats, calculated: Floats, predicted: Floats, lines: int = 20) -> float:
    """F_n = n / (<|2 theta_obs - 2 theta_calc|> N_n) over the first n = 20 indexed lines, angles in degrees.

    observed, calculated, predicted: two-theta as for m20. Source: Smith & Snyder, J. Appl. Cryst. 12, 60 (1979).
    """
    count = min(lines, len(observed))
    if count < 2:
        return float("nan")
    last = max(observed[count - 1], calculated[count - 1])
    mean = float(np.mean(np.abs(observed[:count] - calculated[:count])))
    return float(count / (max(mean, 1e-12) * _up_to(predicted, last)))


def _up_to(predicted: Floats, last: float) -> int:
    return max(int(np.sum(distinct(predicted) <= last * (1 + 1e-9))), 1)
