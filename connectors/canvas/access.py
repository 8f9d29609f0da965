"""What Canvas lets the service user see and do, held against what nights need.

Canvas rarely refuses: it sends less. So one course is looked at from several sides, and the
sides are compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from connectors.canvas.payloads import Assignment, Enrollment, GraphqlError, Id, SubmissionRow
from connectors.canvas.rest import REFUSALS, CanvasRest, GraphqlRefused, is_refused
from connectors.errors import GiveUp
from connectors.protocol import Finding

T = TypeVar("T")

_SCOPE = "the scope url:GET|/api/v1/{route} to the developer key"
_COLUMNS = "courses/:course_id/custom_gradebook_columns"
_AUDIT = "audit/grade_change/courses/:course_id"


class _User(msgspec.Struct):
    name: str = ""


class _Course(msgspec.Struct):
    id: Id
    name: str | None = None


class _Data(msgspec.Struct):
    course: dict[str, object] | None = None


class _Answer(msgspec.Struct):
    data: _Data | None = None
    errors: list[GraphqlError] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """A course to look at, and who and what is in it."""

    id: str
    name: str
    learners: Sequence[Enrollment]
    assignments: Sequence[Assignment]


def check_access(rest: CanvasRest) -> Sequence[Finding]:
    """Ask for one thing of each kind that nights read or write.

    Args:
        rest: Canvas.

    Returns:
        One finding for each check, the token's first; where the token is refused, or no course
        can be seen, nothing further can be found out.

    Source: Canvas REST API; developer keys, scopes and Allow Include Parameters.
    """
    return list(_findings(rest))


def _findings(rest: CanvasRest) -> Iterator[Finding]:
    try:
        user = rest.get("users/self", _User)
    except GiveUp as error:
        yield Finding(name="Access token", is_fine=False, advice=str(error))
        return
    yield Finding(name="Access token", is_fine=True, found=user.name)
    sample = _sample(rest)
    if sample is None:
        yield _no_course()
        return
    yield Finding(name="Courses of the account", is_fine=True, found=sample.name)
    complaint = _graphql_complaint(rest, sample)
    has_graphql = not complaint
    yield Finding(name="GraphQL", is_fine=True, advice=complaint)
    yield _includes(sample, has_graphql=has_graphql)
    yield _all_grades(rest, sample)
    yield _listed(rest, sample, name="sections")
    yield _listed(rest, sample, name="groups")
    yield _columns(rest, sample)
    yield _audit(rest, sample, has_graphql=has_graphql)


def _sample(rest: CanvasRest) -> _Sample | None:
    """The first open course that has learners; None where none can be seen."""
    wanted = [("state[]", "available"), ("with_enrollments", "true"), ("blueprint", "false")]
    found = _first_page(rest, "accounts/self/courses", _Course, params=wanted)
    if not found:
        return None
    course = found[0]
    path = f"courses/{course.id}"
    kinds = [("type[]", "StudentEnrollment"), ("include[]", "group_ids")]
    return _Sample(
        id=str(course.id),
        name=course.name or str(course.id),
        learners=_first_page(rest, f"{path}/enrollments", Enrollment, params=kinds) or (),
        assignments=_first_page(rest, f"{path}/assignments", Assignment) or (),
    )


def _no_course() -> Finding:
    return Finding(
        name="Courses of the account",
        is_fine=False,
        advice="No open course with learners can be seen. Give the service user an account role "
        "(Courses - view list; Users - view list) in the account of the schools, and add "
        f"{_SCOPE.format(route='accounts/:account_id/courses')}.",
    )


def _graphql_complaint(rest: CanvasRest, sample: _Sample) -> str:
    """What is wrong with GraphQL, and what that means; empty where it can be used."""
    try:
        text = "query WaymarkCheck($id: ID!) { course(id: $id) { _id } }"
        answer = rest.query(text, {"id": sample.id}, _Answer)
    except GraphqlRefused as error:
        return (
            f"{error} Until then scores are read by REST, which takes more requests and sees less."
        )
    if answer.data is None or answer.data.course is None:
        return (
            f'GraphQL does not show the course "{sample.name}", though REST does. Give the '
            "service user an account role that may view courses."
        )
    return ""


def _includes(sample: _Sample, *, has_graphql: bool) -> Finding:
    name = "Include parameters"
    if not sample.learners or any(one.user.group_ids is not None for one in sample.learners):
        return Finding(name=name, is_fine=True)
    lost = "groups" if has_graphql else "groups and rubric scores"
    return Finding(
        name=name,
        is_fine=has_graphql,
        advice=f"Canvas leaves out what include[] asks for, so {lost} cannot be read. Tick Allow "
        "Include Parameters at the developer key.",
    )


def _all_grades(rest: CanvasRest, sample: _Sample) -> Finding:
    name = "All grades"
    params = [("student_ids[]", "all"), ("exclude_response_fields[]", "body")]
    path = f"courses/{sample.id}/students/submissions"
    rows = _first_page(rest, path, SubmissionRow, params=params)
    seen = {str(row.user_id) for row in rows or ()}
    is_expected = bool(sample.learners) and any(one.published for one in sample.assignments)
    if seen or (rows is not None and not is_expected):
        return Finding(name=name, is_fine=True, found=f"{len(seen)} learners on the first page")
    return Finding(
        name=name,
        is_fine=False,
        advice=f'No score of "{sample.name}" can be seen. Give the service user the permission '
        "Grades - view all grades, and add "
        f"{_SCOPE.format(route='courses/:course_id/students/submissions')}.",
    )


def _listed(rest: CanvasRest, sample: _Sample, *, name: str) -> Finding:
    title = name.capitalize()
    if _first_page(rest, f"courses/{sample.id}/{name}", dict[str, object]) is not None:
        return Finding(name=title, is_fine=True)
    return Finding(
        name=title,
        is_fine=True,
        advice=f"Classes cannot be shown by {name}. Add "
        f"{_SCOPE.format(route=f'courses/:course_id/{name}')}, or give the service user the "
        "permission Users - view list.",
    )


def _columns(rest: CanvasRest, sample: _Sample) -> Finding:
    name = "Gradebook columns"
    path = f"courses/{sample.id}/custom_gradebook_columns"
    if _first_page(rest, path, dict[str, object]) is not None:
        return Finding(name=name, is_fine=True)
    return Finding(
        name=name,
        is_fine=False,
        advice="Custom gradebook columns cannot be used, so no words can be written back. Give the "
        f"service user the permission Grades - edit, and add {_SCOPE.format(route=_COLUMNS)}.",
    )


def _audit(rest: CanvasRest, sample: _Sample, *, has_graphql: bool) -> Finding:
    name = "Grade change log"
    path = f"audit/grade_change/courses/{sample.id}"
    if _asked(rest, path, dict[str, object]) is not None or has_graphql:
        return Finding(name=name, is_fine=True)
    return Finding(
        name=name,
        is_fine=True,
        advice="Neither GraphQL nor the grade change log can be read. Grades that were cleared, "
        "excuses that were taken back and late penalties that were changed are found by the "
        f"weekly sweep only. Add {_SCOPE.format(route=_AUDIT)}, or allow GraphQL.",
    )


def _first_page(
    rest: CanvasRest, path: str, shape: type[T], *, params: Sequence[tuple[str, str]] = ()
) -> Sequence[T] | None:
    return _asked(rest, path, list[shape], params=params)  # type: ignore[valid-type]


def _asked(
    rest: CanvasRest, path: str, shape: type[T], *, params: Sequence[tuple[str, str]] = ()
) -> T | None:
    """What comes first; None where the service user may not ask."""
    reply = next(rest.pages(path, params, REFUSALS))
    return None if is_refused(reply) else reply.decode(shape)
