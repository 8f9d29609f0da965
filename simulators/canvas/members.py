"""NRPS: who is in a course, fifty a page.

Source: canvas.md 5.7.
"""

import sqlite3
from collections.abc import Sequence

from flask import Blueprint, Response, request

from simulators.canvas.advantage import MEMBERS_TYPE, ToolContext, tool_context
from simulators.canvas.paging import page_size, paged
from simulators.canvas.tools import MEMBERSHIP
from simulators.canvas.wire import refuse_lti
from simulators.canvas.world import db, full_name, lti_id

blueprint = Blueprint("members", __name__)

LARGEST_PAGE = 50
MEMBERSHIP_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
ROLE_NAMES = {"learner": "Learner", "teacher": "Instructor", "guardian": "Mentor"}


@blueprint.get("/api/lti/courses/<course_id>/names_and_roles")
def names_and_roles(course_id: str) -> Response:
    """The members of a course, everybody once, with all their roles in it."""
    context = tool_context(course_id, MEMBERSHIP)
    _refuse_foreign_link(context)
    members = _members(context)
    role = request.args.get("role")
    if role:
        members = [member for member in members if role in _roles(member["roles"])]

    def container(shown: list[object]) -> object:
        return {
            "id": f"{context.url}/names_and_roles",
            "context": context_claim(context.course),
            "members": shown,
        }

    return paged(
        members,
        _member,
        size=page_size(largest=LARGEST_PAGE, default=LARGEST_PAGE),
        wrap=container,
        content_type=MEMBERS_TYPE,
    )


def context_claim(course: sqlite3.Row) -> dict[str, object]:
    """How LTI names a course."""
    return {"id": course["guid"], "label": course["code"], "title": course["title"]}


def _refuse_foreign_link(context: ToolContext) -> None:
    link = request.args.get("rlid")
    if link in {None, "", context.course["guid"]}:
        return
    sql = "SELECT 1 FROM line_items WHERE resource_link_id = ? AND course_id = ?"
    if db().execute(sql, (link, context.course["id"])).fetchone() is None:
        refuse_lti(400, f"Invalid 'rlid' parameter: {link}")


def _members(context: ToolContext) -> Sequence[sqlite3.Row]:
    return (
        db()
        .execute(
            "SELECT p.*, GROUP_CONCAT(DISTINCT e.role) AS roles, "
            "MAX(e.state = 'active') AS is_active "
            "FROM enrolments e JOIN people p ON p.id = e.person_id "
            "WHERE e.course_id = ? GROUP BY p.id ORDER BY p.id",
            (context.course["id"],),
        )
        .fetchall()
    )


def _roles(joined: str) -> list[str]:
    return [f"{MEMBERSHIP_ROLE}{ROLE_NAMES[role]}" for role in sorted(joined.split(","))]


def _member(row: sqlite3.Row) -> dict[str, object]:
    return {
        "status": "Active" if row["is_active"] else "Inactive",
        "user_id": lti_id(row["guid"]),
        "lti11_legacy_user_id": row["guid"],
        "name": full_name(row),
        "given_name": row["given_name"],
        "family_name": row["family_name"],
        "email": row["email"],
        "lis_person_sourcedid": row["sis_id"],
        "roles": _roles(row["roles"]),
    }
