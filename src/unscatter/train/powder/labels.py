"""Which training structures keep their label where others are learned from without it.

Lolla et al., J. Appl. Cryst. 55, 882 (2022), section 2.4.4: 5, 10, 25 or 50 % of all structures, chosen at random, and
the rest of the training part without its labels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unscatter.train.powder.splits import Rows


class LabelParts(NamedTuple):
    """Training rows in two parts that share none, each sorted."""

    labelled: Rows
    unlabelled: Rows


def part_labels(training: Rows, structures: int, share: float, seed: int = 0) -> LabelParts:
    """Part the training rows into those that keep their label and the rest, whatever their labels are.

    share: of all `structures`, test and validation included, as the paper counts; rounded, one at least and the
    whole training part at most. The parts of one seed are nested: what keeps its label at 5 % keeps it at 10 %.
    Raises ValueError for a share that is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share of {share:g} of the structures cannot keep its label: give --labelled 0.05 to 1")
    count = min(max(round(share * structures), 1), len(training))
    order = np.random.default_rng(seed).permutation(training)
    return LabelParts(np.sort(order[:count]), np.sort(order[count:]))
