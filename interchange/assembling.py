"""Competencies out of the records of a file, whatever its format: a forest with codes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from interchange.imported import Notes, OpenLink
from mapping.forests import depth_first
from mapping.progressions.graph import acyclic
from mapping.records import Competency, CompetencyLink, LinkKind

LONGEST_CODE = 64
LONGEST_TITLE, LONGEST_LANGUAGE = 512, 16
LONGEST_STATEMENT = 20_000
CHILD = "isChildOf"
_KINDS = frozenset(one.value for one in LinkKind)
_ORDERED = (LinkKind.PRECEDES, LinkKind.REPLACED_BY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record of a file that says what a competency is.

    Attributes:
        place: Where it stands, for a person.
        competency: Its parent need not be in the file; ``code`` may be empty.
        rank: Its number among its siblings; those without one follow in the file's order.
    """

    place: str
    competency: Competency
    rank: float = float("inf")


def assembled(entries: Sequence[Entry], notes: Notes) -> tuple[Competency, ...]:
    """Put competencies in order, each once, with a parent that is there and a code of its own.

    Args:
        entries: In the order of the file.
        notes: Takes in what is left out, and why.

    Returns:
        Parents before children, numbered.
    """
    found = _once(entries, notes)
    parents = {name: _parent(one.competency, found, notes) for name, one in found.items()}
    ranked = sorted(found, key=lambda name: found[name].rank)
    forest = depth_first((name, parents[name]) for name in ranked)
    for name in sorted(forest.cut):
        place = found[name].place
        notes.fault(f"{place}: {name} is among its own ancestors; it has no parent now.")
    kept = {name: None if name in forest.cut else parents[name] for name in found}
    strands = set(kept.values())
    codes = _codes(found, notes)
    return tuple(
        replace(
            found[name].competency,
            code=codes[name],
            parent=kept[name],
            position=position,
            is_strand=found[name].competency.is_strand or name in strands,
        )
        for position, name in enumerate(forest.order)
    )


def linked(
    associations: Iterable[tuple[str, str, str]],
    competencies: Sequence[Competency],
    notes: Notes,
) -> tuple[CompetencyLink, ...]:
    """Links between competencies of a file: what precedes, equals or replaces what.

    Args:
        associations: Origin, kind (CASE) and destination, none of them ``isChildOf``.
        competencies: Those of the file.
        notes: Takes in those that are not kept, and why.
    """
    known = {one.identifier for one in competencies}
    listed: dict[CompetencyLink, None] = {}
    told: set[tuple[str, str, str]] = set()
    for association in associations:
        origin, kind, destination = association
        reason = "it is there again." if association in told else ""
        told.add(association)
        if not reason and not {origin, destination} <= known:
            notes.unresolved[OpenLink(origin=origin, kind=kind, destination=destination)] = None
            continue
        reason = reason or _unkept(origin, kind, destination)
        if reason:
            notes.left_out(f"{origin} {kind} {destination}: {reason}")
        else:
            link = CompetencyLink(origin=origin, kind=LinkKind(kind), destination=destination)
            listed[link] = None
    circular = _circular(listed)
    for link in listed:
        if link in circular:
            said = f"{link.origin} {link.kind.value} {link.destination}"
            notes.fault(f"{said}: it would close a circle.")
    return tuple(link for link in listed if link not in circular)


def _unkept(origin: str, kind: str, destination: str) -> str:
    if kind not in _KINDS:
        return "links of this kind are not kept."
    return "it points to itself." if origin == destination else ""


def _once(entries: Sequence[Entry], notes: Notes) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for one in entries:
        name = one.competency.identifier
        first = found.setdefault(name, one)
        if first is not one:
            notes.fault(f"{one.place}: {name} is there again; the first one is kept.")
    return found


def _parent(one: Competency, found: dict[str, Entry], notes: Notes) -> str | None:
    if one.parent is None or one.parent in found:
        return one.parent
    link = OpenLink(origin=one.identifier, kind=CHILD, destination=one.parent)
    notes.unresolved[link] = None
    return None


def _codes(found: dict[str, Entry], notes: Notes) -> dict[str, str]:
    """The code where it tells competencies apart, else the identifier."""
    given = Counter(one.competency.code for one in found.values())
    codes = {}
    for name, one in found.items():
        code = one.competency.code
        reason = _code_problem(name, code, times=given[code], is_taken=code in found)
        if reason:
            notes.warnings.append(f"{one.place}: {reason}; {name} is its code now.")
        codes[name] = name if reason or not code else code
    return codes


def _code_problem(name: str, code: str, *, times: int, is_taken: bool) -> str:
    if not code or code == name:
        return ""
    if times > 1:
        return f"the code {code!r} is used {times} times"
    if len(code) > LONGEST_CODE:
        return f"its code is longer than {LONGEST_CODE} characters"
    return f"the code {code!r} is another one's identifier" if is_taken else ""


def _circular(links: Iterable[CompetencyLink]) -> frozenset[CompetencyLink]:
    """Links that would make a competency precede or replace itself."""
    listed = tuple(links)
    return frozenset(
        CompetencyLink(origin=origin, kind=kind, destination=destination)
        for kind in _ORDERED
        for origin, destination in acyclic(
            (link.origin, link.destination) for link in listed if link.kind is kind
        )[1]
    )
