"""REST: accounts, courses and the people in them.

Source: canvas.md 2.1 and 2.2.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request

from simulators.canvas.gate import includes, require_administrator, require_grader
from simulators.canvas.paging import paged, shown_rows
from simulators.canvas.rights import refuse_denied
from simulators.canvas.sections import (
    SECTION_OFFSET,
    group_ids_of,
    group_payload,
    groups_of,
    places_of,
    section_payload,
    sections_of,
)
from simulators.canvas.totals import CourseGrade, course_grades
from simulators.canvas.wire import NOT_FOUND, answer, is_true, refuse
from simulators.canvas.world import ROOT_ACCOUNT, config, db, full_name, iso, sortable_name, world

blueprint = Blueprint("accounts", __name__)

TERM_ID = 1
WORKFLOW = {"active": "available", "unpublished": "unpublished", "concluded": "completed"}
ENROLLMENT_TYPES = {
    "learner": "StudentEnrollment",
    "teacher": "TeacherEnrollment",
    "guardian": "ObserverEnrollment",
    "tester": "StudentViewEnrollment",
}
ENROLLMENT_STATES = {"active": "active", "suspended": "inactive", "concluded": "completed"}
ROLE_IDS = {"learner": 3, "teacher": 4, "guardian": 7, "tester": 3}
COURSE_STATES = {
    "created": {"unpublished"},
    "claimed": {"unpublished"},
    "available": {"available"},
    "completed": {"completed"},
    "all": set(WORKFLOW.values()),
}


def find_course(text: str) -> sqlite3.Row:
    """The course of a path, by id or ``sis_course_id:``.

    Raises:
        Refused: With 404, where there is none.
    """
    key, value = ("id", text)
    if text.startswith("sis_course_id:"):
        key, value = ("sis_id", text.removeprefix("sis_course_id:"))
    row = db().execute(f"SELECT * FROM courses WHERE {key} = ?", (value,)).fetchone()  # noqa: S608 - two own words
    if row is None:
        refuse(404, NOT_FOUND)
    found: sqlite3.Row = row
    return found


def graded_course(text: str) -> sqlite3.Row:
    """The course of a path, whose gradebook the caller may use.

    Raises:
        Refused: With 404 or 403.
    """
    course = find_course(text)
    require_grader(course["id"])
    return course


@blueprint.get("/api/v1/accounts/<account_id>")
def account(account_id: str) -> Response:
    """One account, ``self`` for the district's."""
    require_administrator()
    return answer(_account(_account_id(account_id)))


@blueprint.get("/api/v1/accounts/<account_id>/sub_accounts")
def sub_accounts(account_id: str) -> Response:
    """The schools of the district."""
    require_administrator()
    is_root = _account_id(account_id) == ROOT_ACCOUNT
    rows = db().execute("SELECT id FROM schools ORDER BY id").fetchall() if is_root else []
    return paged(rows, lambda row: _account(row["id"]))


@blueprint.get("/api/v1/accounts/<account_id>/courses")
def courses(account_id: str) -> Response:
    """The courses of an account and its sub-accounts."""
    require_administrator()
    wanted = _account_id(account_id)
    rows = db().execute("SELECT * FROM courses ORDER BY id").fetchall()
    kept = [row for row in rows if wanted in {ROOT_ACCOUNT, row["school_id"]} and _matches(row)]
    return paged(kept, course_payload)


@blueprint.get("/api/v1/courses/<course_id>")
def course(course_id: str) -> Response:
    """One course."""
    return answer(course_payload(graded_course(course_id)))


@blueprint.get("/api/v1/courses/<course_id>/enrollments")
def enrollments(course_id: str) -> Response:
    """Who is in a course, as what; learners with their course grades."""
    found = graded_course(course_id)
    types = set(request.args.getlist("type[]") or request.args.getlist("type"))
    states = set(request.args.getlist("state[]")) or {"active", "invited"}
    user_id = request.args.get("user_id", "")
    rows = [
        row
        for row in enrolment_rows(found["id"])
        if (not types or ENROLLMENT_TYPES[row["role"]] in types)
        and ENROLLMENT_STATES[row["state"]] in states
        and user_id in {"", str(row["person_id"])}
    ]
    learners = [row["person_id"] for row in shown_rows(rows) if row["role"] == "learner"]
    grades = course_grades(db(), found["id"], learners=learners) if learners else {}
    groups = group_ids_of(db(), found["id"]) if "group_ids" in includes() else None
    return paged(rows, lambda row: _enrollment(row, grades, groups))


