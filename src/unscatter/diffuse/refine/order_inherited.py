"""What alphas inherit from errors of I_FF where I_SRO is taken as factorized.

I_SRO was folded from I_D / I_FF. An error of I_FF with the waves of a short vector is the same in every reciprocal
cell, so that no scatter between cells shows it. Alphas refined with I_FF free do not have it: how far they lie away
tells its size (Hausman, Econometrica 46, 1251 (1978)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.order_fit import OrderFit

#: An error is that with I_FF free and the move from there. What chance adds to the former the move takes off, in part,
#: so that this share of the s.u. with I_FF free is left. Chosen on simulated planes (docs/dev/experiments.md).
SHARE_OF_FREE = 0.8


@dataclass(frozen=True)
class Inherited:
    """How far each alpha moves where I_FF is refined too, and the variance of what it moves to, (n,) each."""

    moved: Floats
    free_variance: Floats

    def parts(self, variance: Floats) -> tuple[Floats, Floats]:
        """Variances of the first alphas by chance and by the move, (m,) each.

        variance: (m,) by the scatter of I_SRO between cells, which tells neither: a fold leaves little of it, and what
        there is comes from vectors that are not on the list.
        """
        told = slice(0, len(variance))
        return np.asarray(SHARE_OF_FREE**2 * self.free_variance[told]), np.asarray(self.moved[told] ** 2)

    def words(self, fit: OrderFit) -> list[str]:
        """How far, in one line."""
        far = float(np.sqrt(np.mean(self.moved[: len(fit)] ** 2)))
        return [f"with I_FF refined too (--against data) the alphas move by {far:.4f} r.m.s.: their s.u. hold that"]
