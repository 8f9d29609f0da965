"""Lists of Canvas courses that go on behind their first hundred rows, read to their end.

Twenty courses in one query, as everywhere: a school's large courses must not each cost a reading.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from connectors.canvas.lists import (
    AssignmentRow,
    EnrolmentRow,
    Lists,
    columns_field,
    people_field,
)
from connectors.canvas.payloads import Connection, GraphqlError
from connectors.canvas.rest import CanvasRest
from mapping.records import CourseRef

COURSES_A_QUERY = 20
"""As many as Canvas allows aliases."""
MOST_ROUNDS = 20
"""A course of more than two thousand people is read rather than compared."""

T = TypeVar("T")


class _Further(msgspec.Struct, rename="camel"):
    assignments_connection: Connection[AssignmentRow] | None = None
    enrollments_connection: Connection[EnrolmentRow] | None = None


class _Answer(msgspec.Struct):
    data: dict[str, _Further | None] | None = None
    errors: list[GraphqlError] | None = None


def whole(rest: CanvasRest, found: Mapping[CourseRef, Lists]) -> Mapping[CourseRef, Lists]:
    """Lists with all columns and all people of their courses.

    Args:
        rest: Canvas.
        found: The first page of each list.

    Returns:
        The lists, and those as they are that could not be read to their end.

    Source: Canvas GraphQL schema, Course.enrollmentsConnection and assignmentsConnection.
    """
    lists = dict(found)
    for _ in range(MOST_ROUNDS):
        long = [
            course for course, one in lists.items() if _after_columns(one) or _after_people(one)
        ]
        if not long:
            break
        for start in range(0, len(long), COURSES_A_QUERY):
            part = {course: lists[course] for course in long[start : start + COURSES_A_QUERY]}
            lists.update(_one_page_more(rest, part))
    return lists


def _one_page_more(rest: CanvasRest, part: Mapping[CourseRef, Lists]) -> Mapping[CourseRef, Lists]:
    """One page more of each list that goes on, in one query."""
    variables: dict[str, str] = {}
    asked = [_asked(number, part[course], variables) for number, course in enumerate(part)]
    variables.update({f"i{number}": course for number, course in enumerate(part)})
    declared = " ".join(f"${name}: {'ID!' if name[0] == 'i' else 'String'}" for name in variables)
    query = f"query WaymarkLists({declared}) {{ {' '.join(asked)} }}"
    answer = rest.query(query, variables, _Answer).data or {}
    return {
        course: _joined(lists, answer.get(f"c{number}"))
        for number, (course, lists) in enumerate(part.items())
    }


def _asked(number: int, lists: Lists, variables: dict[str, str]) -> str:
    """What is asked of one course; where its lists go on is put down as variables."""
    wanted = []
    for name, field, after in (
        (f"a{number}", columns_field, _after_columns(lists)),
        (f"p{number}", people_field, _after_people(lists)),
    ):
        if after is not None:
            variables[name] = after
            wanted.append(field(f", after: ${name}"))
    return f"c{number}: course(id: $i{number}) {{ {' '.join(wanted)} }}"


def _joined(lists: Lists, further: _Further | None) -> Lists:
    seen = further or _Further()
    return msgspec.structs.replace(
        lists,
        assignments_connection=_longer(lists.assignments_connection, seen.assignments_connection),
        enrollments_connection=_longer(lists.enrollments_connection, seen.enrollments_connection),
    )


def _longer(list_: Connection[T] | None, page: Connection[T] | None) -> Connection[T] | None:
    """A list with its next page; None, as one that may not be seen, where that did not come."""
    if list_ is None or not list_.page_info.has_next_page:
        return list_
    if page is None:
        return None
    rows: Sequence[T | None] = [*list_.rows(), *page.rows()]
    return Connection(page_info=page.page_info, nodes=list(rows))


def _after_columns(lists: Lists) -> str | None:
    return _after(lists.assignments_connection)


def _after_people(lists: Lists) -> str | None:
    return _after(lists.enrollments_connection)


def _after(list_: Connection[T] | None) -> str | None:
    """From where a list goes on; None where it does not."""
    if list_ is None or not list_.page_info.has_next_page:
        return None
    return list_.page_info.end_cursor
