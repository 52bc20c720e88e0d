"""Checkpoints without pickles: tensors as safetensors, everything else as JSON in the header, written then moved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

#: Version of the layout; raise it with an upgrade in `load_checkpoint` when the layout changes.
LAYOUT = 1


def save_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    record: Mapping[str, Any],
) -> None:
    """Write modules, optimiser state and a record of plain data to one safetensors file, whole or not at all."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors.update({f"{name}/{key}": value.contiguous() for key, value in module.state_dict().items()})
    for name, optimizer in optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            tensors.update({f"optimizer/{name}/{index}/{key}": torch.as_tensor(v) for key, v in state.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    # Clones: safetensors refuses tensors that share memory.
    header = {"layout": str(LAYOUT), "record": json.dumps(record)}
    save_file({key: value.detach().cpu().clone() for key, value in tensors.items()}, str(part), header)
    part.replace(path)


def read_record(path: Path) -> dict[str, Any]:
    """Read the record of a checkpoint without its tensors; raises ValueError for a file of another kind."""
    try:
        with safe_open(str(path), framework="pt") as stream:
            header = stream.metadata() or {}
    except Exception as error:
        raise ValueError(f"{path} is not a checkpoint of unscatter: {error}") from error
    if header.get("layout") != str(LAYOUT):
        raise ValueError(f"{path} is a checkpoint of layout {header.get('layout')}, expected {LAYOUT}")
    record: dict[str, Any] = json.loads(header["record"])
    return record


def load_checkpoint(
    path: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]
) -> dict[str, Any]:
    """Restore modules and optimisers from a checkpoint and return its record."""
    record = read_record(path)
    with safe_open(str(path), framework="pt") as stream:
        tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    for name, module in modules.items():
        prefix = f"{name}/"
        module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    for name, optimizer in optimizers.items():
        _load_optimizer(optimizer, f"optimizer/{name}/", tensors)
    return record


def _load_optimizer(optimizer: Optimizer, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix):
            index, name = key.removeprefix(prefix).split("/")
            state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def load_module(path: Path, name: str, module: nn.Module) -> None:
    """Restore one module of a checkpoint."""
    module.load_state_dict(read_module(path, name))


def read_module(path: Path, name: str) -> dict[str, Tensor]:
    """Read the tensors of one module of a checkpoint, by their names in the module."""
    prefix = f"{name}/"
    with safe_open(str(path), framework="pt") as stream:
        keys = [key for key in stream.keys() if key.startswith(prefix)]  # noqa: SIM118
        return {key.removeprefix(prefix): stream.get_tensor(key) for key in keys}
