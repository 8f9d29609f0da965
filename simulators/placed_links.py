"""Links that deep linking placed in courses, kept in a state file for both simulators.

What each LMS asks for, checks and makes of an answer does not belong here.
"""

import json
import sqlite3
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.state import open_state

DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim"
REQUEST = "LtiDeepLinkingRequest"
RESPONSE = "LtiDeepLinkingResponse"
_TABLE = """
CREATE TABLE IF NOT EXISTS placed_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT, course_id INTEGER NOT NULL, guid TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL,
    custom TEXT NOT NULL,                  -- JSON: parameters that its launches carry
    line_item_id INTEGER,                  -- NULL: no grade column
    created_at INTEGER NOT NULL
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLink:
    """A link as it stands in a course; ``guid`` is the resource link id in Canvas's form."""

    id: int
    course: int
    guid: str
    client_id: str
    title: str
    url: str
    custom: Mapping[str, str]
    line_item: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link to be saved."""

    course: int
    client_id: str
    title: str
    url: str
    custom: Mapping[str, str]


def prepare(path: Path) -> None:
    """Make room for links in a state file."""
    with closing(open_state(path)) as connection, connection:
        connection.execute(_TABLE)


def save_link(connection: sqlite3.Connection, new: NewLink, *, now: int) -> PlacedLink:
    """Place a link."""
    guid = str(uuid.uuid4())
    cursor = connection.execute(
        "INSERT INTO placed_links (course_id, guid, client_id, title, url, custom, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (new.course, guid, new.client_id, new.title, new.url, json.dumps(new.custom), now),
    )
    link = find_link(connection, new.course, int(cursor.lastrowid or 0))
    assert link is not None  # noqa: S101 - it was inserted above
    return link


def set_line_item(connection: sqlite3.Connection, link: PlacedLink, line_item: int) -> None:
    """Say which line item belongs to a link."""
    connection.execute(
        "UPDATE placed_links SET line_item_id = ? WHERE id = ?", (line_item, link.id)
    )


def find_link(connection: sqlite3.Connection, course: int, link: int) -> PlacedLink | None:
    """A link of a course."""
    sql = "SELECT * FROM placed_links WHERE course_id = ? AND id = ?"
    row = connection.execute(sql, (course, link)).fetchone()
    return None if row is None else _link(row)


def links_of(connection: sqlite3.Connection, course: int) -> list[PlacedLink]:
    """The links of a course, the oldest first."""
    sql = "SELECT * FROM placed_links WHERE course_id = ? ORDER BY id"
    return [_link(row) for row in connection.execute(sql, (course,))]


def resource_links(claims: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The content items of an answer that are links into the tool."""
    items = claims.get(f"{DEEP_LINKING}/content_items")
    return [
        item
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict) and item.get("type") == "ltiResourceLink"
    ]


def custom_of(item: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a content item, as texts."""
    custom = item.get("custom")
    found = custom if isinstance(custom, dict) else {}
    return {str(name): str(value) for name, value in found.items()}


def line_item_of(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The line item of a content item, where it has one."""
    found = item.get("lineItem")
    return found if isinstance(found, dict) else None


def _link(row: sqlite3.Row) -> PlacedLink:
    return PlacedLink(
        id=row["id"],
        course=row["course_id"],
        guid=row["guid"],
        client_id=row["client_id"],
        title=row["title"],
        url=row["url"],
        custom=json.loads(row["custom"]),
        line_item=row["line_item_id"],
    )
