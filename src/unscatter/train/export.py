"""From a checkpoint to shippable weights: ONNX for inference, safetensors for retraining, a card that says it all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import load, save
from safetensors.torch import save_file
from torch import nn

from unscatter.nn.encoder import Encoder, EncoderConfig
from unscatter.nn.unet import UNet, UNetConfig
from unscatter.train.checkpoint import load_module, read_record
from unscatter.train.powder.classify import load_classifier
from unscatter.train.powder.evaluate import last_temperature
from unscatter.train.powder.patterns import INPUTS

LICENCE = "BSD-3-Clause"
CITATIONS = ("Fuller & Rudden (2024), IUCrJ 11, 34-44",)
POWDER_CITATIONS = (
    "Lolla, Liang, Kusne, Takeuchi & Ratcliff (2022), J. Appl. Cryst. 55, 882-889",
    "Jain et al. (2013), APL Mater. 1, 011002",
)


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
    forget_traces(onnx)
    _check_same(network, onnx)
    _save_tensors(network, tensors)
    return _write_card(folder, name, record, [onnx, tensors])


def export_encoder(checkpoint: Path, folder: Path, name: str = "encoder-x") -> Path:
    """Write NAME.safetensors and the card NAME.json of an encoder, without its heads; returns the card.

    Raises ValueError for a checkpoint of another network.
    """
    record = read_record(checkpoint)
    if record["task"] != "encode":
        raise ValueError(f"{checkpoint} holds no encoder but task {record['task']!r}: type unscatter train encoder")
    config = record["options"]["network"]
    encoder = Encoder(EncoderConfig(**{**config, "widths": tuple(config["widths"])}))
    load_module(checkpoint, "encoder", encoder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = folder / f"{name}.safetensors"
    _save_tensors(encoder, tensors)
    return _write_card(folder, name, record, [tensors])


def export_classify(checkpoint: Path, folder: Path, name: str, data: str = "") -> Path:
    """Write NAME.onnx, NAME.safetensors and the card NAME.json of a classifier; returns the card.

    Input "channels" (B, channels, points); outputs "logits" (B, classes), to be divided by the temperature in the
    card, and where the network has a head for it "cell" (B, 4). data: whose structures it learned from, for the card.
    Raises ValueError if ONNX Runtime does not give the numbers that PyTorch gives.
    """
    network, record = load_classifier(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    onnx, tensors = folder / f"{name}.onnx", folder / f"{name}.safetensors"
    shape = INPUTS[record["axis"]]
    sample = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        answer = network(sample)
    expected = [answer] if isinstance(answer, torch.Tensor) else list(answer)
    torch.onnx.export(
        network,
        (sample,),
        str(onnx),
        input_names=["channels"],
        output_names=["logits", "cell"][: len(expected)],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )
    forget_traces(onnx)
    seen = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"]).run(
        None, {"channels": sample.numpy()}
    )
    difference = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(seen, expected, strict=True))
    if difference > 1e-3:
        raise ValueError(f"{onnx} differs from the network by {difference:.2g}, expected less than 0.001")
    _save_tensors(network, tensors)
    known = {
        "labels": record["options"]["labels"],
        "temperature": last_temperature(record),
        "axis": record["axis"],
        "input": [None, *shape],
        "data": data or f"structures of {', '.join(Path(path).name for path in record['options']['structures'])}",
    }
    return _write_card(folder, name, {**record, **known}, [onnx, tensors], POWDER_CITATIONS)


def forget_traces(path: Path) -> None:
    """Take out of an ONNX file what PyTorch writes of the lines of source, and the folders, that each node is from."""
    model = load(path)
    for graph in (model.graph, *model.functions):
        for one in (*graph.node, *graph.value_info):
            del one.metadata_props[:]
    save(model, path)


def _save_tensors(network: nn.Module, path: Path) -> None:
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, str(path))


def _write_card(
    folder: Path, name: str, record: dict[str, Any], paths: list[Path], cite: tuple[str, ...] = CITATIONS
) -> Path:
    """Write what is known of a network beside its files; returns the path."""
    card = {
        "name": name,
        "task": record["task"],
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
        "licence": LICENCE,
        "cite": cite,
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
