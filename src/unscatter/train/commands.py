"""The commands of the workshop: train, evaluate, export. They need `unscatter[train]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from unscatter.train.export import export_factorize
from unscatter.train.factorize import FactorizeTraining
from unscatter.train.factorize import train_factorize as train_unet
from unscatter.train.pix2pix import Pix2PixTraining, train_pix2pix

Networks = (
    Annotated[FactorizeTraining, tyro.conf.subcommand("unet", description="one U-Net with two heads")]
    | Annotated[Pix2PixTraining, tyro.conf.subcommand("pix2pix", description="the two published Pix2PixGANs")]
)


def train_factorize(network: Networks) -> int:
    """Train a network that takes planes apart, from the last checkpoint if there is one."""
    path = train_unet(network) if isinstance(network, FactorizeTraining) else train_pix2pix(network)
    print(f"wrote {path}")
    return 0
