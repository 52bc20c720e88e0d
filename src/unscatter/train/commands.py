"""The commands of the workshop: train, evaluate, export. They need `unscatter[train]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import tyro

from unscatter.train.diffuse.encoder import EncoderTraining
from unscatter.train.diffuse.encoder import train_encoder as train_plane_encoder
from unscatter.train.diffuse.evaluate import EvaluationOptions
from unscatter.train.diffuse.evaluate import evaluate_factorize as evaluate
from unscatter.train.diffuse.factorize import FactorizeTraining
from unscatter.train.diffuse.factorize import train_factorize as train_unet
from unscatter.train.diffuse.pix2pix import Pix2PixTraining, train_pix2pix
from unscatter.train.export import export_classify, export_encoder, export_factorize
from unscatter.train.powder.classify import PUBLISHED_SCRIPTS, RelationNetTraining, ResNetTraining
from unscatter.train.powder.classify import train_classify as train_classifier
from unscatter.train.powder.contrast import ContrastTraining, train_contrast
from unscatter.train.powder.evaluate import ClassifyEvaluation
from unscatter.train.powder.evaluate import evaluate_classify as evaluate_classifier
from unscatter.train.powder.fixmatch import FixMatchTraining, train_fixmatch
from unscatter.train.powder.sgan import PUBLISHED_SGAN_SCRIPTS, SganTraining, train_sgan
from unscatter.workers import ALONE, Workers


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
    """The command `train classify` for what was asked for with --network and --method, "" for the usual ones.

    Raises ValueError that says which there are.
    """
    commands = {
        "fixmatch": _train_fixmatch_commands,
        "supervised": _train_supervised_commands,
        "contrast": _train_contrast_commands,
        "sgan": _train_sgan_commands,
    }
    offered = {name: make() for name, make in commands.items()}
    if method and method not in offered:
        raise ValueError(f"no method {method!r}: type --method {' or --method '.join(offered)}")
    # The first method that has the network: the published ones learn from labels unless they are to be a discriminator.
    fitting = [name for name, networks in offered.items() if not network or network in networks]
    if not fitting:
        asked = [offered[method]] if method else offered.values()
        known = dict.fromkeys(name for networks in asked for name in networks)
        raise ValueError(f"no network {network!r}: type --network {' or --network '.join(known)}")
    method = method or fitting[0]
    if method not in fitting:
        raise ValueError(
            f"--method {method} has no network {network!r}: type --network {' or --network '.join(offered[method])}, "
            f"or --method {' or --method '.join(fitting)}"
        )
    networks = offered[method]
    return {"classify": networks[network or next(iter(networks))]}


def _train_fixmatch_commands() -> dict[str, Callable[..., int]]:
    """Learn from labelled patterns, and from unlabelled ones by what stays when they are measured otherwise."""

    def relationnet(options: Annotated[FixMatchTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_fixmatch(options)}")
        return 0

    relationnet.__doc__ = (
        "Train relationnet, from the shipped weights on, to name the symmetry behind a powder pattern. It learns from"
        " patterns with a label, and from those without: where it is sure of one, it has to say the same of another"
        " view of it. --method supervised learns from labels alone, --method contrast from patterns alone, --method"
        " sgan is the paper's way; --network resnet1d is the network of the paper."
    )
    return {"relationnet": relationnet}


def _train_supervised_commands() -> dict[str, Callable[..., int]]:
    """Learn from labelled patterns alone."""

    def relationnet(options: Annotated[RelationNetTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_classifier(options)}")
        return 0

    def resnet1d(options: Annotated[ResNetTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_classifier(options)}")
        return 0

    def scripts(options: Annotated[ResNetTraining, tyro.conf.arg(name="")] = PUBLISHED_SCRIPTS) -> int:
        return resnet1d(options)

    return _explain(
        {"relationnet": relationnet, "resnet1d": resnet1d, "resnet1d-scripts": scripts},
        "Train {network} to name the symmetry behind a powder pattern, from labels alone; --network {networks}."
        " resnet1d is the network of the paper, resnet1d-scripts with the values of its published scripts."
        " --method fixmatch (the usual) and --method sgan learn from patterns without a label too.",
    )


def _train_contrast_commands() -> dict[str, Callable[..., int]]:
    """Learn from patterns alone what a later training begins with."""

    def relationnet(options: Annotated[ContrastTraining, tyro.conf.arg(name="")]) -> int:
        path = train_contrast(options)
        print(f"wrote {path}; another training begins with it where you give --start {path}")
        return 0

    relationnet.__doc__ = (
        "Train relationnet to tell two views of a pattern from those of all others, without any label; another"
        " training begins with it, --start."
    )
    return {"relationnet": relationnet}


def _train_sgan_commands() -> dict[str, Callable[..., int]]:
    """Learn from labelled, unlabelled and generated patterns; the published network as in the paper's table 2."""

    def resnet1d(options: Annotated[SganTraining, tyro.conf.arg(name="")]) -> int:
        print(f"wrote {train_sgan(options)}")
        return 0

    def scripts(options: Annotated[SganTraining, tyro.conf.arg(name="")] = PUBLISHED_SGAN_SCRIPTS) -> int:
        return resnet1d(options)

    return _explain(
        {"resnet1d": resnet1d, "resnet1d-scripts": scripts},
        "Train the semi-supervised GAN of the paper with {network} as discriminator; --network {networks}."
        " resnet1d has the values of the paper, resnet1d-scripts those of its published scripts."
        " --method supervised learns from labelled patterns alone.",
    )


def _explain(commands: dict[str, Callable[..., int]], purpose: str) -> dict[str, Callable[..., int]]:
    """Tell every command in the words of its help which network it is about."""
    for network, command in commands.items():
        command.__doc__ = purpose.format(network=network, networks=", ".join(commands))
    return commands


def _choose(networks: Mapping[str, Callable[..., int]], network: str) -> Callable[..., int]:
    """The command of a network; raises ValueError that says which there are."""
    if network not in networks:
        raise ValueError(f"no network {network!r}: type --network {' or --network '.join(networks)}")
    return networks[network]


def evaluate_classify(
    options: Annotated[ClassifyEvaluation, tyro.conf.arg(name="")],
    workers: Annotated[Workers, tyro.conf.arg(name="")] = ALONE,
) -> int:
    """Score a classifier of patterns on structures that it never saw."""
    print(evaluate_classifier(options, workers))
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


def evaluate_factorize(
    options: Annotated[EvaluationOptions, tyro.conf.arg(name="")],
    workers: Annotated[Workers, tyro.conf.arg(name="")] = ALONE,
) -> int:
    """Score the factorization on held-out pairs of molecules, with and without the lattice."""
    print(evaluate(options, workers))
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
