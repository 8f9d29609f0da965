"""A course's gradebook, put together from what several functions tell of it."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from connectors.moodle.assignments import AssignmentFacts, Assignments
from connectors.moodle.report import GradeReport, columns_of
from connectors.moodle.webservice import Webservice
from mapping.records import CourseRef, LineItem

REPORT = "gradereport_user_get_grade_items"
ITEMS = "core_grades_get_gradeitems"


class Item(msgspec.Struct):
    """A grade item by its name; the list holds hidden ones, whoever asks."""

    id: str
    itemname: str | None = None
    category: str | None = None


class _Items(msgspec.Struct, rename="camel"):
    grade_items: list[Item]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A course's report with its columns and what its assignments say.

    ``unseen`` names the grade items that the report left out.
    """

    course: CourseRef
    report: GradeReport
    items: Sequence[LineItem]
    facts: AssignmentFacts
    unseen: Sequence[str] = ()


class Books:
    """Reads the gradebooks of one Moodle, course after course."""

    def __init__(self, service: Webservice, own_ids: Callable[[CourseRef], frozenset[str]]) -> None:
        self._service = service
        self._own_ids = own_ids
        self._assignments = Assignments(service)

    def report(self, course: CourseRef) -> GradeReport:
        """The grade report of a course: active learners only, all at once."""
        return self._service.call(REPORT, {"courseid": course}, GradeReport)

    def read(self, course: CourseRef) -> Book:
        """A course's gradebook as it is now.

        Args:
            course: The course.

        Returns:
            The book. A note tells where rights make Moodle leave columns out.

        Source: Moodle 4.5, gradereport_user_get_grade_items, core_grades_get_gradeitems.
        """
        report = self.report(course)
        listed = items_of(self._service, course)
        facts = self._assignments.of(course)
        columns = columns_of(
            report, own=self._own_ids(course), categories=_categories(listed), facts=facts
        )
        unseen = unseen_items(report, listed)
        if unseen:
            self._service.notes.add(
                "columns_left_out",
                f"{self._service.platform} leaves columns out of its grade reports, for example "
                f'"{unseen[0].itemname}": its service user\'s role lacks a right to see hidden '
                "grades or activities. Run waymark platform test to see which.",
            )
        return Book(
            course=course,
            report=report,
            items=columns,
            facts=facts,
            unseen=[item.itemname or "" for item in unseen],
        )


def items_of(service: Webservice, course: CourseRef) -> Sequence[Item]:
    """The grade items of a course with their categories; none where the function is missing."""
    if not service.offers(ITEMS):
        return ()
    return service.call(ITEMS, {"courseid": course}, _Items).grade_items


def unseen_items(report: GradeReport, listed: Sequence[Item]) -> Sequence[Item]:
    """The listed items that no learner's report shows; a report of nobody shows nothing."""
    shown = {str(row.id) for user in report.usergrades for row in user.gradeitems}
    return [item for item in listed if item.id not in shown] if shown else []


def _categories(listed: Sequence[Item]) -> Mapping[str, str]:
    # The report names no category; this cheap call does, by the item.
    return {item.id: html.unescape(item.category or "") for item in listed}
