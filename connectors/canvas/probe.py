"""Which courses need no reading tonight, told for twenty of them in one GraphQL query.

Each course is asked for one submission that was touched since its last read, in any state, and
for its lists (``connectors.canvas.lists``). What moves no ``updatedAt`` stays hidden: a missing
policy that older Canvases write past it, a rubric that was edited, a group in which one learner
replaced another, a changed SIS id. That is what the weekly sweep is for.

One alias a course rather than ``courses(ids:)``: an alias answers null for a course that is
gone, whoever asks, and Canvas allows twenty.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from connectors.canvas.cursors import CanvasCursor, cursor_from, read_cursor, wire
from connectors.canvas.lists import FRAGMENT, Lists, digest_of, falls_due
from connectors.canvas.long_lists import COURSES_A_QUERY, whole
from connectors.canvas.payloads import Connection, GraphqlError
from connectors.canvas.rest import CanvasRest
from connectors.canvas.submissions import ALL_STATES
from mapping.records import CourseRef, Cursor


class _Touched(msgspec.Struct):
    id: str | int = msgspec.field(name="_id")


class _Course(Lists, rename="camel"):
    submissions_connection: Connection[_Touched] | None = None


class _Answer(msgspec.Struct):
    data: dict[str, _Course | None] | None = None
    errors: list[GraphqlError] | None = None


def unchanged_courses(
    rest: CanvasRest, cursors: Mapping[CourseRef, Cursor], *, now: datetime
) -> Mapping[CourseRef, Cursor]:
    """Courses that are as they were when they were last read.

    Args:
        rest: Canvas.
        cursors: What the last completed read of each course carried. One without a digest is
            not asked about.
        now: Before the first request, aware.

    Returns:
        New cursors of those that need no reading.

    Source: Canvas GraphQL schema, Query.course and Course.
    """
    known = {course: read_cursor(cursor) for course, cursor in cursors.items()}
    asked = [(course, kept) for course, kept in known.items() if kept is not None and kept.lists]
    return {
        course: cursor_from(rest.at_canvas(now), lists=kept.lists)
        for start in range(0, len(asked), COURSES_A_QUERY)
        for course, kept in _unchanged(rest, asked[start : start + COURSES_A_QUERY], now)
    }


def _unchanged(
    rest: CanvasRest, asked: Sequence[tuple[CourseRef, CanvasCursor]], now: datetime
) -> Iterator[tuple[CourseRef, CanvasCursor]]:
    answer = rest.query(_query(len(asked)), _variables(asked), _Answer)
    # A course beside which there is an error comes as null, or with a list that is.
    found = answer.data or {}
    nodes = {course: found.get(f"c{number}") for number, (course, _) in enumerate(asked)}
    quiet = {course: node for course, node in nodes.items() if node and not _was_touched(node)}
    lists = whole(rest, quiet)
    for course, kept in asked:
        if course in lists and _is_same(lists[course], kept, now):
            yield course, kept


def _was_touched(node: _Course) -> bool:
    touched = node.submissions_connection
    return touched is None or touched.nodes is None or bool(touched.nodes)


def _is_same(lists: Lists, kept: CanvasCursor, now: datetime) -> bool:
    # Work becomes missing by the hour alone; nothing of it is written.
    return digest_of(lists) == kept.lists and not falls_due(lists, kept.updated_since, now)


def _query(courses: int) -> str:
    numbers = range(courses)
    declared = " ".join(f"$i{n}: ID! $f{n}: SubmissionFilterInput" for n in numbers)
    asked = "\n".join(
        f"c{n}: course(id: $i{n}) {{ submissionsConnection(first: 1, filter: $f{n}) "
        "{ nodes { _id } pageInfo { hasNextPage } } ...Lists }"
        for n in numbers
    )
    return f"query WaymarkProbe({declared}) {{\n{asked}\n}}\n{FRAGMENT}"


def _variables(asked: Sequence[tuple[CourseRef, CanvasCursor]]) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for number, (course, kept) in enumerate(asked):
        found[f"i{number}"] = course
        found[f"f{number}"] = {"states": ALL_STATES, "updatedSince": wire(kept.updated_since)}
    return found
