"""Clauses as JSON-able values: writing them, and reading them with every problem told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mapping.records import EvidenceKind
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    Clause,
    EstimateReaches,
    EvidenceReaches,
    Leaf,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
    walk,
)
from mapping.scales import RatingScale, is_number

DEEPEST = 8
"""How many clauses may stand in one another."""

MOST_CLAUSES = 50
"""How many clauses a rule may have, groups included; more is no rule that a person can follow."""

MOST_EVIDENCE = 100
"""The greatest number of pieces that may be asked for; no term holds more for one competency."""

MOST_DAYS = 3650
"""Ten years: the longest time that may be asked for."""

MOST_CHILDREN = 1000

LONGEST_PATTERN = 200
"""Characters."""

Problems: TypeAlias = tuple[str, ...]

_ALL = "all"


class ClauseRefused(ValueError):  # noqa: N818 - named for what happened, as the connectors' errors
    """A tree of clauses that cannot be used.

    Attributes:
        problems: Everything that is wrong with it, a sentence each, with its path.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


def clause_definition(clause: Clause) -> dict[str, Any]:
    """A tree as JSON-able values; ``parse_clause`` reads it back."""
    match clause:
        case AllOf(clauses=parts):
            return {"all": [clause_definition(part) for part in parts]}
        case SomeOf(count=1, clauses=parts):
            return {"any": [clause_definition(part) for part in parts]}
        case SomeOf(count=count, clauses=parts):
            return {"at_least": count, "of": [clause_definition(part) for part in parts]}
        case _:
            return _leaf_definition(clause)


def _leaf_definition(clause: Leaf) -> dict[str, Any]:
    match clause:
        case EstimateReaches(points=points):
            return {"estimate": points}
        case NewestWithin(days=days):
            return {"newest_within_days": days}
        case LineItemCounts(pattern=pattern):
            return {"line_item": pattern}
        case ChildrenMastered(count=count):
            return {"children_mastered": _ALL if count is None else count}
        case _:
            return _counted_definition(clause)


def _counted_definition(clause: EvidenceReaches | SituationsReach) -> dict[str, Any]:
    if isinstance(clause, SituationsReach):
        return {"situations": clause.count, "of": clause.of.value}
    kind = {} if clause.kind is None else {"kind": clause.kind.value}
    return {"evidence": clause.count, **kind}