@blueprint.get("/api/v1/courses/<course_id>/sections")
def sections(course_id: str) -> Response:
    """The sections of a course."""
    found = graded_course(course_id)
    refuse_denied("sections")
    return paged(sections_of(db(), found), lambda section: section_payload(section, found))


@blueprint.get("/api/v1/courses/<course_id>/groups")
def groups(course_id: str) -> Response:
    """The groups of a course."""
    found = graded_course(course_id)
    refuse_denied("groups")
    return paged(groups_of(db(), found["id"]), lambda group: group_payload(group, found))


@blueprint.get("/api/v1/courses/<course_id>/users")
def users(course_id: str) -> Response:
    """Who is in a course, everybody once."""
    found = graded_course(course_id)
    types = set(request.args.getlist("enrollment_type[]"))
    once = {
        row["person_id"]: row
        for row in _people_of(found["id"])
        if row["state"] == "active" and (not types or row["role"] in _roles_named(types))
    }
    return paged(list(once.values()), user_payload)


@blueprint.get("/api/v1/users/<id>")
def user(id: str) -> Response:  # noqa: A002 - Canvas's name of it is part of a token's scopes
    """Whoever asks, as ``self``."""
    if id not in {"self", str(g.person["id"])}:
        refuse(404, NOT_FOUND)
    names = {
        "name": full_name(g.person),
        "sortable_name": sortable_name(g.person),
        "short_name": g.person["given_name"],
    }
    return answer({"id": g.person["id"], **names})


def _roles_named(types: set[str]) -> set[str]:
    names = {"student": "learner", "teacher": "teacher", "observer": "guardian"}
    return {names[name] for name in types if name in names}


def course_payload(row: sqlite3.Row) -> dict[str, object]:
    """A course as REST shows it."""
    wanted = includes()
    payload: dict[str, object] = {
        "id": row["id"],
        "name": row["title"],
        "course_code": row["code"],
        "sis_course_id": row["sis_id"],
        "integration_id": None,
        "uuid": row["guid"],
        "account_id": row["school_id"],
        "root_account_id": ROOT_ACCOUNT,
        "workflow_state": WORKFLOW[row["state"]],
        "enrollment_term_id": TERM_ID,
        "start_at": iso(row["starts_at"]),
        "end_at": iso(row["ends_at"]),
        "created_at": iso(row["created_at"]),
        "time_zone": config()["timezone"],
        "apply_assignment_group_weights": _is_weighted(row["id"]),
        "blueprint": _is_blueprint(row["id"]),
        "restrict_enrollments_to_course_dates": _ends_by_date(row["id"]),
        "is_public": False,
        "default_view": "modules",
    }
    if "term" in wanted:
        payload["term"] = {"id": TERM_ID, "name": "School year", "start_at": None, "end_at": None}
    if "total_students" in wanted:
        payload["total_students"] = _total_students(row["id"])
    return payload


def user_payload(row: sqlite3.Row | Mapping[str, Any]) -> dict[str, object]:
    """A person as REST shows them; ``row`` has ``person_id`` and the columns of people."""
    return {
        "id": row["person_id"],
        "name": full_name(row),
        "sortable_name": sortable_name(row),
        "short_name": row["given_name"],
        "sis_user_id": row["sis_id"],
        "integration_id": None,
        "login_id": row["email"],
        "uuid": str(UUID(hex=row["guid"][8:40])),
        "created_at": iso(row["created_at"]),
    }


def _account_id(text: str) -> int:
    if text in {"self", str(ROOT_ACCOUNT)}:
        return ROOT_ACCOUNT
    row = db().execute("SELECT id FROM schools WHERE id = ?", (text,)).fetchone()
    if row is None:
        refuse(404, NOT_FOUND)
    return int(row["id"])


def _account(account_id: int) -> dict[str, object]:
    row = db().execute("SELECT * FROM schools WHERE id = ?", (account_id,)).fetchone()
    is_root = account_id == ROOT_ACCOUNT
    return {
        "id": account_id,
        "name": config()["district"] if is_root else row["name"],
        "parent_account_id": None if is_root else ROOT_ACCOUNT,
        "root_account_id": None if is_root else ROOT_ACCOUNT,
        "workflow_state": "active",
        "default_time_zone": config()["timezone"],
    }


