"""Linear algebra in one thread: the matrices of fits are narrow, and threads for them cost more than they save."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def one_thread(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, with the libraries of linear algebra held to one thread while it runs.

    With two threads on two cores a pattern takes twice as long and three times the CPU time, a plane up to five times.
    """

    @wraps(function)
    def held(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with threadpool_limits(1, user_api="blas"):
            return function(*args, **kwargs)

    return held
