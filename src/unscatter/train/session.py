"""One session of a training: the clock, the log, and the checkpoint it goes on from.

Where batches come from is the business of a `Stream`, what is learned from them that of a `Training`; everything
around them is the same for all networks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter

from unscatter.io.files import replacing
from unscatter.train.checkpoint import load_checkpoint, read_record, save_checkpoint
from unscatter.version import __version__

#: What a stream gives and a training learns from; the session never looks inside.
Batch = TypeVar("Batch")
Batch_co = TypeVar("Batch_co", covariant=True)
Batch_contra = TypeVar("Batch_contra", contravariant=True)
#: Losses go to the log once in so many steps.
LOG_EVERY = 20
#: Name of the checkpoint in the folder of a training.
CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class SessionOptions:
    """What every training is told. minutes counts all sessions together: resume with more of them to go on.

    recipes: names or TOML paths, drawn in equal parts; batch: samples a step; turns: how often a batch is used;
    steps: stop there even if minutes are left, 0 for no such limit; validate_every: minutes between two
    validations, each with a checkpoint; save_every: minutes between two checkpoints, which is what a training that
    is killed loses at most.
    """

    #: Options that a training which is gone on with cannot change.
    fixed: ClassVar[tuple[str, ...]] = ()

    out: Path = Path("runs/training")
    minutes: float = 120.0
    steps: int = 0
    recipes: tuple[str, ...] = ("paper",)
    batch: int = 32
    turns: int = 1
    seed: int = 1
    workers: int = 0
    threads: int = 0
    devices: int = 1
    precision: str = "32-true"
    validate_every: float = 10.0
    save_every: float = 2.0


@dataclass
class Progress:
    """How far a training has come, all sessions together, and what it scored on the way."""

    step: int = 0
    minutes: float = 0.0
    scores: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where in a stream to begin, and for whom: the first batch, the process `rank` of `world`, and its device."""

    first: int
    rank: int
    world: int
    device: torch.device


class Stream(Protocol[Batch_co]):
    """Where batches come from: a pure function of the seed, the process and the number of the batch."""

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """Every recipe in full, as plain data."""
        ...

    def batches(self, place: Place) -> Iterator[Batch_co]:
        """Batches place.first, place.first + 1, ... on the device."""
        ...


