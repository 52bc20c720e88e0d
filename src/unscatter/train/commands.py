"""The commands of the workshop: train, evaluate, export. They need `unscatter[train]`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro

from unscatter.train.classify import PUBLISHED_SCRIPTS, WIDE_CONVNEXT, ConvNextTraining, ResNetTraining
from unscatter.train.classify import train_classify as train_classifier
from unscatter.train.encoder import EncoderTraining
from unscatter.train.encoder import train_encoder as train_plane_encoder
from unscatter.train.evaluate import EvaluationOptions
from unscatter.train.evaluate import evaluate_factorize as evaluate
from unscatter.train.evaluate_classify import ClassifyEvaluation
from unscatter.train.evaluate_classify import evaluate_classify as evaluate_classifier
from unscatter.train.export import export_classify, export_encoder, export_factorize
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


def train_classify_commands(network: str) -> dict[str, Callable[..., int]]:
    """The command `train classify` for the network that was asked for with --network."""

    def convnext1d(options: Annotated[ConvNextTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_classifier(options)}")
        return 0

    def wide(options: Annotated[ConvNextTraining, tyro.conf.arg(name="")] = WIDE_CONVNEXT) -> int:
        return convnext1d(options)

    def resnet1d(options: Annotated[ResNetTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_classifier(options)}")
        return 0

    def scripts(options: Annotated[ResNetTraining, tyro.conf.arg(name="")] = PUBLISHED_SCRIPTS) -> int:
        return resnet1d(options)

    networks: dict[str, Callable[..., int]] = {
        "convnext1d": convnext1d,
        "convnext1d-wide": wide,
        "resnet1d": resnet1d,
        "resnet1d-scripts": scripts,
    }
    if network not in networks:
        raise ValueError(f"no network {network!r}: type --network {' or --network '.join(networks)}")
    networks[network].__doc__ = (
        f"Train {network} to name the symmetry behind a powder pattern; --network {', '.join(networks)}."
        " resnet1d is the network of the paper, resnet1d-scripts with the values of its published scripts."
    )
    return {"classify": networks[network]}


def evaluate_classify(options: Annotated[ClassifyEvaluation, tyro.conf.arg(name="")]) -> int:
    """Score a classifier of patterns on structures that it never saw."""
    print(evaluate_classifier(options))
    return 0


def export_classifier(checkpoint: Path, /, name: str = "group-230", out: Path = Path("weights")) -> int:
    """Turn the checkpoint of a classifier into NAME.onnx, NAME.safetensors and the card NAME.json.

    Args:
        checkpoint: what training wrote.
        name: of the weights.
        out: folder to write to.
    """
    print(f"wrote {export_classify(checkpoint, out, name)}")
    return 0


def train_encoder(options: Annotated[EncoderTraining, tyro.conf.arg(name="")]) -> int:
    """Train the encoder of FID-x and KID-x, which tells sets of planes apart; only scores use it."""
    print(f"wrote {train_plane_encoder(options)}")
    return 0


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


def export_encoder_weights(checkpoint: Path, /, name: str = "encoder-x", out: Path = Path("weights")) -> int:
    """Turn a checkpoint of the encoder into NAME.safetensors and the card NAME.json.

    Args:
        checkpoint: what training wrote.
        name: of the weights.
        out: folder to write to.
    """
    print(f"wrote {export_encoder(checkpoint, out, name)}")
    return 0
