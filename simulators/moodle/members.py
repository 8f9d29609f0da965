"""NRPS: who is in a course.

Source: moodle.md, section 3.8.
"""

import sqlite3
from typing import Any

from flask import Response, request

from simulators.moodle.claims import services_url
from simulators.moodle.services import MEMBERS, Place, json_answer, service
from simulators.moodle.site import Site

_ROLES = {"learner": "Learner", "teacher": "Instructor"}


@service("GET", "members", media=MEMBERS, scope="members", takes_any=True)
def memberships(here: Site, place: Place) -> Response:
    """Active people of the course; a suspended one is simply not there."""
    rows = here.rows(
        "SELECT p.*, e.role AS place FROM enrolments e JOIN people p ON p.id = e.person_id "
        "WHERE e.course_id = ? AND e.state = 'active' ORDER BY p.id",
        place.course,
    )
    role = request.args.get("role", "").rpartition("#")[2]
    if role in _ROLES.values():
        rows = [row for row in rows if _ROLES[row["place"]] == role]
    limit = request.args.get("limit", 0, type=int)
    start = request.args.get("from", 0, type=int)
    page = rows[start : start + limit] if limit else rows
    answer = json_answer(_container(here, place.course, page), MEMBERS)
    if limit and start + limit < len(rows):
        url = f"{_url(here, place.course)}?limit={limit}&from={start + limit}"
        answer.headers["Link"] = f'<{url}>; rel="next"'
    return answer


def _url(here: Site, course: int) -> str:
    return f"{services_url(here)}/CourseSection/{course}/bindings/{here.type_id}/memberships"


def _container(here: Site, course: int, rows: list[sqlite3.Row]) -> dict[str, Any]:
    found = here.rows("SELECT * FROM courses WHERE id = ?", course)[0]
    return {
        "id": _url(here, course),
        "context": {"id": str(course), "label": found["code"], "title": found["title"]},
        "members": [_member(row) for row in rows],
    }


def _member(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "status": "Active",
        "roles": [_ROLES[row["place"]]],
        "user_id": str(row["id"]),
        "lis_person_sourcedid": row["sis_id"],
        "name": f"{row['given_name']} {row['family_name']}".strip(),
        "given_name": row["given_name"],
        "family_name": row["family_name"],
        "email": row["email"],
        "ext_user_username": row["email"].partition("@")[0],
    }