def _matches(row: sqlite3.Row) -> bool:
    state = WORKFLOW[row["state"]]
    facts = {
        "published": state != "unpublished",
        "completed": _is_completed(row),
        "with_enrollments": _total_students(row["id"]) > 0,
        "blueprint": _is_blueprint(row["id"]),
    }
    for name, fact in facts.items():
        if name in request.args and is_true(request.args[name]) != fact:
            return False
    term = request.args.get("enrollment_term_id", str(TERM_ID))
    words = request.args.get("search_term", "").lower()
    allowed = _allowed_states()
    return state in allowed and term == str(TERM_ID) and words in row["title"].lower()


def _allowed_states() -> set[str]:
    asked = request.args.getlist("state[]")
    if not asked:
        return COURSE_STATES["all"]
    return set().union(*(COURSE_STATES.get(name, set()) for name in asked))


def _is_completed(row: sqlite3.Row) -> bool:
    return bool(row["state"] == "concluded" or row["ends_at"] < world().clock())


def _is_blueprint(course_id: int) -> bool:
    return str(course_id) in config().get("blueprints", "").split()


def _ends_by_date(course_id: int) -> bool:
    return str(course_id) in config().get("date_bound", "").split()


def _is_weighted(course_id: int) -> bool:
    sql = "SELECT 1 FROM categories WHERE course_id = ? AND weight > 0"
    return db().execute(sql, (course_id,)).fetchone() is not None


def _total_students(course_id: int) -> int:
    sql = "SELECT COUNT(*) FROM enrolments WHERE course_id = ? AND role = 'learner'"
    return int(db().execute(sql, (course_id,)).fetchone()[0])


def enrolment_rows(course_id: int) -> list[dict[str, Any]]:
    """The enrolments of a course: whoever is in several sections has several.

    Args:
        course_id: The course.

    Returns:
        What ``_people_of`` says of the person, with ``enrolment_id``, ``section_id`` and
        ``state`` of the enrolment.
    """
    places = places_of(db(), course_id)
    found: list[dict[str, Any]] = []
    for row in _people_of(course_id):
        person = {**row, "section_id": SECTION_OFFSET + course_id}
        elsewhere = places.get(row["enrolment_id"])
        found += [
            person
            | {"enrolment_id": one.id, "section_id": one.section}
            | ({"state": one.state} if one.state else {})
            for one in elsewhere or ()
        ] or [person]
    return found


def _people_of(course_id: int) -> list[sqlite3.Row]:
    return (
        db()
        .execute(
            "SELECT e.id AS enrolment_id, e.course_id, e.person_id, e.role, e.state, e.observes, "
            "e.created_at, p.given_name, p.family_name, p.email, p.sis_id, p.guid "
            "FROM enrolments e JOIN people p ON p.id = e.person_id WHERE e.course_id = ? "
            "ORDER BY e.role = 'guardian', e.role = 'learner', "
            "COALESCE(NULLIF(p.family_name, ''), p.given_name), p.given_name, e.id",
            (course_id,),
        )
        .fetchall()
    )


def _enrollment(
    row: Mapping[str, Any],
    grades: Mapping[int, CourseGrade],
    groups: Mapping[int, Sequence[int]] | None,
) -> dict[str, object]:
    kind = ENROLLMENT_TYPES[row["role"]]
    payload: dict[str, object] = {
        "id": row["enrolment_id"],
        "course_id": row["course_id"],
        "course_section_id": row["section_id"],
        "user_id": row["person_id"],
        "sis_user_id": row["sis_id"],
        "sis_section_id": None,
        "type": kind,
        "role": kind,
        "role_id": ROLE_IDS[row["role"]],
        "enrollment_state": ENROLLMENT_STATES[row["state"]],
        "associated_user_id": row["observes"],
        "limit_privileges_to_course_section": False,
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["created_at"]),
        "start_at": None,
        "end_at": None,
        "last_activity_at": None,
        "root_account_id": ROOT_ACCOUNT,
        "user": user_payload(row),
    }
    if groups is not None:
        ids = list(groups.get(row["person_id"], ()))
        payload["user"] = user_payload(row) | {"group_ids": ids}
    if row["role"] == "learner":
        payload["grades"] = _grades(row, grades.get(row["person_id"]))
    return payload


def _grades(row: Mapping[str, Any], grade: CourseGrade | None) -> dict[str, object]:
    course_id, person_id = row["course_id"], row["person_id"]
    return {
        "html_url": f"{config()['base_url']}/courses/{course_id}/grades/{person_id}",
        "current_score": grade.current if grade else None,
        "final_score": grade.final if grade else None,
        "current_grade": None,
        "final_grade": None,
        "unposted_current_score": grade.unposted_current if grade else None,
        "unposted_final_score": grade.unposted_final if grade else None,
        "unposted_current_grade": None,
        "unposted_final_grade": None,
    }
