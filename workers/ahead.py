"""Loading what comes next while what came before is worked on.

A thread that waits for the database lets another one compute.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def loaded_ahead(load: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What is loaded for each item, in order; the next one is loaded meanwhile.

    Args:
        load: Called in another thread, never twice at a time.
        items: Any number of them.

    Yields:
        What ``load`` returned; its errors are raised in place.
    """
    waiting = iter(items)
    first = list(islice(waiting, 2))
    if len(first) < 2:  # noqa: PLR2004 - there is nothing to be ahead of
        yield from map(load, first)
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming: Future[R] | None = None
        for item in chain(first, waiting):
            previous, coming = coming, thread.submit(load, item)
            if previous is not None:
                yield previous.result()
        if coming is not None:
            yield coming.result()
