"""Loading what comes next while what came before is worked on.

A thread that waits for the database lets another one compute.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def loaded_ahead(load: Callable[[T], R], items: Iterable[T], *, threads: int = 1) -> Iterator[R]:
    """What is loaded for each item, in order; the next ones are loaded meanwhile.

    Args:
        load: Called in other threads.
        items: Any number of them.
        threads: How many are loaded at a time, at most: one, and more while loading is what is
            waited for. As many are held beside the one in hand.

    Yields:
        What ``load`` returned; its errors are raised in place.
    """
    waiting = iter(items)
    first = list(islice(waiting, 2))
    if len(first) < 2:  # noqa: PLR2004 - there is nothing to be ahead of
        yield from map(load, first)
        return
    with ThreadPoolExecutor(max_workers=threads) as pool:
        coming: deque[Future[R]] = deque()
        ahead = 1
        for number, item in enumerate(chain(first, waiting)):
            coming.append(pool.submit(load, item))
            while len(coming) > ahead:
                # The first one is always waited for, and says nothing of the others.
                ahead = ahead if number == 1 else _next_ahead(coming, ahead, most=threads)
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _next_ahead(coming: Sequence[Future[R]], ahead: int, *, most: int) -> int:
    """How many are loaded at a time from now on: more where they are waited for."""
    if not coming[0].done():
        return most
    return 1 if all(one.done() for one in coming) else ahead
