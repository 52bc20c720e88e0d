"""Batches of patterns with and without labels, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from unscatter.train.loading import load_in_order
from unscatter.train.powder.measured import MeasuredPatterns, mix
from unscatter.train.powder.patterns import ENDLESS, Patterns, PatternSet, PatternSource, PatternStream
from unscatter.train.session import Place

#: Sets patterns without labels apart, so that chance spoils them in other ways.
_WITHOUT_LABELS = 500


class PartlyLabelled(NamedTuple):
    """labelled: patterns with their labels; unlabelled: (B, 1, points), patterns of which nothing else is known."""

    labelled: Patterns
    unlabelled: Tensor

    def to(self, device: torch.device) -> PartlyLabelled:
        """The same on another device."""
        return PartlyLabelled(self.labelled.to(device), self.unlabelled.to(device, non_blocking=True))


class PartlyLabelledStream:
    """Endless batches of labelled and unlabelled patterns, every recipe in equal parts, measured ones among them."""

    def __init__(self, source: PatternSource, measured: MeasuredPatterns | None = None, share: float = 0.0) -> None:
        """Draw from both parts of the training rows, and a share of either half from measured patterns.

        Raises ValueError if nothing is left without a label.
        """
        if not len(source.unlabelled) and measured is None:
            raise ValueError(
                f"all {len(source.labelled)} training structures keep their label and none is left to learn from "
                "without: give --labelled 0.05, 0.1, 0.25 or 0.5 as in the paper"
            )
        self.source, self.measured, self.share = source, measured, share

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every recipe in full, as plain data."""
        return PatternStream(self.source).records

    def batches(self, place: Place) -> Iterator[PartlyLabelled]:
        """Batches place.first, place.first + 1, ..., made on the host and carried to the device."""
        items = PartlyLabelledSet(self.source, place.rank, self.measured, self.share)
        for batch in load_in_order(items, place.first, ENDLESS, self.source.options.workers):
            yield batch.to(place.device)


class PartlyLabelledSet(Dataset[PartlyLabelled]):
    """Batch number -> labelled and unlabelled patterns: a pure function of (options, process, number)."""

    def __init__(
        self, source: PatternSource, rank: int, measured: MeasuredPatterns | None = None, share: float = 0.0
    ) -> None:
        """Each part has its own order and its own chance."""
        self.labelled = PatternSet(source, rank)
        # Where every simulated pattern keeps its label, they stand in for those without beside the measured ones.
        self.unlabelled = PatternSet(source, rank, labelled=not len(source.unlabelled), chance=_WITHOUT_LABELS)
        self.measured, self.seed = measured, source.options.seed + 1000 * rank
        self.count = round(share * source.options.batch)

    def __len__(self) -> int:
        """Number of batches."""
        return ENDLESS

    def __getitem__(self, index: int) -> PartlyLabelled:
        """Make one batch; what is known of the unlabelled patterns is dropped here."""
        labelled, unlabelled = self.labelled[index], self.unlabelled[index]
        if self.measured is not None:
            known, unknown = (
                self.measured.pick(self.count, (self.seed, index, int(which)), labelled=which)
                for which in (True, False)
            )
            labelled, unlabelled = mix(labelled, known), mix(unlabelled, unknown)
        return PartlyLabelled(labelled, unlabelled.inputs)
