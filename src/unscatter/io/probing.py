"""Open an HDF5 file in another process first: damage can make the HDF5 library crash, or run without end.

One process does it for all files, and is started with the first; it touches all that a reader will, and answers. This
file is also its program, and knows of no other module of unscatter.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

#: Seconds of CPU that a look at a file may take, bytes of memory, and objects that are looked at in it.
DEADLINE, MOST_MEMORY, MOST_OBJECTS = 5, 2**29, 3000
#: Seconds on the clock: a busy machine and a slow disk are no fault of the file.
PATIENCE = 60.0
#: Address space of the process that looks: what is claimed beyond it is an error there, and costs nothing.
_MOST_SPACE = 2**32
#: Numbers of a dataset, and of a file, that are read to see whether they can be.
_MOST_NUMBERS, _ALL_NUMBERS = 100_000, 2_000_000


_CRASHES = "the HDF5 library crashes over it"


class _Prober:
    """The other process, and what it said of files that have not changed since."""

    def __init__(self, program: Path = Path(__file__)) -> None:
        self._program = program
        self._process: subprocess.Popen[str] | None = None
        self._answers: Queue[str] = Queue()
        self._known: dict[tuple[str, int, int], str] = {}
        self._lock = threading.Lock()

    def ask(self, path: Path) -> str:
        """Return what is wrong with a file in words, empty if it can be opened and looked at."""
        status = path.stat()
        key = (str(path.resolve()), status.st_mtime_ns, status.st_size)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._look(key[0])
            return self._known[key]

    def _look(self, path: str) -> str:
        if getattr(sys, "frozen", False) or not sys.executable:
            # A program that is no Python cannot run this file.
            return ""
        try:
            process = self._start()
            assert process.stdin is not None
            process.stdin.write(json.dumps(path) + "\n")
            process.stdin.flush()
        except OSError:
            self.end()
            return ""
        try:
            answer = self._answers.get(timeout=PATIENCE)
        except Empty:
            self.end()
            return f"the HDF5 library does not come to an end with it in {PATIENCE:.0f} s, or the disk is slow"
        if not answer:
            spent = process.wait() == -getattr(signal, "SIGXCPU", 0)
            self.end()
            return f"the HDF5 library does not come to an end with it in {DEADLINE} s" if spent else _CRASHES
        if int(answer) > MOST_MEMORY:
            self.end()
            return f"the HDF5 library takes {int(answer) / 1e9:.1f} GB to open it"
        return ""

    def _start(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            # -P: the folder of this file is no place to import from.
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(self._program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
            self._answers = Queue()
            threading.Thread(target=_pass_on, args=(self._process, self._answers), daemon=True).start()
        return self._process

    def end(self) -> None:
        """End the process if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _pass_on(process: subprocess.Popen[str], answers: Queue[str]) -> None:
    """Put every answer into the queue, and an empty one when there are no more."""
    assert process.stdout is not None
    with contextlib.suppress(ValueError, OSError):
        for line in process.stdout:
            answers.put(line)
    answers.put("")


_PROBER = _Prober()
atexit.register(_PROBER.end)


def require_sound(path: Path) -> None:
    """Raise ValueError for a file over which the HDF5 library crashes or hangs."""
    if fault := _PROBER.ask(path):
        raise ValueError(f"{path} cannot be read: {fault}; it seems damaged: copy it again")


# --- The other process ------------------------------------------------------------------------------------------------


def _serve() -> None:
    """Answer for every path on a line of standard input."""
    import h5py  # noqa: F401  not part of the time of the first file

    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_SPACE, _MOST_SPACE))
    for line in sys.stdin:
        _bound_time()
        before, refused = _memory(), len(_REFUSED)
        with _quietly():
            _touch(json.loads(line))
        print(_MOST_SPACE if len(_REFUSED) > refused else _memory() - before, flush=True)


def _bound_time() -> None:
    """Let this process be ended when it has taken the time of one more look."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + DEADLINE, most))


#: What was claimed beyond the address space.
_REFUSED: list[str] = []


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Go on over any error: the reader raises it again, in its own words; but note what memory was refused."""
    try:
        yield
    except MemoryError as error:
        _REFUSED.append(str(error))
    except Exception:
        return


def _memory() -> int:
    """The most memory that this process ever took, in bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _touch(path: str) -> None:
    import h5py

    with h5py.File(path, "r") as file:
        _touch_attributes(file)
        groups: list[Any] = [file]
        count = numbers = 0
        while groups and count < MOST_OBJECTS:
            group = groups.pop()
            for name in group:
                count += 1
                with _quietly():
                    if isinstance(group.get(name, getlink=True), h5py.HardLink):
                        node = group[name]
                        _touch_attributes(node)
                        if not isinstance(node, h5py.Dataset):
                            groups.append(node)
                        elif numbers < _ALL_NUMBERS:
                            numbers += _touch_data(node)
                if count >= MOST_OBJECTS:
                    break


def _touch_attributes(node: Any) -> None:
    for name in node.attrs:
        with _quietly():
            str(node.attrs[name])[:10]


def _touch_data(node: Any) -> int:
    """Read a little of a dataset, and the whole index of its blocks; the count of numbers that were read."""
    if node.external or node.is_virtual or node.size is None:
        return 0
    str((node.shape, node.dtype, node.fillvalue, node.id.get_storage_size()))
    if node.chunks is not None:
        node.id.get_num_chunks()
    if node.size <= _MOST_NUMBERS:
        node[()]
        return int(node.size)
    if node.chunks is None:
        node[tuple(slice(0, 1) for _ in node.shape)]
    return 0


if __name__ == "__main__":
    _serve()
