"""Canvas's submissions by REST, where GraphQL is refused.

``graded_since`` and ``submitted_since`` see what got a score or was handed in. A grade that was
cleared, an excuse that was taken back and a penalty that was added later move neither; the
grade-change audit names the cells, which are then read. What no feed of REST's names, a grade
that was hidden or shown and a rubric that was filled in anew, waits for the weekly sweep.
Columns that fell due are read whole, for work becomes missing without being touched.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors.canvas.cursors import wire
from connectors.canvas.payloads import AuditEvents, SubmissionRow
from connectors.canvas.rest import REFUSALS, CanvasRest, is_refused
from connectors.canvas.submissions import FeedPage
from connectors.errors import GiveUp
from connectors.notes import Notes
from mapping.records import CourseRef, LineItem, LineItemRef

_EVERYBODY = [
    ("student_ids[]", "all"),
    # Every row says whether its assignment is visible, and so whether include[] was heard.
    ("include[]", "rubric_assessment"),
    ("include[]", "visibility"),
    ("include[]", "submission_history"),
    *(("exclude_response_fields[]", name) for name in ("preview_url", "attachments", "body")),
]
_ASSIGNMENTS_A_CALL = 40
"""The Link header holds the whole query, and Canvas drops links behind 6 KB."""
_NO_AUDIT = (
    "The grade change log of Canvas cannot be read, and neither can GraphQL. A grade that was "
    "cleared, an excuse that was taken back and a late penalty that was changed are found by the "
    "weekly sweep only. Add the scope url:POST|/api/graphql to the developer key, or "
    "url:GET|/api/v1/audit/grade_change/courses/:course_id."
)


def rest_pages(
    rest: CanvasRest,
    course: CourseRef,
    since: datetime | None,
    *,
    until: datetime,
    items: Mapping[LineItemRef, LineItem],
    notes: Notes,
) -> Iterator[FeedPage]:
    """Submissions of a course by REST.

    Args:
        rest: Canvas.
        course: The course.
        since: Only those graded, handed in or named by the audit after this moment; None asks
            for all.
        until: The present, aware.
        items: The course's columns, to know which may be asked for and have rubrics.
        notes: Takes down what is missing.

    Yields:
        Pages, in one of which a submission may be that was in an earlier one; the last is empty.

    Source: Canvas REST API, Submissions and Grade Change Log.
    """
    pages = (
        _rows(rest, course, [])
        if since is None
        else _changes(rest, course, since, due=_fell_due(items, since, until), notes=notes)
    )
    for rows in pages:
        _refuse_without_rubrics(rest, course, rows, items=items)
        yield FeedPage(nodes=rows, is_last=False)
    yield FeedPage(nodes=(), is_last=True)


def _fell_due(
    items: Mapping[LineItemRef, LineItem], since: datetime, until: datetime
) -> Mapping[LineItemRef, bool]:
    """The columns that may be asked for, and whether they fell due meanwhile."""
    return {
        item.ref: item.due_at is not None and since < item.due_at <= until
        for item in items.values()
        if item.is_published
    }


def _changes(
    rest: CanvasRest,
    course: CourseRef,
    since: datetime,
    *,
    due: Mapping[LineItemRef, bool],
    notes: Notes,
) -> Iterator[Sequence[SubmissionRow]]:
    for name in ("graded_since", "submitted_since"):
        yield from _rows(rest, course, [(name, wire(since))])
    changed = _changed_cells(rest, course, since, notes=notes)
    everybody: set[str | None] = {None}
    wanted = {
        ref: everybody if is_due else changed[ref]
        for ref, is_due in due.items()
        if is_due or ref in changed
    }
    refs = list(wanted)
    for start in range(0, len(refs), _ASSIGNMENTS_A_CALL):
        some = refs[start : start + _ASSIGNMENTS_A_CALL]
        for rows in _rows(rest, course, [("assignment_ids[]", ref) for ref in some]):
            yield [row for row in rows if _is_named(row, wanted)]


def _rows(
    rest: CanvasRest, course: CourseRef, wanted: Sequence[tuple[str, str]]
) -> Iterator[Sequence[SubmissionRow]]:
    path = f"courses/{course}/students/submissions"
    for reply in rest.pages(path, [*_EVERYBODY, *wanted]):
        yield reply.decode(list[SubmissionRow])


def _changed_cells(
    rest: CanvasRest, course: CourseRef, since: datetime, *, notes: Notes
) -> Mapping[LineItemRef, set[str | None]]:
    """Learners by column; None stands for somebody whom Canvas does not name to graders."""
    found: dict[LineItemRef, set[str | None]] = {}
    path = f"audit/grade_change/courses/{course}"
    for reply in rest.pages(path, [("start_time", wire(since))], passes=REFUSALS):
        if is_refused(reply):
            notes.add("audit_refused", _NO_AUDIT)
            return {}
        for event in reply.decode(AuditEvents).events:
            student = event.links.student
            if event.links.assignment is not None:
                column = LineItemRef(str(event.links.assignment))
                found.setdefault(column, set()).add(None if student is None else str(student))
    return found


def _is_named(row: SubmissionRow, changed: Mapping[LineItemRef, set[str | None]]) -> bool:
    learners = changed.get(LineItemRef(str(row.assignment_id)), set())
    return str(row.user_id) in learners or None in learners


def _refuse_without_rubrics(
    rest: CanvasRest,
    course: CourseRef,
    rows: Sequence[SubmissionRow],
    *,
    items: Mapping[LineItemRef, LineItem],
) -> None:
    has_rubrics = any(item.criteria and not item.is_own for item in items.values())
    if has_rubrics and any(row.assignment_visible is None for row in rows):
        raise GiveUp(
            f"{rest.platform} refuses GraphQL and leaves out what include[] asks for, so the "
            f"rubric scores of course {course} cannot be read. Nothing of it was read, so that "
            "none of them looks taken back. Tick Allow Include Parameters at the developer key, "
            "or add the scope url:POST|/api/graphql.",
            cause="includes_dropped",
            platform=rest.platform,
        )
