"""The tools of the account: the one it was filled with, and those that registered themselves.

A tool is a developer key; ``simulators.canvas.registering`` makes new ones.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.canvas.world import config, db
from simulators.state import open_state

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"
LINE_ITEM = f"{AGS}/lineitem"
LINE_ITEM_READ = f"{AGS}/lineitem.readonly"
SCORE = f"{AGS}/score"
RESULT = f"{AGS}/result.readonly"
MEMBERSHIP = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
NOTICES = "https://purl.imsglobal.org/spec/lti/scope/noticehandlers"
KEY_SCOPES = (LINE_ITEM, LINE_ITEM_READ, SCORE, RESULT, MEMBERSHIP, NOTICES)
RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINKING = "LtiDeepLinkingRequest"
_SEEDED_CUSTOM = {
    "canvas_course_id": "$Canvas.course.id",
    "canvas_user_id": "$Canvas.user.id",
    "canvas_account_id": "$Canvas.account.id",
    "canvas_api_base": "$Canvas.api.baseUrl",
    "sis_user_id": "$Canvas.user.sisSourceId",
    "sis_course_id": "$Canvas.course.sisSourceId",
    "unknown": "$Canvas.foo",
}
_SEEDED_PLACEMENTS = {
    "course_navigation": RESOURCE_LINK,
    "account_navigation": RESOURCE_LINK,
    "assignment_selection": DEEP_LINKING,
    "link_selection": DEEP_LINKING,
}
_TABLE = """
CREATE TABLE IF NOT EXISTS developer_keys (
    client_id TEXT PRIMARY KEY, school_id INTEGER NOT NULL, deployment TEXT NOT NULL UNIQUE,
    is_on INTEGER NOT NULL DEFAULT 0,
    tool TEXT NOT NULL                     -- JSON: name, addresses, scopes, placements and so on
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool as the account knows it.

    ``placements`` says which message each placement sends; ``school`` is None for the tool that
    is installed everywhere, under each school's own deployment.
    """

    client_id: str
    name: str
    login_url: str
    redirect_uris: Sequence[str]
    jwks_url: str
    target_link_uri: str
    scopes: Sequence[str]
    custom: Mapping[str, str]
    placements: Mapping[str, str]
    privacy_level: str = "public"
    school: int | None = None
    deployment: str = ""
    is_on: bool = True


def prepare(path: Path) -> None:
    """Make room for registered tools in a state file."""
    with closing(open_state(path)) as connection, connection:
        connection.execute(_TABLE)


def seeded_tool() -> Tool:
    """The tool that the state file was filled with."""
    settings = config()
    url = settings["tool_url"]
    return Tool(
        client_id=settings["client_id"],
        name="Waymark",
        login_url=f"{url}/lti/login",
        redirect_uris=(f"{url}/lti/launch",),
        jwks_url=f"{url}/lti/jwks",
        target_link_uri=f"{url}/lti/launch",
        scopes=KEY_SCOPES,
        custom=_SEEDED_CUSTOM,
        placements=_SEEDED_PLACEMENTS,
    )


def find_tool(client_id: object) -> Tool | None:
    """A tool that is switched on, by its developer key's number."""
    if client_id == config()["client_id"]:
        return seeded_tool()
    sql = "SELECT * FROM developer_keys WHERE client_id = ? AND is_on"
    row = db().execute(sql, (str(client_id),)).fetchone()
    return None if row is None else _tool(row)


def registered_tools(school_id: int) -> list[Tool]:
    """The tools that were registered in an account, the switched off ones too."""
    sql = "SELECT * FROM developer_keys WHERE school_id = ? ORDER BY client_id"
    return [_tool(row) for row in db().execute(sql, (school_id,))]


def tools_at(school_id: int, placement: str) -> list[Tool]:
    """The tools that somebody finds at a placement of a school, the first one first."""
    found = [seeded_tool(), *(tool for tool in registered_tools(school_id) if tool.is_on)]
    return [tool for tool in found if placement in tool.placements]


def deployment_in(tool: Tool, school: sqlite3.Row) -> str:
    """The tool's deployment id in a school, empty where it is not installed."""
    if tool.school is None:
        return str(school["deployment"] or "")
    return tool.deployment if tool.school == school["id"] else ""


def save_tool(tool: Tool) -> None:
    """Keep a new tool."""
    described: dict[str, Any] = {
        "name": tool.name,
        "login_url": tool.login_url,
        "redirect_uris": list(tool.redirect_uris),
        "jwks_url": tool.jwks_url,
        "target_link_uri": tool.target_link_uri,
        "scopes": list(tool.scopes),
        "custom": dict(tool.custom),
        "placements": dict(tool.placements),
        "privacy_level": tool.privacy_level,
    }
    db().execute(
        "INSERT INTO developer_keys (client_id, school_id, deployment, is_on, tool) "
        "VALUES (?, ?, ?, ?, ?)",
        (tool.client_id, tool.school, tool.deployment, tool.is_on, json.dumps(described)),
    )


def switch_on(client_id: str, school_id: int) -> bool:
    """Let a registered tool be used; False where the account has no such tool."""
    sql = "UPDATE developer_keys SET is_on = 1 WHERE client_id = ? AND school_id = ?"
    return db().execute(sql, (client_id, school_id)).rowcount == 1


def _tool(row: sqlite3.Row) -> Tool:
    return Tool(
        client_id=row["client_id"],
        school=row["school_id"],
        deployment=row["deployment"],
        is_on=bool(row["is_on"]),
        **json.loads(row["tool"]),
    )
