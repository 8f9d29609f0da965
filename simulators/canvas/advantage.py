"""What the LTI Advantage services of a course share: their gates and their media types.

Source: canvas.md 4.1.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import request

from simulators.canvas.gate import bearer
from simulators.canvas.service_tokens import require_scope
from simulators.canvas.tools import deployment_in, find_tool
from simulators.canvas.wire import refuse_lti
from simulators.canvas.world import config, db, tool_id

LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
JSON_TYPES = {"application/json", LINE_ITEM_TYPE, SCORE_TYPE}
CONCLUDED = "This course has concluded. AGS requests will no longer be accepted for this course."


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """A course whose gradebook a tool may use. ``tool`` is the tool's number there."""

    course: sqlite3.Row
    client_id: str
    tool: int

    @property
    def url(self) -> str:
        """Where the course's services begin."""
        return f"{config()['base_url']}/api/lti/courses/{self.course['id']}"


def tool_context(course_id: str, *scopes: str) -> ToolContext:
    """Pass the gates that stand before every service, in Canvas's order.

    Args:
        course_id: As the path names it.
        scopes: Any one of them will do.

    Raises:
        Refused: With 401 (token, key, scope, tool not installed), or 404 or 422 (course).
    """
    client_id = require_scope(bearer(), *scopes)
    course = db().execute("SELECT * FROM courses WHERE id = ?", (course_id,)).fetchone()
    if course is None:
        refuse_lti(404, "Context not found")
    _refuse_concluded(course)
    school = db().execute("SELECT * FROM schools WHERE id = ?", (course["school_id"],)).fetchone()
    tool = find_tool(client_id)
    deployment = deployment_in(tool, school) if tool and school else ""
    if not deployment:
        refuse_lti(401, "Access Token not linked to a Tool associated with this Context")
    return ToolContext(course=course, client_id=client_id, tool=tool_id(deployment))


def _refuse_concluded(course: sqlite3.Row) -> None:
    if course["state"] != "concluded":
        return
    if config().get("ags_concluded_422") == "1":
        refuse_lti(422, CONCLUDED)
    refuse_lti(404, "Context not found")


def sent_object() -> dict[str, Any]:
    """The JSON object of the request; Rails parses it for the registered media types only."""
    if request.mimetype not in JSON_TYPES:
        return {}
    payload = request.get_json(force=True, silent=True)
    return payload if isinstance(payload, dict) else {}
