"""Clauses in plain words, nested ones so that they can be read in one way only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
)
from mapping.scales import EPSILON, RatingScale, display_exact
from mapping.status import label_in
from mapping.wording import ENGLISH, Plural, Translator, sentence

_PIECES: Mapping[EvidenceKind | None, Plural] = {
    None: Plural(
        "at least {count} piece of evidence counts", "at least {count} pieces of evidence count"
    ),
    EvidenceKind.RECALL: Plural(
        "at least {count} recall task counts", "at least {count} recall tasks count"
    ),
    EvidenceKind.SKILL: Plural(
        "at least {count} skill task counts", "at least {count} skill tasks count"
    ),
    EvidenceKind.APPLICATION: Plural(
        "at least {count} application task counts", "at least {count} application tasks count"
    ),
    EvidenceKind.OBSERVATION: Plural(
        "at least {count} observation by a teacher counts",
        "at least {count} observations by a teacher count",
    ),
    EvidenceKind.SELF: Plural(
        "at least {count} self-assessment counts", "at least {count} self-assessments count"
    ),
    EvidenceKind.EXTERNAL: Plural(
        "at least {count} confirmed piece from outside the school counts",
        "at least {count} confirmed pieces from outside the school count",
    ),
}

_SITUATIONS: Mapping[Situation, Plural] = {
    Situation.LINE_ITEM: Plural(
        "the evidence comes from at least {count} activity",
        "the evidence comes from at least {count} different activities",
    ),
    Situation.COURSE: Plural(
        "the evidence comes from at least {count} course",
        "the evidence comes from at least {count} different courses",
    ),
    Situation.KIND: Plural(
        "the evidence is of at least {count} kind",
        "the evidence is of at least {count} different kinds",
    ),
    Situation.DAY: Plural(
        "the evidence comes from at least {count} day",
        "the evidence comes from at least {count} different days",
    ),
}


def clause_sentence(clause: Clause, scale: RatingScale, words: Translator = ENGLISH) -> str:
    """What one clause asks for, as a sentence of its own.

    Args:
        clause: A leaf, or a group, of which only the heading is said.
        scale: The rule's.
        words: The language.

    Returns:
        "At least 1 application task counts."; for a group "At least 2 of these 3:".
    """
    match clause:
        case AllOf():
            return words.say("All of these:")
        case SomeOf(count=count, clauses=parts):
            return words.count(
                "At least {count} of these {total}:",
                "At least {count} of these {total}:",
                count,
                total=len(parts),
            )
        case _:
            return sentence(leaf_phrase(clause, scale, words))


def points_and_level(points: float, scale: RatingScale, words: Translator = ENGLISH) -> str:
    """Scale points for a person: "3.00 (Proficient)" where a level begins there, else "3.20"."""
    labels = [
        level.label for level in scale.levels if abs(level.cut * scale.top - points) <= EPSILON
    ]
    shown = display_exact(points)
    if not labels:
        return shown
    return words.say("{points} ({level})", points=shown, level=label_in(words, labels[0]))


def phrases(criteria: Clause | None, scale: RatingScale, words: Translator = ENGLISH) -> list[str]:
    """A tree as clauses that all have to hold, each for the middle of a sentence.

    Two leaves are "either ... or"; more, or nested ones, are one list whose labels say what
    belongs where: (a), (b), and (b.1), (b.2) in (b).

    Args:
        criteria: The tree, None for none.
        scale: The rule's.
        words: The language.

    Returns:
        Words without a capital and without a full stop; only the last one may hold a list.
    """
    if criteria is None:
        return []
    teller = _Teller(scale=scale, words=words)
    tree = _simple(criteria)
    if isinstance(tree, AllOf) and all(map(_is_short, tree.clauses)):
        return [teller.phrase(part, ()) for part in tree.clauses]
    return [teller.phrase(tree, ())]


def has_list(criteria: Clause | None) -> bool:
    """Whether a list is needed to say the tree."""
    tree = None if criteria is None else _simple(criteria)
    parts = tree.clauses if isinstance(tree, AllOf) else (tree,)
    return not all(part is None or _is_short(part) for part in parts)


def _simple(clause: Clause) -> Clause:
    """The same demand without groups that change nothing: of one, or of the kind they are in."""
    if not isinstance(clause, AllOf | SomeOf):
        return clause
    parts = tuple(map(_simple, clause.clauses))
    if len(parts) == 1:
        return parts[0]
    if isinstance(clause, AllOf) or clause.count == len(parts):
        return AllOf(clauses=_opened(parts, _EVERY))
    opened = _opened(parts, 1) if clause.count == 1 else parts
    return SomeOf(count=clause.count, clauses=opened)


def _opened(parts: Sequence[Clause], group: int) -> tuple[Clause, ...]:
    """The parts, and of those that are such a group what is in them."""
    return tuple(
        inner
        for part in parts
        for inner in (
            part.clauses if isinstance(part, AllOf | SomeOf) and _group(part) == group else (part,)
        )
    )


def _group(clause: AllOf | SomeOf) -> int:
    return _EVERY if isinstance(clause, AllOf) else clause.count


def _is_short(clause: Clause) -> bool:
    """Whether a simple tree is a leaf or a group of two leaves."""
    if not isinstance(clause, AllOf | SomeOf):
        return True
    are_leaves = not any(isinstance(part, AllOf | SomeOf) for part in clause.clauses)
    return are_leaves and len(clause.clauses) == _TWO


_EVERY, _TWO = 0, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teller:
    scale: RatingScale
    words: Translator

    def phrase(self, clause: Clause, path: tuple[int, ...]) -> str:
        """A simple tree that stands at ``path`` in the list."""
        if not isinstance(clause, AllOf | SomeOf):
            return leaf_phrase(clause, self.scale, self.words)
        if not _is_short(clause):
            return self._listed(clause, path)
        first, second = (self.phrase(part, path) for part in clause.clauses)
        if isinstance(clause, SomeOf):
            return self.words.say("either {first} or {second}", first=first, second=second)
        return self.words.say("both {first} and {second}", first=first, second=second)

    def _listed(self, clause: AllOf | SomeOf, path: tuple[int, ...]) -> str:
        items = [
            self.words.say(
                "({label}) {clause}",
                label=_label((*path, number)),
                clause=self.phrase(part, (*path, number)),
            )
            for number, part in enumerate(clause.clauses)
        ]
        listed = "; ".join(items)
        if isinstance(clause, AllOf):
            return self.words.say("all of these: {clauses}", clauses=listed)
        return self.words.count(
            "at least {count} of these {total}: {clauses}",
            "at least {count} of these {total}: {clauses}",
            clause.count,
            total=len(items),
            clauses=listed,
        )


def _label(path: Sequence[int]) -> str:
    """Where a clause stands: (0,) is "a", (1, 0) is "b.1", (26,) is "aa"."""
    first, *further = path
    letters = f"{_LETTERS[first // 26 - 1] if first >= 26 else ''}{_LETTERS[first % 26]}"  # noqa: PLR2004 - the alphabet
    return ".".join((letters, *(str(number + 1) for number in further)))


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def leaf_phrase(clause: Leaf, scale: RatingScale, words: Translator = ENGLISH) -> str:
    """A leaf as a clause in the middle of a sentence.

    Args:
        clause: A leaf.
        scale: The rule's.
        words: The language.
    """
    match clause:
        case EvidenceReaches(count=count, kind=kind):
            return words.count(*_PIECES[kind], count)
        case SituationsReach(count=count, of=of):
            return words.count(*_SITUATIONS[of], count)
        case NewestWithin(days=days):
            return words.count(
                "the newest evidence is at most {count} day old",
                "the newest evidence is at most {count} days old",
                days,
            )
        case _:
            return _named(clause, scale, words)


def _named(
    clause: EstimateReaches | LineItemCounts | ChildrenMastered,
    scale: RatingScale,
    words: Translator,
) -> str:
    match clause:
        case EstimateReaches(points=points):
            return words.say(
                "the estimate is at least {points}", points=points_and_level(points, scale, words)
            )
        case LineItemCounts(pattern=pattern):
            return words.say(
                'evidence from an activity with a title like "{pattern}" counts', pattern=pattern
            )
        case _:
            return _children(clause.count, words)


def _children(count: int | None, words: Translator) -> str:
    if count is None:
        return words.say("all of its {competencies} that have evidence are mastered")
    return words.count(
        "at least {count} of its {competencies} is mastered",
        "at least {count} of its {competencies} are mastered",
        count,
    )
