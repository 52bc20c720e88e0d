"""The commands of the workshop: train, evaluate, export. They need `unscatter[train]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import tyro

from unscatter.train.classify import (
    PUBLISHED_SCRIPTS,
    RelationNetTraining,
    ResNetTraining,
)
from unscatter.train.classify import train_classify as train_classifier
from unscatter.train.contrast import ContrastTraining, train_contrast
from unscatter.train.encoder import EncoderTraining
from unscatter.train.encoder import train_encoder as train_plane_encoder
from unscatter.train.evaluate import EvaluationOptions
from unscatter.train.evaluate import evaluate_factorize as evaluate
from unscatter.train.evaluate_classify import ClassifyEvaluation
from unscatter.train.evaluate_classify import evaluate_classify as evaluate_classifier
from unscatter.train.export import export_classify, export_encoder, export_factorize
from unscatter.train.factorize import FactorizeTraining
from unscatter.train.factorize import train_factorize as train_unet
from unscatter.train.fixmatch import FixMatchTraining, train_fixmatch
from unscatter.train.pix2pix import Pix2PixTraining, train_pix2pix
from unscatter.train.sgan import PUBLISHED_SGAN_SCRIPTS, SganTraining, train_sgan


def train_factorize_commands(network: str) -> dict[str, Callable[..., int]]:
    """The command `train factorize` for the network that was asked for with --network, "" for the U-Net."""

    def unet(options: Annotated[FactorizeTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_unet(options)}")
        return 0

    def pix2pix(options: Annotated[Pix2PixTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_pix2pix(options)}")
        return 0

    unet.__doc__ = "Train one U-Net with two heads (--network unet); --network pix2pix trains the published pair."
    pix2pix.__doc__ = "Train the two parallel Pix2PixGANs of the paper (--network pix2pix); --network unet is ours."
    networks: dict[str, Callable[..., int]] = {"unet": unet, "pix2pix": pix2pix}
    return {"factorize": _choose(networks, network or "unet")}


def train_classify_commands(network: str, method: str = "") -> dict[str, Callable[..., int]]:
    """The command `train classify` for what was asked for with --network and --method, "" for the usual ones."""
    methods = {
        "supervised": _train_supervised_commands,
        "sgan": _train_sgan_commands,
        "fixmatch": _train_fixmatch_commands,
        "contrast": _train_contrast_commands,
    }
    # The published networks learn from labels alone unless they are to be a discriminator.
    method = method or ("supervised" if network.startswith("resnet1d") else "fixmatch")
    if method not in methods:
        raise ValueError(f"no method {method!r}: type --method {' or --method '.join(methods)}")
    return {"classify": methods[method](network)}


def _train_supervised_commands(network: str) -> Callable[..., int]:
    """Learn from labelled patterns alone; our network unless another is asked for."""

    def relationnet(options: Annotated[RelationNetTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_classifier(options)}")
        return 0

    def resnet1d(options: Annotated[ResNetTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_classifier(options)}")
        return 0

    def scripts(options: Annotated[ResNetTraining, tyro.conf.arg(name="")] = PUBLISHED_SCRIPTS) -> int:
        return resnet1d(options)

    networks: dict[str, Callable[..., int]] = {
        "relationnet": relationnet,
        "resnet1d": resnet1d,
        "resnet1d-scripts": scripts,
    }
    network = network or "relationnet"
    command = _choose(networks, network)
    command.__doc__ = (
        f"Train {network} to name the symmetry behind a powder pattern; --network {', '.join(networks)}."
        " resnet1d is the network of the paper, resnet1d-scripts with the values of its published scripts."
        " --method fixmatch (the usual) and --method sgan learn from patterns without a label too."
    )
    return command


def _train_sgan_commands(network: str) -> Callable[..., int]:
    """Learn from labelled, unlabelled and generated patterns; the published network as in the paper's table 2."""

    def resnet1d(options: Annotated[SganTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_sgan(options)}")
        return 0

    def scripts(options: Annotated[SganTraining, tyro.conf.arg(name="")] = PUBLISHED_SGAN_SCRIPTS) -> int:
        return resnet1d(options)

    networks: dict[str, Callable[..., int]] = {"resnet1d": resnet1d, "resnet1d-scripts": scripts}
    network = network or "resnet1d"
    if network not in networks:
        raise ValueError(
            f"--method sgan has no network {network!r}, as it generates patterns on the angles of an instrument:"
            f" type --network {' or --network '.join(networks)}"
        )
    command = networks[network]
    command.__doc__ = (
        f"Train the semi-supervised GAN of the paper with {network} as discriminator; --network {', '.join(networks)}."
        " resnet1d has the values of the paper, resnet1d-scripts those of its published scripts."
        " --method supervised learns from labelled patterns alone."
    )
    return command


def _train_fixmatch_commands(network: str) -> Callable[..., int]:
    """Learn from labelled patterns, and from unlabelled ones by what stays when they are measured otherwise."""

    def relationnet(options: Annotated[FixMatchTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_fixmatch(options)}")
        return 0

    command = _choose({"relationnet": relationnet}, network or "relationnet")
    command.__doc__ = (
        "Train relationnet, from the shipped weights on, to name the symmetry behind a powder pattern. It learns from"
        " patterns with a label, and from those without: where it is sure of one, it has to say the same of another"
        " view of it. --method supervised learns from labels alone, --method contrast from patterns alone, --method"
        " sgan is the paper's way; --network resnet1d is the network of the paper."
    )
    return command


def _train_contrast_commands(network: str) -> Callable[..., int]:
    """Learn from patterns alone what a later training begins with."""

    def relationnet(options: Annotated[ContrastTraining, tyro.conf.arg(name="")]) -> int:
        path = train_contrast(options)
        print(f"wrote {path}; begin with it: unscatter train classify --start {path}")
        return 0

    command = _choose({"relationnet": relationnet}, network or "relationnet")
    command.__doc__ = (
        "Train relationnet to tell two views of a pattern from those of all others, without any label; another"
        " training begins with it, --start."
    )
    return command


def _choose(networks: Mapping[str, Callable[..., int]], network: str) -> Callable[..., int]:
    """The command of a network; raises ValueError that says which there are."""
    if network not in networks:
        raise ValueError(f"no network {network!r}: type --network {' or --network '.join(networks)}")
    return networks[network]


def evaluate_classify(options: Annotated[ClassifyEvaluation, tyro.conf.arg(name="")]) -> int:
    """Score a classifier of patterns on structures that it never saw."""
    print(evaluate_classifier(options))
    return 0


def export_classifier(checkpoint: Path, /, name: str = "group-230", out: Path = Path("weights"), data: str = "") -> int:
    """Turn the checkpoint of a classifier into NAME.onnx, NAME.safetensors and the card NAME.json.

    Args:
        checkpoint: what training wrote.
        name: of the weights.
        out: folder to write to.
        data: whose structures it learned from, for the card; the names of their files where nothing is said.
    """
    print(f"wrote {export_classify(checkpoint, out, name, data)}")
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
