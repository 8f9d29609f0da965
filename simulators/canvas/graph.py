"""GraphQL: the submissions of a course, changed since a moment.

The schema is the part of Canvas's that a reader of gradebooks needs, with Canvas's limits.
Errors of a query are answered with 200 and ``errors``.

Source: canvas.md 2.5.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g
from graphql import GraphQLError, GraphQLResolveInfo, execute_sync

from simulators.canvas.cells import FAR_FUTURE, CellQuery, count_cells, select_cells
from simulators.canvas.graph_lists import list_fields
from simulators.canvas.graph_pages import cursor_of, page_info, window
from simulators.canvas.graph_rows import Page, Row, global_id
from simulators.canvas.graph_schema import checked, executable_schema
from simulators.canvas.graph_selection import selected
from simulators.canvas.rights import refuse_denied
from simulators.canvas.wire import answer, json_body, nested, parameter
from simulators.canvas.world import db, now
from simulators.faults import turned

blueprint = Blueprint("graph", __name__)

DEFAULT_STATES = ["submitted", "pending_review", "graded"]
WORKFLOW = {"active": "available", "unpublished": "claimed", "concluded": "completed"}


@blueprint.post("/api/graphql")
def graphql() -> Response:
    """Answer one query."""
    refuse_denied("graphql")
    text = parameter("query") or ""
    variables = json_body().get("variables") or nested("variables")
    document, errors = checked(text)
    if document is None:
        return answer({"errors": [error.formatted for error in errors]})
    result = execute_sync(
        executable_schema(),
        document,
        root_value={"course": _course, "courses": _courses},
        variable_values=variables,
        operation_name=json_body().get("operationName"),
        field_resolver=_look_up,
    )
    return answer(dict(result.formatted))


def _look_up(
    source: Mapping[str, Any] | Row,
    info: "GraphQLResolveInfo[Any]",
    **arguments: Any,  # noqa: ANN401 - any field's
) -> Any:  # noqa: ANN401 - any field
    found: Any = source[info.field_name]
    value = found(**arguments) if callable(found) else found
    return value.picked(selected(info)) if isinstance(value, Page) else value


def _course(id: str | None = None, sisId: str | None = None) -> dict[str, Any] | None:  # noqa: A002, N803 - Canvas's names
    column, value = ("id", id) if id is not None else ("sis_id", sisId)
    row = db().execute(f"SELECT * FROM courses WHERE {column} = ?", (value,)).fetchone()  # noqa: S608 - own words
    if row is None or not _may_read(row["id"]):
        return None
    return {
        "id": global_id("Course", row["id"]),
        "_id": row["id"],
        "name": row["title"],
        "courseCode": row["code"],
        "sisId": row["sis_id"],
        "state": WORKFLOW[row["state"]],
        "submissionsConnection": lambda **wanted: _connection(row["id"], wanted),
        **list_fields(row),
    }


def _courses(
    ids: Sequence[str] = (),
    sisIds: Sequence[str] = (),  # noqa: N803 - Canvas's name
) -> list[dict[str, Any]]:
    found = [_course(id=text) for text in ids] + [_course(sisId=text) for text in sisIds]
    return [course for course in found if course is not None]


def _may_read(course_id: int) -> bool:
    if g.person["role"] == "administrator":
        return True
    sql = "SELECT 1 FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'teacher'"
    return db().execute(sql, (course_id, g.person["id"])).fetchone() is not None


def _connection(course: int, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A page of a course's submissions; what is costly is read when a field asks for it."""
    query = _query(course, wanted)
    size, offset = window(wanted)
    bent = turned(wanted.get("after") or cursor_of(0), None)
    found = select_cells(db(), query, limit=size + 1, offset=offset)
    shown = found[:size]
    page = Page(db(), course, shown, now=now())
    return {
        "nodes": page,
        "edges": lambda: [
            {"cursor": cursor_of(offset + place), "node": row}
            for place, row in enumerate(page.rows(), 1)
        ],
        "pageInfo": {
            **page_info(offset, len(shown), has_more=len(found) > size or bent is not None),
            **({"endCursor": bent} if bent else {}),
            "totalCount": lambda: count_cells(db(), query),
        },
    }


def _query(course_id: int, wanted: Mapping[str, Any]) -> CellQuery:
    chosen = wanted.get("filter") or {}
    order = (wanted.get("orderBy") or [{}])[0]
    students = wanted.get("studentIds")
    return CellQuery(
        course=course_id,
        learners=None if students is None else [int(text) for text in students if text.isdigit()],
        states=chosen.get("states") or DEFAULT_STATES,
        updated_since=_moment(chosen.get("updatedSince")),
        graded_since=_moment(chosen.get("gradedSince")),
        submitted_since=_moment(chosen.get("submittedSince")),
        due_between=_due_between(chosen.get("dueBetween")),
        by_graded_at=order.get("field") == "gradedAt",
        descending=order.get("direction") == "descending",
    )


def _due_between(chosen: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """Both ends belong to it; an open one is as far as time goes."""
    if chosen is None:
        return None
    start, end = _moment(chosen.get("start")), _moment(chosen.get("end"))
    return (0.0 if start is None else start, FAR_FUTURE if end is None else end)


def _moment(text: object) -> float | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise GraphQLError(f"{text!r} is not a valid DateTime") from error
    if found.tzinfo is None:
        raise GraphQLError(f"{text!r} is not a valid DateTime")
    return found.timestamp()
