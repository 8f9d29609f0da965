"""Platform Notification Service: tools register where they are told of things, and are told.

A notice is sent once, and nobody hears whether it arrived: Canvas tries no second time.

Source: canvas.md 5.9; Canvas, Platform Notification Service and Notice Handlers API.
"""

import uuid
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from simulators.canvas.gate import bearer
from simulators.canvas.members import context_claim
from simulators.canvas.outgoing import post_soon
from simulators.canvas.service_tokens import require_scope
from simulators.canvas.tools import NOTICES, Tool, deployment_in, find_tool
from simulators.canvas.wire import answer, refuse, refuse_lti
from simulators.canvas.world import config, db, iso, now, tool_id, world
from simulators.state import open_state

blueprint = Blueprint("notice_handlers", __name__)

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
HELLO = "LtiHelloWorldNotice"
CONTEXT_COPY = "LtiContextCopyNotice"
TYPES = (HELLO, "LtiAssetProcessorSubmissionNotice", CONTEXT_COPY)
NOTICE_SECONDS = 3600
COURSE = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"
_TABLE = """
CREATE TABLE IF NOT EXISTS notice_handlers (
    client_id TEXT NOT NULL, deployment TEXT NOT NULL, notice_type TEXT NOT NULL,
    handler TEXT NOT NULL, PRIMARY KEY (client_id, deployment, notice_type)
) WITHOUT ROWID
"""


def prepare(path: Path) -> None:
    """Make room for handlers in a state file."""
    with closing(open_state(path)) as connection, connection:
        connection.execute(_TABLE)


def service_claim(deployment: str, tool: Tool) -> dict[str, Any]:
    """What a launch says of the service; nothing to a tool without a scope for it."""
    if NOTICES not in tool.scopes:
        return {}
    url = f"{config()['base_url']}/api/lti/notice-handlers/{tool_id(deployment)}"
    return {
        f"{CLAIM}/platformnotificationservice": {
            "service_versions": ["1.0"],
            "platform_notification_service_url": url,
            "scope": [NOTICES],
            "notice_types_supported": list(TYPES),
        }
    }


@blueprint.get("/api/lti/notice-handlers/<int:number>")
def listed(number: int) -> Response:
    """The handlers of an installed tool, of every type, empty where there is none."""
    tool, deployment = _installed(number)
    known = _handlers(tool.client_id, deployment)
    handlers = [{"handler": known.get(kind, ""), "notice_type": kind} for kind in TYPES]
    return answer(
        {"client_id": tool.client_id, "deployment_id": deployment, "notice_handlers": handlers}
    )


@blueprint.put("/api/lti/notice-handlers/<int:number>")
def register(number: int) -> Response:
    """Take, replace or (by the empty text) remove a handler; a hello follows its own."""
    tool, deployment = _installed(number)
    sent = request.get_json(silent=True)
    kind, handler = (
        (sent.get("notice_type"), sent.get("handler")) if isinstance(sent, dict) else (None, None)
    )
    if kind not in TYPES:
        refuse_lti(400, f"Invalid notice_type, must be one of: {', '.join(TYPES)}")
    if not isinstance(handler, str) or (handler and not _is_of(handler, tool)):
        refuse_lti(400, "handler must be a valid URL or an empty string, on the tool's domain")
    db().execute(
        "INSERT OR REPLACE INTO notice_handlers VALUES (?, ?, ?, ?)",
        (tool.client_id, deployment, kind, handler),
    )
    if kind == HELLO and handler:
        _send(handler, tool.client_id, deployment, kind=HELLO, about={})
    return answer({"handler": handler, "notice_type": kind})


@blueprint.post("/_control/copied")
def copied() -> Response:
    """Content was copied into a ``course``: whoever wants to know is told."""
    sent = request.get_json(silent=True) or {}
    sql = "SELECT * FROM courses WHERE id = ?"
    course = db().execute(sql, (sent.get("course"),)).fetchone()
    if course is None:
        refuse(404, {"error": "no such course"})
    sql = "SELECT * FROM schools WHERE id = ?"
    school = db().execute(sql, (course["school_id"],)).fetchone()
    about = {f"{CLAIM}/context": context_claim(course) | {"type": [COURSE]}}
    rows = db().execute(
        "SELECT * FROM notice_handlers WHERE notice_type = ? AND handler <> ''", (CONTEXT_COPY,)
    )
    told = 0
    for row in rows.fetchall():
        tool = find_tool(row["client_id"])
        if tool and school and deployment_in(tool, school) == row["deployment"]:
            _send(row["handler"], tool.client_id, row["deployment"], kind=CONTEXT_COPY, about=about)
            told += 1
    return answer({"told": told})


def _installed(number: int) -> tuple[Tool, str]:
    """The tool that a token is for, where it is installed under a number.

    Raises:
        Refused: With 401 (token, key, scope), or 404 for another tool's number.
    """
    tool = find_tool(require_scope(bearer(), NOTICES))
    schools = db().execute("SELECT * FROM schools ORDER BY id").fetchall()
    deployments = [deployment_in(tool, school) for school in schools] if tool else []
    found = next((one for one in deployments if one and tool_id(one) == number), None)
    if tool is None or found is None:
        refuse_lti(404, "The specified resource does not exist.")
    return tool, found


def _is_of(handler: str, tool: Tool) -> bool:
    parts, own = urlsplit(handler), urlsplit(tool.target_link_uri)
    return parts.scheme in {"https", own.scheme} and parts.hostname == own.hostname


def _handlers(client_id: str, deployment: str) -> dict[str, str]:
    sql = "SELECT notice_type, handler FROM notice_handlers WHERE client_id = ? AND deployment = ?"
    return dict(db().execute(sql, (client_id, deployment)).fetchall())


def _send(
    handler: str, client_id: str, deployment: str, *, kind: str, about: dict[str, Any]
) -> None:
    issued_at = now()
    claims = {
        "iss": config()["issuer"],
        "aud": client_id,
        "azp": client_id,
        "iat": issued_at,
        "exp": issued_at + NOTICE_SECONDS,
        "nonce": str(uuid.uuid4()),
        f"{CLAIM}/version": "1.3.0",
        f"{CLAIM}/deployment_id": deployment,
        f"{CLAIM}/notice": {"id": str(uuid.uuid4()), "timestamp": iso(issued_at), "type": kind},
        **about,
    }
    post_soon(handler, json={"notices": [{"jwt": world().key.sign(claims)}]})
