"""Who works on many things: this process, several, or the machines of a Dask cluster; the same function for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from warnings import catch_warnings, filterwarnings

from tyro.conf import arg

Item = TypeVar("Item")
Answer = TypeVar("Answer")
#: Things that a cluster works on at once, for each of its threads: what has come back waits in its memory.
_AHEAD = 4


@dataclass(frozen=True)
class Workers:
    """Who works on many files, planes or samples."""

    jobs: Annotated[int, arg(aliases=["-j"])] = 1
    """files, samples or blocks of them at once, each in a process of its own; -1 for one a core."""
    scheduler: Annotated[str, arg(metavar="ADDRESS")] = ""
    """a Dask scheduler whose workers share the file system, such as tcp://head:8786."""


#: This process and no other.
ALONE = Workers()


@contextmanager
def spread(
    work: Callable[[Item], Answer], items: Sequence[Item], workers: Workers = ALONE, *, ordered: bool = True
) -> Iterator[Iterator[Answer]]:
    """What a function makes of each item, one after the other or, if not ordered, as they are ready.

    work: is sent to where it runs, so it must be a function of a module, or a functools.partial of one; what it raises
    ends the whole. Raises ValueError where no scheduler answers.
    """
    if workers.scheduler:
        with _client(workers.scheduler) as client:
            yield _in_order(client, work, items) if ordered else _as_ready(client, work, items)
    elif workers.jobs != 1 and len(items) > 1:
        from joblib import Parallel, delayed

        kind = "generator" if ordered else "generator_unordered"
        with catch_warnings():
            # A worker whose memory has grown, as the first use of a network makes it, is replaced, and nothing is lost:
            # no news to anybody. Where warnings are errors it would end the thread that hands out the work, in silence.
            filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)
            yield Parallel(n_jobs=workers.jobs, return_as=kind)(delayed(work)(item) for item in items)
    else:
        yield map(work, items)


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise ValueError('--scheduler needs Dask; type: pip install "unscatter[cluster]"') from None
    try:
        client = Client(scheduler, timeout="10s")  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler answers at {scheduler}; start one: dask scheduler") from error
    with client:
        yield client


def _as_ready(client: Any, work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Answer]:
    from distributed import as_completed

    # A worker that is lost takes nothing along: what it had is given to another.
    futures = client.map(work, items, pure=False)
    return (future.result() for future in as_completed(futures))  # type: ignore[no-untyped-call]


def _in_order(client: Any, work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Answer]:
    most = _AHEAD * max(1, sum(client.nthreads().values()))
    # Sent once, and not with each item: it may hold a table of structures. As what came of a task, not scattered: it is
    # made again where the worker that holds it is lost.
    held = client.submit(_itself, work, pure=False)
    begun: deque[Any] = deque()
    for item in items:
        begun.append(client.submit(_do, held, item, pure=False))
        if len(begun) >= most:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _itself(work: Callable[[Item], Answer]) -> Callable[[Item], Answer]:
    return work


def _do(work: Callable[[Item], Answer], item: Item) -> Answer:
    return work(item)
