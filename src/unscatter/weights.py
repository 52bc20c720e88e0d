"""The catalogue of trained networks: find one, verify it, open it for inference."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.data import training_file


@dataclass(frozen=True)
class WeightsCard:
    """What is known of a trained network: the model card, as data.

    files: name of each file and its sha256; record: the resolved training options, recipes and scores during training,
    on validation samples; test: "command" that scored it on samples that nothing was chosen by, and "scores", by name.
    """

    name: str
    task: str
    folder: Path
    files: dict[str, str]
    licence: str
    cite: tuple[str, ...]
    record: dict[str, Any]
    test: dict[str, Any] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Path of one of the files; what only training needs comes in a package of its own.

        Raises FileNotFoundError that says what to install.
        """
        beside = self.folder / name
        inference = self.folder != shipped_folder() or name == self.onnx.name
        return beside if inference else training_file(f"weights/{name}")

    @property
    def onnx(self) -> Path:
        """Path of the network for inference."""
        return self.folder / f"{self.name}.onnx"


@dataclass(frozen=True)
class Network:
    """An opened network: call it with named arrays (float32) and get its outputs."""

    card: WeightsCard
    session: Any

    def __call__(self, **inputs: NDArray[np.floating[Any]]) -> list[NDArray[np.float32]]:
        """Run the network once."""
        arrays = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in inputs.items()}
        outputs: list[NDArray[np.float32]] = self.session.run(None, arrays)
        return outputs

    @property
    def provenance(self) -> dict[str, Any]:
        """Name and sha256, for result files."""
        return {"weights": self.card.name, "weights_sha256": self.card.files[self.card.onnx.name]}


def shipped_folder() -> Path:
    """Folder of the networks that come with the package."""
    return Path(str(files("unscatter.data").joinpath("weights")))


def list_weights() -> tuple[WeightsCard, ...]:
    """All shipped networks for inference."""
    return tuple(read_card(path) for path in sorted(shipped_folder().glob("*.json")))


def read_card(path: Path) -> WeightsCard:
    """Read a model card (JSON beside the network)."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return WeightsCard(
        name=table["name"],
        task=table["task"],
        folder=path.parent,
        files=table["files"],
        licence=table["licence"],
        cite=tuple(table["cite"]),
        record=table["record"],
        test=table.get("test", {}),
    )


def find_weights(name: str) -> WeightsCard:
    """Find a network by the name of a shipped one or by the path of its card or ONNX file.

    Raises FileNotFoundError that lists what there is.
    """
    shipped = {card.name: card for card in list_weights()}
    if name in shipped:
        return shipped[name]
    card = Path(name).with_suffix(".json")
    if card.is_file():
        return read_card(card)
    known = ", ".join(shipped) or "none: this installation lacks them, install unscatter again"
    raise FileNotFoundError(
        f"no weights {name!r}: shipped are {known}; or give the path of a .onnx file with its .json card"
    )


def read_verified(card: WeightsCard, name: str) -> bytes:
    """Read a file of a network after checking its sha256.

    Raises FileNotFoundError if it is missing and ValueError if it was altered.
    """
    path = card.path(name)
    if not path.is_file():
        raise FileNotFoundError(f"weights {card.name!r}: {path} is missing; install unscatter again or copy it there")
    content = path.read_bytes()
    seen, expected = hashlib.sha256(content).hexdigest(), card.files[name]
    if seen != expected:
        raise ValueError(
            f"weights {card.name!r} were altered: {path} has sha256 {seen[:16]}..., its card says "
            f"{expected[:16]}...; install unscatter again"
        )
    return content


@cache
def open_network(name: str, threads: int = 0) -> Network:
    """Open a network for inference on the CPU after checking its sha256; threads = 0 takes all cores.

    Raises FileNotFoundError if a file is missing and ValueError if it was altered.
    """
    card = find_weights(name)
    content = read_verified(card, card.onnx.name)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return Network(card, session)


def describe_card(card: WeightsCard) -> str:
    """Name, task, training and scores of a network in a few lines: those on test samples, where it was scored on any.

    Scores during training are on validation samples, by which the training was steered; they flatter.
    """
    record = card.record
    lines = [
        f"{card.name}: {card.task}, unscatter {record['version']}, {record['step']} steps, "
        f"{record['minutes']:.0f} minutes, recipes {', '.join(r['name'] for r in record['recipes'])}"
    ]
    last = record["scores"][-1] if record["scores"] else {}
    kind, scores = ("test", card.test["scores"]) if card.test else ("validation", last)
    lines.append(f"  {kind} scores" + (f", {card.test['command']}" if card.test else ", from the end of training"))
    lines += [f"  {name:<36} {value:.5g}" for name, value in scores.items() if "/" in name]
    return "\n".join(lines)
