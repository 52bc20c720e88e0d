"""Uploaded files and tasks: each runs in a process of its own, bounded in time and memory; the oldest are forgotten."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from unscatter.serve.drawing import cut_volume
from unscatter.serve.limits import Limits
from unscatter.serve.requests import TaskRequest, check_options

State = Literal["waiting", "running", "done", "failed"]
#: What a name of an uploaded file may hold; all else becomes an underscore.
_SAFE = re.compile(r"[^A-Za-z0-9._+-]+")

#: File in which a task tells what came of it, and what of that is kept in memory.
_ANSWER, _KEPT = "result.json", ("error", "files", "images", "volume")


class FullError(Exception):
    """Too many tasks wait already."""


class UnknownError(Exception):
    """There is no such file or task, or it has been forgotten."""


@dataclass(frozen=True)
class Upload:
    """A file that was sent: where it lies, its name as it was sent (made harmless), size and sha256."""

    id: str
    path: Path
    name: str
    size: int
    sha256: str


@dataclass
class Task:
    """A job on a file: its state, and what came of it.

    answer: what decides of the task, error, files, images and volume; all else that it told stays in its folder, or
    two hundred patterns would fill the memory.
    """

    id: str
    request: TaskRequest
    folder: Path
    state: State = "waiting"
    answer: dict[str, Any] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0
    size: int = 0

    def to_dict(self) -> dict[str, Any]:
        """All that a page may know of it."""
        seconds = (self.ended or time.monotonic()) - self.began if self.began else 0.0
        asked = {"id": self.id, "job": self.request.job, "options": self.request.options, "state": self.state}
        return {**asked, "seconds": round(seconds, 2), **self._told()}

    def _told(self) -> dict[str, Any]:
        if self.state != "done":
            return self.answer
        told: dict[str, Any] = json.loads((self.folder / _ANSWER).read_text(encoding="utf-8"))
        return told


class Desk:
    """Takes files and tasks, runs them, and knows what came of them."""

    def __init__(self, limits: Limits) -> None:
        """Begin with an empty folder of its own."""
        self.limits = limits
        self.files: OrderedDict[str, Upload] = OrderedDict()
        self.tasks: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="task")
        for name in ("files", "tasks"):
            (limits.folder / name).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def receiving(self, name: str) -> Iterator[tuple[str, Path]]:
        """An id and a place to write an upload to; of one that breaks off nothing is kept.

        The name is the sender's, without anything that leads elsewhere.
        """
        number = secrets.token_hex(8)
        harmless = _SAFE.sub("_", Path(name.replace("\\", "/")).name).lstrip(".")[-80:] or "file"
        folder = self.limits.folder / "files" / number
        folder.mkdir()
        try:
            yield number, folder / harmless
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def end_upload(self, number: str, path: Path) -> Upload:
        """Take in a file that was written whole; raises ValueError for an empty one."""
        size = path.stat().st_size
        if not size:
            shutil.rmtree(path.parent)
            raise ValueError("the file is empty; choose another")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        upload = Upload(number, path, path.name, size, digest)
        with self._lock:
            self.files[number] = upload
            while len(self.files) > self.limits.kept or self._bytes_of_files() > self.limits.disk:
                shutil.rmtree(self.files.popitem(last=False)[1].path.parent, ignore_errors=True)
        return upload

    def begin(self, request: TaskRequest) -> Task:
        """Put a task in line; raises FullError, UnknownError, or ValueError for what cannot be asked."""
        check_options(request.job, request.options)
        source = self._source(request)
        mask = self.upload(request.mask).path if request.mask else None
        with self._lock:
            waiting = sum(task.state in ("waiting", "running") for task in self.tasks.values())
            if waiting >= self.limits.waiting + self.limits.workers:
                raise FullError(f"{waiting} tasks wait already; try again in a minute")
            number = secrets.token_hex(8)
            task = Task(number, request, self.limits.folder / "tasks" / number)
            self.tasks[number] = task
            self._forget()
        self._lay_out(task, source, mask)
        self._pool.submit(self._run, task)
        return task

    def task(self, number: str) -> Task:
        """A task by its id; raises UnknownError."""
        with self._lock:
            if number not in self.tasks:
                raise UnknownError(f"no task {number}; it may have been forgotten: send it again")
            return self.tasks[number]

    def upload(self, number: str) -> Upload:
        """An uploaded file by its id; raises UnknownError."""
        with self._lock:
            if number not in self.files:
                raise UnknownError(f"no file {number}; it may have been forgotten: upload it again")
            return self.files[number]

    def result(self, number: str, name: str) -> Path:
        """A file that a task made, by one of the names that it told; raises UnknownError."""
        task = self.task(number)
        if name in task.answer.get("files", ()):
            return task.folder / "out" / name
        if name.removesuffix(".f32") in task.answer.get("images", {}).get("names", ()):
            return task.folder / name
        raise UnknownError(f"task {number} made no {name}")

    def cut(self, number: str, name: str, axis: str, index: int) -> bytes:
        """A plane of a volume that a task made, as raw float32; raises UnknownError for one that is not there."""
        drawn = self.task(number).answer.get("volume", {})
        if name not in drawn.get("names", ()) or not 0 <= index < drawn["shape"]["lkh".index(axis)]:
            raise UnknownError(f"task {number} has no plane {axis} {index} of a volume {name}")
        return cut_volume(self.task(number).folder / f"{name}.vol", tuple(drawn["shape"]), axis, index)

    def close(self) -> None:
        """End: what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _bytes_of_files(self) -> int:
        # The newest is always kept: it is to be worked on.
        return sum(one.size for one in self.files.values()) if len(self.files) > 1 else 0

    def _source(self, request: TaskRequest) -> Path:
        if not request.result_of:
            return self.upload(request.file).path
        task = self.task(request.result_of)
        names: list[str] = task.answer.get("files", [])
        for name in names:
            if name.endswith(".factorized.h5"):
                return task.folder / "out" / name
        raise ValueError(f"task {request.result_of} has no factorized plane to go on from")

    def _lay_out(self, task: Task, source: Path, mask: Path | None) -> None:
        """A folder that holds the input and nothing else: links inside a file can lead to nothing of others."""
        (task.folder / "out").mkdir(parents=True)
        shutil.copyfile(source, task.folder / source.name)
        asked: dict[str, Any] = {
            "job": task.request.job,
            "options": task.request.options,
            "input": source.name,
            "memory": self.limits.memory,
        }
        if mask is not None:
            shutil.copyfile(mask, task.folder / f"mask_{mask.name}")
            asked["mask"] = f"mask_{mask.name}"
        (task.folder / "request.json").write_text(json.dumps(asked), encoding="utf-8")

    def _run(self, task: Task) -> None:
        task.began, task.state = time.monotonic(), "running"
        command = [sys.executable, "-m", "unscatter.serve.worker", str(task.folder)]
        try:
            subprocess.run(
                command, timeout=self.limits.seconds, capture_output=True, check=False, stdin=subprocess.DEVNULL
            )
            answer = json.loads((task.folder / _ANSWER).read_text(encoding="utf-8"))
        except subprocess.TimeoutExpired:
            answer = {"error": f"this takes longer than the {self.limits.seconds:g} s that a task is given"}
        except (OSError, ValueError):
            answer = {"error": "the task ended without a result, as happens when memory runs out; try a smaller file"}
        task.answer = {name: answer[name] for name in _KEPT if name in answer}
        task.ended = time.monotonic()
        task.size = sum(one.stat().st_size for one in task.folder.rglob("*") if one.is_file())
        task.state = "failed" if "error" in answer else "done"

    def _forget(self) -> None:
        """Drop the oldest tasks that have ended."""
        held = sum(task.size for task in self.tasks.values())
        for number, task in list(self.tasks.items()):
            if len(self.tasks) <= self.limits.kept and held <= self.limits.disk:
                return
            if task.state in ("done", "failed"):
                del self.tasks[number]
                held -= task.size
                shutil.rmtree(task.folder, ignore_errors=True)