def parse_clause(definition: object, *, scale: RatingScale, path: str = "criteria") -> Clause:
    """Read a tree from JSON-able values.

    Args:
        definition: As in ``clauses``.
        scale: The rule's; an estimate may be asked for by the label of one of its levels.
        path: What messages call the root.

    Returns:
        The tree.

    Raises:
        ClauseRefused: A clause is not of a known form, its value is out of range, or there are
            too many clauses; all problems at once.
    """
    found = _parsed(definition, _Place(path=path, scale=scale, depth=1))
    if isinstance(found, tuple):
        raise ClauseRefused(found)
    if sum(1 for _ in walk(found)) > MOST_CLAUSES:
        raise ClauseRefused((f"{path} must have at most {MOST_CLAUSES} clauses.",))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in the tree a clause stands: ``depth`` from 1."""

    path: str
    scale: RatingScale
    depth: int

    def inside(self, key: str, number: int) -> "_Place":
        return _Place(path=f"{self.path}.{key}[{number}]", scale=self.scale, depth=self.depth + 1)


_Parser: TypeAlias = Callable[[Mapping[str, Any], _Place], Clause | Problems]


def _parsed(definition: object, place: _Place) -> Clause | Problems:
    if not isinstance(definition, Mapping) or not definition:
        return (f"{place.path} must be an object with one of: {', '.join(_FORMS)}.",)
    told = [key for key in _FORMS if key in definition]
    if len(told) > 1:
        return (f"{place.path} must be one clause, not several: {', '.join(told)}.",)
    if not told:
        return (f"{place.path} must have one of: {', '.join(_FORMS)}.",)
    parse, further = _FORMS[told[0]]
    unknown = definition.keys() - {told[0], *further}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        return (f"{place.path} may not have beside {told[0]}: {names}.",)
    return parse(definition, place)


def _estimate(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    asked, top = definition["estimate"], place.scale.top
    cuts = {level.label: level.cut * top for level in place.scale.levels}
    points = cuts.get(asked) if isinstance(asked, str) else asked
    if isinstance(points, int | float) and is_number(points) and 0.0 < points <= top:
        return EstimateReaches(points=float(points))
    must = f"be above 0 and at most {top:g}, or one of these levels: {', '.join(list(cuts)[1:])}"
    return (f"{place.path}.estimate must {must}; not {_shown(asked)}.",)


def _evidence(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    problems = (
        *_whole_problems(definition, "evidence", MOST_EVIDENCE, place=place),
        *_name_problems(definition, "kind", _KINDS, place=place),
    )
    kind = definition.get("kind")
    return problems or EvidenceReaches(
        count=definition["evidence"], kind=None if kind is None else EvidenceKind(kind)
    )


def _situations(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    of = definition.get("of", Situation.LINE_ITEM.value)
    most = len(_KINDS) if of == Situation.KIND.value else MOST_EVIDENCE
    problems = (
        *_whole_problems(definition, "situations", most, place=place),
        *_name_problems(definition, "of", _SITUATIONS, place=place),
    )
    return problems or SituationsReach(count=definition["situations"], of=Situation(of))


def _newest(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    problems = _whole_problems(definition, "newest_within_days", MOST_DAYS, place=place)
    return problems or NewestWithin(days=definition["newest_within_days"])


def _line_item(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    pattern = definition["line_item"]
    if isinstance(pattern, str) and pattern.strip() and len(pattern) <= LONGEST_PATTERN:
        return LineItemCounts(pattern=pattern)
    must = f'be 1 to {LONGEST_PATTERN} characters of a title, such as "*final project*"'
    return (f"{place.path}.line_item must {must}; not {_shown(pattern)}.",)


def _children(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    if definition["children_mastered"] == _ALL:
        return ChildrenMastered()
    problems = _whole_problems(definition, "children_mastered", MOST_CHILDREN, place=place)
    if problems:
        return (f'{problems[0].removesuffix(".")}; "{_ALL}" asks for every one.',)
    return ChildrenMastered(count=definition["children_mastered"])


def _all(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    parts, problems = _parts(definition, "all", place)
    return problems or AllOf(clauses=parts)


def _any(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    parts, problems = _parts(definition, "any", place)
    return problems or SomeOf(count=1, clauses=parts)


def _at_least(definition: Mapping[str, Any], place: _Place) -> Clause | Problems:
    parts, problems = _parts(definition, "of", place)
    most = len(_list(definition.get("of"))) or MOST_CLAUSES
    problems = (*_whole_problems(definition, "at_least", most, place=place), *problems)
    return problems or SomeOf(count=definition["at_least"], clauses=parts)


def _parts(
    definition: Mapping[str, Any], key: str, place: _Place
) -> tuple[tuple[Clause, ...], Problems]:
    given = _list(definition.get(key))
    if not given:
        return (), (f"{place.path}.{key} must be a list of at least one clause.",)
    if place.depth >= DEEPEST:
        return (), (f"{place.path} is too deep: at most {DEEPEST} clauses stand in one another.",)
    found = [_parsed(part, place.inside(key, number)) for number, part in enumerate(given)]
    problems = tuple(line for part in found if isinstance(part, tuple) for line in part)
    return tuple(part for part in found if not isinstance(part, tuple)), problems


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_PATTERN else f"{text[:LONGEST_PATTERN]}..."


def _whole_problems(
    definition: Mapping[str, Any], key: str, most: int, *, place: _Place
) -> Problems:
    value = definition[key]
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return ()
    return (f"{place.path}.{key} must be 1 to {most}, not {_shown(value)}.",)


def _name_problems(
    definition: Mapping[str, Any], key: str, names: Sequence[str], *, place: _Place
) -> Problems:
    if key not in definition or definition[key] in names:
        return ()
    return (
        f"{place.path}.{key} must be one of: {', '.join(names)}; not {_shown(definition[key])}.",
    )


_KINDS = tuple(kind.value for kind in EvidenceKind)
_SITUATIONS = tuple(situation.value for situation in Situation)

# What tells a clause, how it is read, and which further keys it may have.
_FORMS: Mapping[str, tuple[_Parser, tuple[str, ...]]] = {
    "estimate": (_estimate, ()),
    "evidence": (_evidence, ("kind",)),
    "situations": (_situations, ("of",)),
    "newest_within_days": (_newest, ()),
    "line_item": (_line_item, ()),
    "children_mastered": (_children, ()),
    "all": (_all, ()),
    "any": (_any, ()),
    "at_least": (_at_least, ("of",)),
}
