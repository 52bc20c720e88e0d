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

#: A move may be small by chance: no s.u. is below this share of that with I_FF free. Chosen on simulated planes
#: (docs/dev/experiments.md).
LEAST_OF_FREE = 0.8


@dataclass(frozen=True)
class Inherited:
    """How far each alpha moves where I_FF is refined too, and the variance of what it moves to, (n,) each."""

    moved: Floats
    free_variance: Floats

    def added(self, variance: Floats) -> Floats:
        """Return what errors of I_FF add to a variance of the scatter of I_SRO alone, (m,) of the first m alphas."""
        told = slice(0, len(variance))
        least = LEAST_OF_FREE**2 * self.free_variance[told]
        return np.asarray(self.moved[told] ** 2 + np.maximum(least - variance, 0.0))

    def words(self, fit: OrderFit) -> list[str]:
        """How far, in one line."""
        far = float(np.sqrt(np.mean(self.moved[: len(fit)] ** 2)))
        return [f"with I_FF refined too (--against data) the alphas move by {far:.4f} r.m.s.: their s.u. hold that"]
