"""Trees of named things, put in the order in which they are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Names with parents before their children, each family together.

    ``cut`` names those that would be among their own ancestors; here they have no parent.
    """

    order: Sequence[str]
    cut: frozenset[str]


def depth_first(nodes: Iterable[tuple[str, str | None]]) -> Forest:
    """Order names so that each stands before what is under it.

    Args:
        nodes: Names, no two alike, each with its parent; siblings in their order. A parent that
            is not among the names counts as none.

    Returns:
        All of them. Of a circle, the link of the one that comes first is cut.
    """
    parents = dict(nodes)
    children: dict[str | None, list[str]] = {}
    for name, parent in parents.items():
        children.setdefault(parent if parent in parents else None, []).append(name)
    order: dict[str, None] = {}
    _walk(children.get(None, ()), children, order)
    rank = {name: place for place, name in enumerate(parents)}
    cut = set()
    for name in parents:
        if name not in order:
            first = min(_circle(name, parents), key=rank.__getitem__)
            cut.add(first)
            _walk((first,), children, order)
    return Forest(order=tuple(order), cut=frozenset(cut))


def _walk(
    tops: Sequence[str], children: dict[str | None, list[str]], order: dict[str, None]
) -> None:
    waiting = list(reversed(tops))
    while waiting:
        name = waiting.pop()
        if name not in order:
            order[name] = None
            waiting.extend(reversed(children.get(name, ())))


def _circle(name: str, parents: dict[str, str | None]) -> Sequence[str]:
    """The circle that a name is in or hangs on."""
    seen: dict[str, None] = {}
    above: str | None = name
    while above is not None and above not in seen:
        seen[above] = None
        above = parents[above]
    line = list(seen)
    return line[line.index(str(above)) :]