class Training(Protocol[Batch_contra]):
    """What a session drives: networks with their optimisers, and what to do with a batch."""

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """Everything with weights, by its name in the checkpoint; without Fabric's wrapping."""
        ...

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Every optimiser, by its name in the checkpoint."""
        ...

    def update(self, batch: Batch_contra, progress: Progress, /) -> dict[str, float]:
        """Learn from a batch once and return the losses."""
        ...

    def validate(self) -> dict[str, float]:
        """Score the networks on validation samples."""
        ...

    def picture(self) -> Tensor | None:
        """Show what the networks do: one grey image (ny, nx) in the range [0, 1], or nothing."""
        ...


class Session(Generic[Batch]):
    """Runs a `Training` until its minutes are spent, from the last checkpoint in `out` if there is one.

    details: what else belongs into the record of the checkpoint, such as the names of the input channels.
    """

    def __init__(self, options: SessionOptions, stream: Stream[Batch], task: str, details: Mapping[str, Any]) -> None:
        """Start the devices; raises ValueError if a batch cannot hold all recipes."""
        self.options, self.stream, self.task, self.details = options, stream, task, details
        if options.batch < len(options.recipes):
            raise ValueError(
                f"a batch of {options.batch} cannot hold {len(options.recipes)} recipes:"
                f" give --batch {len(options.recipes)} or more"
            )
        if options.threads:
            torch.set_num_threads(options.threads)
        # Not what Fabric finds by itself: the GPU of a Mac knows no double precision.
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
        self.fabric = Fabric(
            accelerator=accelerator,
            devices=options.devices,
            precision=options.precision,  # type: ignore[arg-type]
        )
        self.fabric.launch()
        self.fabric.seed_everything(options.seed, verbose=False)
        self.path = options.out / CHECKPOINT
        self.progress = Progress()

    def run(self, training: Training[Batch]) -> Path:
        """Train, validate and save; returns the path of the checkpoint."""
        self._resume(training)
        log = _Log(self.options.out, self.fabric.is_global_zero)
        clock = _clock(self.progress.minutes)
        validation = self.progress.minutes + self.options.validate_every
        saving = self.progress.minutes + self.options.save_every
        fabric = self.fabric
        place = Place(self.progress.step // self.options.turns, fabric.global_rank, fabric.world_size, fabric.device)
        for batch in self.stream.batches(place):
            # All processes take the time of the first, so that all stop at the same step.
            self.progress.minutes = self.fabric.broadcast(clock())
            if self._finished():
                break
            self._learn(training, batch, log)
            if self.progress.minutes >= validation:
                self._close_chapter(training, log)
                validation = self.progress.minutes + self.options.validate_every
                saving = self.progress.minutes + self.options.save_every
            elif self.progress.minutes >= saving:
                self._save(training)
                saving = self.progress.minutes + self.options.save_every
        self._close_chapter(training, log)
        log.close()
        return self.path

    def _resume(self, training: Training[Batch]) -> None:
        # After Fabric has moved the weights: the state of an optimiser is loaded to where its weights are.
        if not self.path.exists():
            return
        self._require_same()
        record = load_checkpoint(self.path, training.modules, training.optimizers)
        self.progress = Progress(record["step"], record["minutes"], record["scores"])
        self.fabric.print(f"resumed {self.path} at step {self.progress.step}, {self.progress.minutes:.1f} minutes")
        if self._finished():
            self.fabric.print(
                "its minutes or steps are spent: give more of them to go on, or another --out to begin anew"
            )

    def _require_same(self) -> None:
        """Refuse to go on with a training of something else: what is tested now may have been learned from then."""
        then, now = read_record(self.path), self.record()
        if then["task"] != self.task:
            raise ValueError(f"{self.path} is of the task {then['task']!r}, not {self.task!r}: give another --out")
        if then.get("method") != now.get("method"):
            raise ValueError(
                f"{self.path} is of the method {then.get('method')!r}, not {now.get('method')!r}: give another --out"
            )
        before, after = then["options"], now["options"]
        changed = [name for name in self.options.fixed if name in before and before[name] != after[name]]
        if changed:
            told = "; ".join(f"{name} {before[name]}, now {after[name]}" for name in changed)
            raise ValueError(f"{self.path} is of a training with other options ({told}): give another --out")

    def _finished(self) -> bool:
        options, progress = self.options, self.progress
        return progress.minutes >= options.minutes or 0 < options.steps <= progress.step

    def _learn(self, training: Training[Batch], batch: Batch, log: _Log) -> None:
        for _ in range(self.options.turns):
            # Chance is a function of (seed, process, step): a resumed training goes on as if never stopped.
            stream = self.options.seed * 1000 + self.fabric.global_rank
            torch.manual_seed((stream << 32) + self.progress.step)
            losses = training.update(batch, self.progress)
            self.progress.step += 1
            log.add_losses(losses, self.progress)

    def _close_chapter(self, training: Training[Batch], log: _Log) -> None:
        """Validate, show and save."""
        if not self.fabric.is_global_zero:
            return
        progress = self.progress
        scores = {"step": float(progress.step), "minutes": progress.minutes, **training.validate()}
        progress.scores.append(scores)
        self.fabric.print(json.dumps(scores))
        log.add_scores(scores, training.picture(), progress.step)
        self._save(training)

    def _save(self, training: Training[Batch]) -> None:
        if self.fabric.is_global_zero:
            save_checkpoint(self.path, training.modules, training.optimizers, self.record())

    def record(self) -> dict[str, Any]:
        """All that is needed to make the networks again: version, options, resolved recipes, progress."""
        return {
            "version": __version__,
            "task": self.task,
            "options": json.loads(json.dumps(asdict(self.options), default=str)),
            "recipes": [dict(record) for record in self.stream.records],
            "hardware": self._hardware(),
            **self.details,
            **asdict(self.progress),
        }

    def _hardware(self) -> str:
        device = self.fabric.device
        if device.type == "cuda":
            return f"{self.fabric.world_size} x {torch.cuda.get_device_name(device)}"
        return f"{torch.get_num_threads()} CPU thread(s)"


class _Log:
    """Losses and scores for TensorBoard and progress.json; silent where nobody should write."""

    def __init__(self, out: Path, writing: bool) -> None:
        self.out = out
        self.writer = SummaryWriter(out / "tensorboard") if writing else None
        self.recent: list[dict[str, float]] = []

    def add_losses(self, losses: dict[str, float], progress: Progress) -> None:
        """Remember the losses of a step; write the means of the last few."""
        self.recent.append(losses)
        if self.writer is None or progress.step % LOG_EVERY:
            return
        # A loss that not every step has is the mean over those that have it.
        seen = {name: [each[name] for each in self.recent if name in each] for each in self.recent for name in each}
        means = {name: sum(values) / len(values) for name, values in seen.items()}
        self.recent.clear()
        for name, value in means.items():
            self.writer.add_scalar(f"loss/{name}", value, progress.step)
        text = json.dumps({"step": progress.step, "minutes": progress.minutes, "loss": means})
        with replacing(self.out / "progress.json") as part:
            part.write_text(text)

    def add_scores(self, scores: dict[str, float], picture: Tensor | None, step: int) -> None:
        """Write what a validation gave."""
        if self.writer is None:
            return
        for name, value in scores.items():
            self.writer.add_scalar(f"validation/{name}", value, step)
        if picture is not None:
            self.writer.add_image("validation", picture, step, dataformats="HW")
        self.writer.flush()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def _clock(before: float) -> Callable[[], float]:
    """Minutes of this session and of those before it."""
    started = time.monotonic()
    return lambda: before + (time.monotonic() - started) / 60
