"""What a server allows: where it listens, who may ask, and how much a request may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

#: Names under which a server that listens on this machine alone is asked.
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Limits:
    """Bounds of a server.

    folder: where uploads and results lie; host, port: where it listens; token: what a request must carry, "" for none;
    upload: largest file in bytes; sending: files that are received at once, and silence: seconds after which one that
    waits for its turn, or of which nothing more comes, is given up; memory: of a task in bytes; seconds: of a task;
    workers: tasks at once; waiting: tasks that may wait; kept: files and tasks that are kept, and disk: bytes of the
    one and of the other, the oldest go first; hosts: names in a Host header that are answered beside those of this
    machine. Raises ValueError for a server open to others without a token.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8501
    token: str = ""
    upload: int = 512 * 2**20
    sending: int = 8
    silence: float = 30.0
    memory: int = 3 * 2**30
    seconds: float = 300.0
    workers: int = 2
    waiting: int = 64
    kept: int = 200
    disk: int = 20 * 2**30
    hosts: tuple[str, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        """Refuse to be open to others without a token."""
        if self.host not in ("127.0.0.1", "localhost", "::1") and len(self.token) < 16:
            raise ValueError(
                f"--host {self.host} lets other machines in: give a --token of 16 characters or more too, which they "
                "must send, or leave out --host"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """All names in a Host header that are answered, with and without the port."""
        names = (*LOCAL_HOSTS, *self.hosts, *(() if self.host in ("0.0.0.0", "::") else (self.host,)))
        return tuple(dict.fromkeys((*names, *(f"{name}:{self.port}" for name in names))))
