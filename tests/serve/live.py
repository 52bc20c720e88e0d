"""Where a running server is, and how much memory it has taken."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Live:
    """Port and process of a server on this machine."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        """What to open."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def peak(self) -> int:
        """Most memory in bytes that the server itself, without its tasks, has held so far."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
