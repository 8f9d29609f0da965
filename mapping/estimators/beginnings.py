"""What a method gives after each piece: the estimates of a segment's beginnings, one by one.

For every segment of a block at once, bit for bit what the method gives for a segment that ends
there. A method without an entry in ``RUNNING`` is asked of each beginning anew.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from mapping.columns import FloatArray
from mapping.estimators.blocks import Block, Kernel
from mapping.scales import reaches

Running: TypeAlias = Callable[[Block, int], Iterator[FloatArray]]
"""A block and a length to the estimates of its segments' beginnings of that length and more.

What it yields is good until the next is asked for.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Beginning(Block):
    """The oldest pieces of another block's segments: views of its matrices."""

    whole: Block

    @cached_property
    def values(self) -> FloatArray:
        """Scale points, the oldest first."""
        return self.whole.values[: self.length]

    @cached_property
    def weights(self) -> FloatArray:
        """The pieces' weights."""
        return self.whole.weights[: self.length]


def asked_again(kernel: Kernel, **parameters: float) -> Running:
    """Ask a method of each beginning.

    Args:
        kernel: The method.
        parameters: Its own.
    """
    return partial(_asked_again, kernel=partial(kernel, **parameters))


def going_on(name: str, **parameters: float) -> Running:
    """Go on from one piece to the next.

    Args:
        name: The method, one of ``RUNNING``.
        parameters: Its own.
    """
    return partial(_going_on, step=partial(RUNNING[name], **parameters))


def _going_on(
    block: Block, since: int, *, step: Callable[[Block], Iterator[FloatArray]]
) -> Iterator[FloatArray]:
    return islice(step(block), since - 1, None)


def _asked_again(block: Block, since: int, *, kernel: Kernel) -> Iterator[FloatArray]:
    for length in range(since, block.length + 1):
        yield kernel(
            Beginning(
                sample=block.sample,
                segment=block.segment,
                first=block.first,
                length=length,
                whole=block,
            )
        )


def _weighted_average(block: Block) -> Iterator[FloatArray]:
    sums, totals = np.zeros(block.segment.size), np.zeros(block.segment.size)
    for row, weights in zip(block.values, block.weights, strict=True):
        sums += row * weights
        totals += weights
        with np.errstate(invalid="ignore"):
            yield sums / totals


def _mean(block: Block) -> Iterator[FloatArray]:
    sums = np.zeros(block.segment.size)
    for number, row in enumerate(block.values, 1):
        sums += row
        yield sums / number


def _latest(block: Block) -> Iterator[FloatArray]:
    yield from block.values


def _highest(block: Block) -> Iterator[FloatArray]:
    best = block.values[0].copy()
    for row in block.values:
        yield np.maximum(best, row, out=best)


def _n_mastery(block: Block, *, n: float) -> Iterator[FloatArray]:
    sums, count = np.zeros(block.segment.size), np.zeros(block.segment.size)
    for row in block.values:
        is_reached = reaches(row, block.sample.mastered)
        sums += np.where(is_reached, row, 0.0)
        count += is_reached
        yield np.where(count >= n, sums / np.maximum(count, 1.0), np.nan)


RUNNING: Mapping[str, Callable[..., Iterator[FloatArray]]] = MappingProxyType(
    {
        "weighted_average": _weighted_average,
        "mean": _mean,
        "latest": _latest,
        "highest": _highest,
        "n_mastery": _n_mastery,
    }
)
"""Methods that go on from one piece to the next in a step, by name; of any length."""
