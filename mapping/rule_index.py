"""Mapping rules applied to a whole district: each pattern meets each text once.

``mapping.alignment.resolve`` says what rules mean; what is here gives the same for thousands of
courses, whose columns mostly have the same names.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mapping.alignment import compiled, may_align, plain
from mapping.lms_links import NOTHING_KNOWN, KnownNames
from mapping.records import Course, LineItem, LmsLink, MappingRule


class Hit(NamedTuple):
    """A rule gives a row of a gradebook's columns to a competency of its framework.

    ``rule`` is its place, from 0; ``ref`` and ``criterion`` are references, ``criterion`` empty
    for the line item's own score; ``competency`` is a code.
    """

    rule: int
    ref: str
    criterion: str
    competency: str


class RuleIndex:
    """Rules by their patterns.

    Sets of rules are whole numbers, a bit for each rule: what a course, a line item and a
    category allow together is one AND.
    """

    def __init__(self, rules: Sequence[MappingRule], known: KnownNames = NOTHING_KNOWN) -> None:
        """Rules in order of precedence, and the competencies that an LMS may link work to."""
        self._rules = tuple(rules)
        self._known = known
        self._of_school = _Patterns(rule.school for rule in rules)
        self._of_course = _Patterns(rule.course for rule in rules)
        self._of_item = _Patterns(rule.line_item for rule in rules)
        self._of_category = _Patterns(rule.category for rule in rules)
        self._of_criterion = _Patterns(rule.criterion for rule in rules)
        self._whole = sum(1 << at for at, rule in enumerate(rules) if not rule.criterion)
        self._of_links = sum(1 << at for at, rule in enumerate(rules) if rule.is_of_links)

    def hits(self, course: Course, line_items: Iterable[LineItem]) -> list[Hit]:
        """What every rule speaks of in a course, also where an earlier one holds.

        Args:
            course: Matched by its title or its code, and by its school.
            line_items: Of this course.

        Returns:
            In the order of the line items, for each its rules in their order.
        """
        found: list[Hit] = []
        allowed = self.rules_for(course)
        if not allowed:
            return found
        for item in line_items:
            if may_align(item):
                self._add_hits(found, item, allowed)
        return found

    def rules_for(self, course: Course) -> int:
        """The set of rules that speak of a course at all."""
        everything = (1 << len(self._rules)) - 1
        by_title = self._of_course.matching(course.title, everything)
        by_name = by_title | self._of_course.matching(course.code, everything & ~by_title)
        return self._of_school.matching(course.school, by_name)

    def _add_hits(self, found: list[Hit], item: LineItem, allowed: int) -> None:
        left = self._of_category.matching(item.category, allowed)
        left = self._of_item.matching(item.title, left)
        if not left:
            return
        found.extend(self._given(left & self._whole, (item.ref, ""), item.links))
        of_criteria = left & (~self._whole | self._of_links)
        if not of_criteria:
            return
        for criterion in item.criteria:
            meant = self._of_criterion.matching(criterion.title, of_criteria)
            found.extend(self._given(meant, (item.ref, criterion.ref), criterion.links))

    def _given(self, rules: int, row: tuple[str, str], links: tuple[LmsLink, ...]) -> Iterator[Hit]:
        """What some rules give a row of a gradebook's columns to, each in its turn."""
        for at in bits(rules if links else rules & ~self._of_links):
            rule = self._rules[at]
            codes = (
                self._known.codes(rule.framework, links) if rule.is_of_links else (rule.competency,)
            )
            for code in codes:
                yield Hit(at, *row, code)


class _Patterns:
    """One pattern of each rule, and what is known of the texts that met them."""

    def __init__(self, patterns: Iterable[str]) -> None:
        by_pattern: dict[str, int] = {}
        for at, pattern in enumerate(patterns):
            by_pattern[pattern] = by_pattern.get(pattern, 0) | 1 << at
        self._any = by_pattern.pop("", 0)
        """The rules that take every text."""
        self._rules = [(compiled(one).match, rules) for one, rules in by_pattern.items()]
        self._met: dict[str, tuple[int, int]] = {}
        """For each text the set of rules that were asked, and of those the ones that match."""

    def matching(self, text: str, wanted: int) -> int:
        """Those of some rules whose pattern matches a text."""
        asked, hit = self._met.get(text, (self._any, self._any))
        missing = wanted & ~asked
        if missing:
            seen = plain(text)
            for match, rules in self._rules:
                if rules & missing:
                    asked |= rules
                    hit |= rules if match(seen) else 0
            self._met[text] = asked, hit
        return hit & wanted


def bits(rules: int) -> list[int]:
    """The places in a set of rules, ascending."""
    found = []
    while rules:
        lowest = rules & -rules
        found.append(lowest.bit_length() - 1)
        rules ^= lowest
    return found
