"""Little-endian numbers at a byte offset, with an error that says where a file was cut."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray


def unpack(data: bytes, layout: str, offset: int) -> tuple[Any, ...]:
    """Numbers of a little-endian struct `layout` at byte `offset`.

    Raises ValueError if the file ends before them.
    """
    try:
        size = struct.calcsize("<" + layout)
    except struct.error:
        # more than any file can hold
        raise ValueError(f"its header announces {layout} numbers; it is damaged: copy the file again") from None
    _reach(data, offset + size)
    return struct.unpack_from("<" + layout, data, offset)


def floats(data: bytes, offset: int, count: int, stride: int = 4) -> NDArray[np.float64]:
    """`count` single-precision numbers from byte `offset` on, one every `stride` bytes.

    Raises ValueError if the file ends before them.
    """
    if stride < 4:
        raise ValueError(f"a data record of {stride} bytes cannot hold a count; export the pattern as two columns")
    _reach(data, offset + count * stride)
    view = np.ndarray((count,), dtype="<f4", buffer=data, offset=offset, strides=(stride,))
    return view.astype(np.float64)


def string(data: bytes, offset: int, length: int) -> str:
    """Text of a fixed-length field, up to the first zero byte."""
    return data[offset : offset + length].split(b"\0")[0].decode("latin-1").strip()


def positive(value: float) -> float | None:
    """The value if it is a positive number, otherwise None: instruments write 0 for "not known"."""
    return float(value) if value > 0 and np.isfinite(value) else None


def _reach(data: bytes, end: int) -> None:
    if end > len(data):
        raise ValueError(f"cut short: {len(data)} bytes, but its header announces {end}; copy the file again")
