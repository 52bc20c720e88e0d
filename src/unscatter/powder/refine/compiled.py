"""Loops that numba compiles once and keeps on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """The function as machine code, compiled at its first call and kept beside the source or in the user's cache."""
    return cast(F, numba.njit(cache=True, error_model="numpy", fastmath=True, nogil=True)(function))
