"""Items of a data set in their order, made in this process or by several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

Item = TypeVar("Item")


def load_in_order(items: Dataset[Item], first: int, count: int, workers: int) -> Iterator[Item]:
    """Items first, first + 1, ... to count - 1, made by `workers` processes of one thread each (0: in this one)."""
    loader: DataLoader[Item] = DataLoader(
        items,
        batch_size=None,
        sampler=range(first, count),
        num_workers=workers,
        worker_init_fn=_one_thread if workers else None,
        prefetch_factor=4 if workers else None,
    )
    yield from loader


def _one_thread(worker: int) -> None:
    # More threads in a worker fight with the training process for its cores.
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
