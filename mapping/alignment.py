"""Mapping rules applied to a course: which line item speaks for which competency."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from unicodedata import normalize

from mapping.lms_links import NOTHING_KNOWN, KnownNames
from mapping.records import (
    Alignment,
    Course,
    CourseRef,
    Criterion,
    CriterionRef,
    Grading,
    LineItem,
    LineItemRef,
    MappingRule,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a mapping reaches and what it does not.

    ``unmatched_rules`` matched nothing in any course; ``unmatched_items`` may be evidence but
    no rule speaks of them; ``matched_items`` counts the others.
    """

    unmatched_rules: tuple[MappingRule, ...]
    unmatched_items: tuple[tuple[CourseRef, LineItemRef], ...]
    matched_items: int


def matches(pattern: str, text: str) -> bool:
    """Whether a whole text matches a shell pattern, without regard to case.

    Accented letters match however they are composed. An empty pattern matches everything.

    Args:
        pattern: ``*``, ``?`` and ``[...]`` as in ``fnmatch``.
        text: Any text.

    Returns:
        Whether it matches.
    """
    return not pattern or compiled(pattern).match(plain(text)) is not None


def exactly(text: str, longest: int) -> str:
    """The pattern that matches one text alone; of a long one, all texts that begin as it does.

    Args:
        text: Any text but an empty one.
        longest: Signs that the pattern may have, at least 4.
    """
    parts = [f"[{sign}]" if sign in "*?[" else sign for sign in text]
    if sum(map(len, parts)) <= longest:
        return "".join(parts)
    kept = ""
    for part in parts:
        if len(kept) + len(part) >= longest:
            break
        kept += part
    return kept + "*"


def plain(text: str) -> str:
    """A text as patterns see it: letters without case, accented ones composed."""
    return normalize("NFC", text.casefold())


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern to be matched against texts made ``plain``; an empty one matches the empty text."""
    return _compiled(plain(pattern))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    # translate() writes each star as an atomic group: no pattern can make matching explode.
    return re.compile(translate(pattern))


def resolve(
    rules: Sequence[MappingRule],
    course: Course,
    line_items: Sequence[LineItem],
    *,
    known: KnownNames = NOTHING_KNOWN,
) -> tuple[Alignment, ...]:
    """Apply mapping rules to a course.

    Waymark's own columns and line items that are not graded or not published never align. Where
    several rules give the same line item (or criterion) to the same competency, the first one
    settles weight and kind.

    Args:
        rules: In order of precedence.
        course: Matched by its title or its code, and by its school.
        line_items: Of this course.
        known: The competencies that the LMS may link work to.

    Returns:
        Alignments in the order of the rules, each line item and criterion at most once for a
        competency.
    """
    first: dict[tuple[str, str | None, str, str], Alignment] = {}
    for rule in rules:
        for found in _aligned(rule, course, line_items, known=known):
            key = (found.line_item_ref, found.criterion_ref, found.framework, found.competency)
            first.setdefault(key, found)
    return tuple(first.values())


def coverage(
    rules: Sequence[MappingRule],
    gradebooks: Iterable[tuple[Course, Sequence[LineItem]]],
    *,
    known: KnownNames = NOTHING_KNOWN,
) -> Coverage:
    """Find rules that match nothing and line items that no rule speaks of.

    Args:
        rules: Of one mapping set.
        gradebooks: Courses with their line items.
        known: The competencies that the LMS may link work to.

    Returns:
        What is not matched, rules in their order, line items in the order of the gradebooks.
    """
    useful: set[int] = set()
    unmatched: list[tuple[CourseRef, LineItemRef]] = []
    matched_items = 0
    for course, line_items in gradebooks:
        hits = [
            (number, found.line_item_ref)
            for number, rule in enumerate(rules)
            for found in _aligned(rule, course, line_items, known=known)
        ]
        useful.update(number for number, _ in hits)
        refs = {ref for _, ref in hits}
        matched_items += len(refs)
        unmatched += [
            (course.ref, item.ref)
            for item in line_items
            if may_align(item) and item.ref not in refs
        ]
    return Coverage(
        unmatched_rules=tuple(rule for n, rule in enumerate(rules) if n not in useful),
        unmatched_items=tuple(unmatched),
        matched_items=matched_items,
    )


def may_align(item: LineItem) -> bool:
    """Whether a line item can be evidence at all: graded, published, and not Waymark's own."""
    return not item.is_own and item.is_published and item.grading is not Grading.NOT_GRADED


def matches_course(rule: MappingRule, *, title: str, code: str, school: str) -> bool:
    """Whether a rule speaks of a course at all, by its title or its code, and by its school."""
    is_named = matches(rule.course, title) or matches(rule.course, code)
    return is_named and matches(rule.school, school)


def _aligned(
    rule: MappingRule, course: Course, line_items: Sequence[LineItem], *, known: KnownNames
) -> Iterator[Alignment]:
    if not matches_course(rule, title=course.title, code=course.code, school=course.school):
        return
    for item in line_items:
        if may_align(item) and _speaks_of(rule, item):
            yield from _linked(rule, item, known) if rule.is_of_links else _alignments(rule, item)


def _speaks_of(rule: MappingRule, item: LineItem) -> bool:
    return matches(rule.line_item, item.title) and matches(rule.category, item.category)


def _alignments(rule: MappingRule, item: LineItem) -> Iterator[Alignment]:
    if not rule.criterion:
        yield _alignment(rule, rule.competency, item.ref)
        return
    for criterion in item.criteria:
        if _is_meant(rule, criterion):
            yield _alignment(rule, rule.competency, item.ref, criterion=criterion.ref)


def _linked(rule: MappingRule, item: LineItem, known: KnownNames) -> Iterator[Alignment]:
    if not rule.criterion:
        for code in known.codes(rule.framework, item.links):
            yield _alignment(rule, code, item.ref)
    for criterion in item.criteria:
        if _is_meant(rule, criterion):
            for code in known.codes(rule.framework, criterion.links):
                yield _alignment(rule, code, item.ref, criterion=criterion.ref)


def _is_meant(rule: MappingRule, criterion: Criterion) -> bool:
    return matches(rule.criterion, criterion.title)


def _alignment(
    rule: MappingRule, competency: str, item: LineItemRef, *, criterion: CriterionRef | None = None
) -> Alignment:
    return Alignment(
        line_item_ref=item,
        criterion_ref=criterion,
        framework=rule.framework,
        competency=competency,
        weight=rule.weight,
        kind=rule.kind,
        steps=rule.steps,
    )
