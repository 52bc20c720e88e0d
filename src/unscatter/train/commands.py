"""The commands of the workshop: train, evaluate, export. They need `unscatter[train]`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro

from unscatter.train.evaluate import EvaluationOptions
from unscatter.train.evaluate import evaluate_factorize as evaluate
from unscatter.train.export import export_factorize
from unscatter.train.factorize import FactorizeTraining
from unscatter.train.factorize import train_factorize as train_unet
from unscatter.train.pix2pix import Pix2PixTraining, train_pix2pix


def train_factorize_commands(network: str) -> dict[str, Callable[..., int]]:
    """The command `train factorize` for the network that was asked for with --network."""

    def unet(options: Annotated[FactorizeTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_unet(options)}")
        return 0

    def pix2pix(options: Annotated[Pix2PixTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_pix2pix(options)}")
        return 0

    unet.__doc__ = "Train one U-Net with two heads (--network unet); --network pix2pix trains the published pair."
    pix2pix.__doc__ = "Train the two parallel Pix2PixGANs of the paper (--network pix2pix); --network unet is ours."
    networks: dict[str, Callable[..., int]] = {"unet": unet, "pix2pix": pix2pix}
    if network not in networks:
        raise ValueError(f"no network {network!r}: type --network {' or --network '.join(networks)}")
    return {"factorize": networks[network]}


def evaluate_factorize(options: Annotated[EvaluationOptions, tyro.conf.arg(name="")]) -> int:
    """Score the factorization on held-out pairs of molecules, with and without the lattice."""
    print(evaluate(options))
    return 0


def export_weights(checkpoint: Path, /, name: str = "factorize-256", out: Path = Path("weights")) -> int:
    """Turn a checkpoint into NAME.onnx, NAME.safetensors and the card NAME.json.

    Args:
        checkpoint: what training wrote.
        name: of the weights.
        out: folder to write to.
    """
    print(f"wrote {export_factorize(checkpoint, out, name)}")
    return 0
