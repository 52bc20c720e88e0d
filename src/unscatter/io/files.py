"""Files as such: what a file seems to be, its hash, and writing one whole or not at all."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

#: A temporary file of another machine, whose processes nobody here can ask after, is left behind after so many seconds.
_LEFT_BEHIND = 24 * 3600.0
#: Seconds to wait for a file that another process holds.
_PATIENCE = 60.0
#: First bytes of the files people hand in by mistake, and what to call them.
_SEEN_BEFORE = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file of an unknown layout"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (.npz, .xlsx and .rasx are such)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"II+\x00", "a TIFF image"),
    (b"MM\x00+", "a TIFF image"),
)


#: Keys of the header of a frame of the ESRF (EDF), or of ADSC (.img).
_OF_EDF = (b"EDF_", b"HeaderID", b"Dim_1", b"HEADER_BYTES")


def describe(path: Path) -> str:
    """Say in words what a file seems to be, from its first bytes alone, for example "a JPEG picture"."""
    start = first_bytes(path, 4096)
    if not start:
        return "an empty file"
    for magic, name in _SEEN_BEFORE:
        if start.startswith(magic):
            return name
    if b"###CBF" in start[:64]:
        return "a detector frame (CBF)"
    if start.lstrip().startswith(b"{") and any(word in start[:1024] for word in _OF_EDF):
        return "a detector frame (EDF)"
    if start[208:212] == b"MAP ":
        return "a map of electron density (CCP4, MRC)"
    is_text = all(byte >= 32 or byte in b"\t\r\n\f" for byte in start)
    return "a text file" if is_text else "a binary file of an unknown kind"


def first_bytes(path: Path, count: int) -> bytes:
    """Read the first bytes of a file, fewer if it is shorter."""
    with path.open("rb") as file:
        return file.read(count)


def require_file(path: str | Path) -> Path:
    """Give the path of a file that exists; raises FileNotFoundError, or ValueError for a folder."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; expected one file: give the file itself")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; check the name and the folder you are in")
    return path


def sha256_of(path: str | Path) -> str:
    """SHA-256 of the content of a file, 64 hexadecimal digits."""
    with require_file(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; it becomes `path` when the block ends well.

    A reader sees the old file or the new one, never half of one; if the block fails, nothing is left behind, and what a
    process that was killed left of the same file is removed. Raises FileNotFoundError if the folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder to write {path.name} to; make it first")
    temporary = temporary_beside(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """A hidden name beside a file, for this process alone; those of processes that are no more are removed."""
    machine = re.sub(r"[^\w-]", "-", platform.node())
    for left in path.parent.glob(f".{escape(path.name)}.*.part"):
        if _is_left_behind(left, machine):
            left.unlink(missing_ok=True)
    # Not mkstemp: that makes files that only their owner can read.
    return path.with_name(f".{path.name}.{machine}.{os.getpid()}.part")


def _is_left_behind(temporary: Path, machine: str) -> bool:
    """Whether the process that a temporary file is named after is gone or, where that cannot be asked, it is old."""
    named = re.search(rf"\.{re.escape(machine)}\.(\d+)\.part$", temporary.name)
    # On Windows os.kill ends a process, whatever the signal.
    if named is not None and os.name != "nt":
        return not _is_running(int(named[1]))
    try:
        return time.time() - temporary.stat().st_mtime > _LEFT_BEHIND
    except FileNotFoundError:
        return False


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it is another user's
    return True


@contextmanager
def held(path: str | Path) -> Iterator[None]:
    """Keep a file for this process until the block ends: others that hold it by this function wait, a minute at most.

    For what reads a file, changes it and writes it again. Raises ValueError where another holds it for longer.
    """
    from filelock import FileLock, Timeout

    path = Path(path)
    # The lock stays behind, hidden: who removed it could take it from one who waits.
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE, mode=0o666)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"{path} has been held by another process for {_PATIENCE:.0f} s; wait until that ends, or write elsewhere"
        ) from None
    except NotImplementedError:
        # Some network file systems know no locks: what one process does is still right there.
        yield
        return
    try:
        yield
    finally:
        lock.release()
