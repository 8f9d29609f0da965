"""Tool types: the tool that the site was filled with, and those that registered themselves.

Source: moodle.md, section 3; ``simulators.moodle.registering`` makes new ones.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from simulators.state import open_state

TYPE_ID = "1"
"""The tool type of the tool that the site was filled with."""
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"
NRPS_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
SCOPES = (
    f"{AGS}/lineitem",
    f"{AGS}/lineitem.readonly",
    f"{AGS}/result.readonly",
    f"{AGS}/score",
    NRPS_SCOPE,
)
PENDING = "pending"
ACTIVE = "active"
_TABLE = """
CREATE TABLE IF NOT EXISTS tool_types (
    id INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,                   -- active, pending
    tool TEXT NOT NULL                     -- JSON: name, addresses, scopes and so on
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool type; ``type_id`` is its row and at once its deployment id.

    ``claims`` are the personal ones that it asked for; None sends all. ``custom`` are its own
    parameters, on top of what every launch carries.
    """

    type_id: str
    client_id: str
    name: str
    login_url: str
    redirect_uris: Sequence[str]
    jwks_url: str
    target: str
    scopes: Sequence[str] = SCOPES
    claims: Sequence[str] | None = None
    custom: Mapping[str, str]
    has_content_selection: bool = True
    state: str = ACTIVE


def prepare(path: Path) -> None:
    """Make room for registered tool types in a state file."""
    with closing(open_state(path)) as connection, connection:
        connection.execute(_TABLE)


def seeded_tool(config: Mapping[str, str]) -> Tool:
    """The tool that the site was filled with."""
    url = config["tool_url"]
    return Tool(
        type_id=TYPE_ID,
        client_id=config["client_id"],
        name="Waymark",
        login_url=f"{url}/lti/login",
        redirect_uris=config.get("redirect_uris", f"{url}/lti/launch").split(),
        jwks_url=f"{url}/lti/jwks",
        target=f"{url}/lti/launch",
        custom={},
    )


def find_tool(
    connection: sqlite3.Connection, config: Mapping[str, str], client_id: object
) -> Tool | None:
    """A tool by its client id, pending ones too: their services work already."""
    if client_id == config["client_id"]:
        return seeded_tool(config)
    sql = "SELECT * FROM tool_types WHERE client_id = ?"
    row = connection.execute(sql, (str(client_id),)).fetchone()
    return None if row is None else _tool(row)


def all_tools(connection: sqlite3.Connection, config: Mapping[str, str]) -> list[Tool]:
    """Every tool type, the first one first."""
    rows = connection.execute("SELECT * FROM tool_types ORDER BY id")
    return [seeded_tool(config), *(_tool(row) for row in rows)]


def next_type_id(connection: sqlite3.Connection) -> str:
    """The row id that the next tool type gets."""
    sql = "SELECT coalesce(max(id), ?) + 1 FROM tool_types"
    return str(connection.execute(sql, (int(TYPE_ID),)).fetchone()[0])


def save_tool(connection: sqlite3.Connection, tool: Tool) -> None:
    """Keep a tool type, or replace what is known of it."""
    described = {
        "name": tool.name,
        "login_url": tool.login_url,
        "redirect_uris": list(tool.redirect_uris),
        "jwks_url": tool.jwks_url,
        "target": tool.target,
        "scopes": list(tool.scopes),
        "claims": None if tool.claims is None else list(tool.claims),
        "custom": dict(tool.custom),
        "has_content_selection": tool.has_content_selection,
    }
    connection.execute(
        "INSERT OR REPLACE INTO tool_types (id, client_id, state, tool) VALUES (?, ?, ?, ?)",
        (int(tool.type_id), tool.client_id, tool.state, json.dumps(described)),
    )


def activate(connection: sqlite3.Connection, type_id: str) -> bool:
    """Let a registered tool be used; False where there is no such type."""
    sql = "UPDATE tool_types SET state = ? WHERE id = ?"
    return connection.execute(sql, (ACTIVE, type_id)).rowcount == 1


def _tool(row: sqlite3.Row) -> Tool:
    return Tool(
        type_id=str(row["id"]),
        client_id=row["client_id"],
        state=row["state"],
        **json.loads(row["tool"]),
    )
