"""The networks that turn planes into features for FID and KID: our own encoder, and Inception where a file is given."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, load_file
from torch import Tensor, nn

from unscatter.data import training_file
from unscatter.nn.encoder import Encoder, EncoderConfig
from unscatter.nn.inception import Inception
from unscatter.weights import read_card, read_verified

EXPECTED = (
    "expected a TorchScript file that takes images (B, 3, n, n) of bytes, or the tensors of the FID Inception v3"
    " as .safetensors"
)


def open_encoder(card_path: Path | None = None) -> Encoder:
    """Open the encoder of FID-x and KID-x, the shipped one unless a card is given, after checking its sha256."""
    card = read_card(card_path or training_file("weights/encoder-x.json"))
    config = card.record["options"]["network"]
    encoder = Encoder(EncoderConfig(**{**config, "widths": tuple(config["widths"])}))
    encoder.load_state_dict(load(read_verified(card, f"{card.name}.safetensors")))
    return encoder.eval()


def open_inception(path: Path) -> nn.Module:
    """Open Inception weights for FID and KID in the scale of the literature: planes (B, 1, n, n) to features.

    path: TorchScript (a network with an argument return_features is asked for these), or safetensors with the
    names of `nn.inception`. Pickled weights are refused: they can run any code when they are opened.
    Raises FileNotFoundError and ValueError that say what is expected.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no Inception weights at {path}: {EXPECTED}")
    if _is_torchscript(path):
        return OfImages(_open_torchscript(path))
    if _is_pickle(path):
        raise ValueError(
            f"{path} holds pickled weights, which can run any code when opened; {EXPECTED}; where you trust it, convert"
            " it once: safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'inception.safetensors')"
        )
    return OfImages(_open_tensors(path))


class OfImages(nn.Module):
    """Shows planes in the range [-1, 1] to a network of colour images: three equal channels of bytes."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap a network."""
        super().__init__()
        self.network = network
        script = getattr(network, "forward", None)
        arguments = getattr(getattr(script, "schema", None), "arguments", [])
        # The file that NVIDIA passes on gives class probabilities unless asked for features.
        asked = any(argument.name == "return_features" for argument in arguments)
        self.options: dict[str, Any] = {"return_features": True} if asked else {}

    def forward(self, planes: Tensor) -> Tensor:
        """Return features (B, d)."""
        images = (planes.clamp(-1, 1) + 1).mul(127.5).round().byte()
        features: Tensor = self.network(images.expand(-1, 3, -1, -1), **self.options)
        return features


def _is_torchscript(path: Path) -> bool:
    return zipfile.is_zipfile(path) and any("/code/" in name for name in zipfile.ZipFile(path).namelist())


def _is_pickle(path: Path) -> bool:
    """A file of torch.save, today's (a zip) or that of old versions (a bare pickle)."""
    with path.open("rb") as stream:
        return zipfile.is_zipfile(path) or stream.read(1) == b"\x80"


def _open_torchscript(path: Path) -> nn.Module:
    with warnings.catch_warnings():
        # Deprecated for new work, and what Inception files come as.
        warnings.simplefilter("ignore", DeprecationWarning)
        network: nn.Module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    return network.eval()


def _open_tensors(path: Path) -> Inception:
    try:
        tensors = load_file(str(path))
    except SafetensorError as error:
        raise ValueError(f"{path} is not a network ({error}); {EXPECTED}") from error
    network = Inception()
    # The classifier is not part of FID; counters of batches are not kept by every converter.
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(("fc.", "AuxLogits."))}
    try:
        outcome = network.load_state_dict(kept, strict=False)
    except RuntimeError as error:
        raise ValueError(f"{path} holds tensors of another shape than Inception v3; {EXPECTED}") from error
    missing = [name for name in outcome.missing_keys if not name.endswith("num_batches_tracked")]
    if missing or outcome.unexpected_keys:
        wrong = ", ".join([*missing, *outcome.unexpected_keys][:3])
        raise ValueError(f"{path} is not the FID Inception v3: missing or unknown {wrong} ...; {EXPECTED}")
    return network.eval()
