"""From a checkpoint to shippable weights: ONNX for inference, safetensors for retraining, a card that says it all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save_file

from unscatter.nn.unet import UNet, UNetConfig
from unscatter.train.checkpoint import load_module, read_record

LICENCE = "BSD-3-Clause"
CITATIONS = ("Fuller & Rudden (2024), IUCrJ 11, 34-44",)


def load_unet(checkpoint: Path) -> tuple[UNet, dict[str, Any]]:
    """Averaged network of a checkpoint, ready for inference, and the record of its training."""
    record = read_record(checkpoint)
    if "network" not in record["options"]:
        raise ValueError(f"{checkpoint} holds no U-Net: train it with unscatter train factorize --network unet")
    config = record["options"]["network"]
    network = UNet(UNetConfig(**{**config, "channels": tuple(config["channels"])}))
    load_module(checkpoint, "average", network)
    return network.eval(), record


def export_factorize(checkpoint: Path, folder: Path, name: str) -> Path:
    """Write NAME.onnx, NAME.safetensors and the card NAME.json; returns the card.

    Raises ValueError if ONNX Runtime does not give the numbers that PyTorch gives.
    """
    network, record = load_unet(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    onnx, tensors = folder / f"{name}.onnx", folder / f"{name}.safetensors"
    size = network.config.size
    sample = (torch.zeros(1, network.config.in_channels, size, size), torch.zeros(1, 2, size, size))
    torch.onnx.export(
        network,
        sample,
        str(onnx),
        input_names=["inputs", "guesses"],
        output_names=["components"],
        dynamic_shapes=({0: "batch"}, {0: "batch"}),
        external_data=False,
        verbose=False,
    )
    _check_same(network, onnx)
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, str(tensors))
    card = {
        "name": name,
        "task": record["task"],
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (onnx, tensors)},
        "licence": LICENCE,
        "cite": CITATIONS,
        "record": record,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def _check_same(network: UNet, onnx: Path) -> None:
    size = network.config.size
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(2, network.config.in_channels, size, size, generator=generator)
    guesses = torch.rand(2, 2, size, size, generator=generator)
    with torch.no_grad():
        expected = network(inputs, guesses).numpy()
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    seen = session.run(None, {"inputs": inputs.numpy(), "guesses": guesses.numpy()})[0]
    difference = float(np.max(np.abs(seen - expected)))
    if difference > 1e-3:
        raise ValueError(f"{onnx} differs from the network by {difference:.2g}, expected less than 0.001")
