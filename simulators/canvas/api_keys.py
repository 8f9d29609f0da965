"""API developer keys: what a program needs to ask for access in somebody's name.

A kind of its own beside the keys of LTI tools (``simulators.canvas.tools``). Keys are made, and
changed, through ``/_control/api_keys`` or on the page ``/developer_keys``.

Source: canvas.md 1.6.
"""

import re
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.canvas.wire import answer, refuse
from simulators.canvas.world import db
from simulators.state import config_of, open_state

blueprint = Blueprint("api_keys", __name__)

FIRST_CLIENT_ID = 10000000000500
_SCOPE = re.compile(r"url:(GET|POST|PUT|DELETE)\|/api/\S+")
_TABLES = """
CREATE TABLE IF NOT EXISTS api_keys (
    client_id TEXT PRIMARY KEY, name TEXT NOT NULL, secret TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,           -- one a line
    scopes TEXT NOT NULL,                  -- separated by spaces; empty: the key is not scoped
    allow_includes INTEGER NOT NULL DEFAULT 0, is_on INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consents (      -- codes, until they are traded
    code TEXT PRIMARY KEY, client_id TEXT NOT NULL, person_id INTEGER NOT NULL,
    redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS user_grants (   -- one access token each, as Canvas keeps them
    refresh_token TEXT PRIMARY KEY, access_token TEXT NOT NULL DEFAULT '',
    client_id TEXT NOT NULL, person_id INTEGER NOT NULL, scopes TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A developer key; one without scopes may ask for everything that its user may do."""

    client_id: str
    name: str
    secret: str
    redirect_uris: Sequence[str]
    scopes: Sequence[str]
    allow_includes: bool = False
    is_on: bool = True


def prepare(path: Path) -> None:
    """Make room in a state file, with the seeded refresh token where the settings name one."""
    with closing(open_state(path)) as connection, connection:
        connection.executescript(_TABLES)
        config = config_of(connection)
        if "refresh_token" in config:
            _seed(connection, config)


def find_key(client_id: str) -> ApiKey | None:
    """A key by its number, the switched off ones too."""
    row = db().execute("SELECT * FROM api_keys WHERE client_id = ?", (client_id,)).fetchone()
    return None if row is None else _key(row)


def revoke(condition: str, *values: object) -> int:
    """Take back grants, and have their access tokens called revoked.

    Args:
        condition: SQL, of our own words, over the columns of ``user_grants``.
        values: Its parameters.
    """
    mine = f"SELECT access_token FROM user_grants WHERE {condition}"  # noqa: S608 - own words
    db().execute(f"UPDATE tokens SET kind = 'revoked' WHERE token IN ({mine})", values)  # noqa: S608
    return db().execute(f"DELETE FROM user_grants WHERE {condition}", values).rowcount  # noqa: S608


@blueprint.post("/_control/api_keys")
def control_key() -> Response:
    """Make a key, or change what is named of one that is there."""
    sent: Any = request.get_json(silent=True)
    if not isinstance(sent, dict):
        refuse(400, {"error": "send a JSON object"})
    key = _saved(sent)
    return answer({"client_id": key.client_id, "client_secret": key.secret})


@blueprint.post("/_control/revoke")
def control_revoke() -> Response:
    """Take back what somebody authorised, all of it or of one key."""
    sent: Any = request.get_json(silent=True) or {}
    key = str(sent.get("client_id", ""))
    return answer({"revoked": revoke("client_id = ?", key) if key else revoke("1")})


@blueprint.get("/developer_keys")
def developer_keys() -> str:
    """The account's API keys, with their secrets, and a form for one more."""
    rows = db().execute("SELECT * FROM api_keys ORDER BY client_id").fetchall()
    return render_template("canvas_developer_keys.html", keys=[_key(row) for row in rows])


@blueprint.post("/developer_keys")
def make_developer_key() -> AnyResponse:
    """Make a key of the form."""
    form = request.form
    scopes = form.get("scopes", "").split()
    _saved(
        {
            "name": form.get("name", ""),
            "redirect_uris": form.get("redirect_uris", "").split(),
            "scopes": scopes,
            "allow_includes": "allow_includes" in form,
        }
    )
    return redirect("/developer_keys", code=303)


def _saved(sent: dict[str, Any]) -> ApiKey:
    known = find_key(str(sent.get("client_id", "")))
    wrong = [scope for scope in sent.get("scopes", ()) if not _SCOPE.fullmatch(str(scope))]
    if wrong:
        refuse(400, {"errors": {"scopes": [{"message": f"invalid scope: {wrong[0]}"}]}})
    was = known or ApiKey(
        client_id=str(sent.get("client_id") or _next_number()),
        name="Waymark",
        secret=secrets.token_hex(16),
        redirect_uris=(),
        scopes=(),
    )
    key = ApiKey(
        client_id=was.client_id,
        name=str(sent.get("name") or was.name),
        secret=str(sent.get("secret", was.secret)),
        redirect_uris=tuple(sent.get("redirect_uris", was.redirect_uris)),
        scopes=tuple(sent.get("scopes", was.scopes)),
        allow_includes=bool(sent.get("allow_includes", was.allow_includes)),
        is_on=bool(sent.get("is_on", was.is_on)),
    )
    _store(db(), key)
    if known is not None and not set(known.scopes) <= set(key.scopes):
        # Removing a scope from a key kills its tokens.
        revoke("client_id = ?", key.client_id)
    return key


def _next_number() -> int:
    newest = db().execute("SELECT MAX(CAST(client_id AS INTEGER)) FROM api_keys").fetchone()[0]
    return max(FIRST_CLIENT_ID, newest or 0) + 1


def _store(connection: sqlite3.Connection, key: ApiKey) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            key.client_id,
            key.name,
            key.secret,
            "\n".join(key.redirect_uris),
            " ".join(key.scopes),
            key.allow_includes,
            key.is_on,
        ),
    )


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        client_id=row["client_id"],
        name=row["name"],
        secret=row["secret"],
        redirect_uris=row["redirect_uris"].split("\n") if row["redirect_uris"] else (),
        scopes=row["scopes"].split(),
        allow_includes=bool(row["allow_includes"]),
        is_on=bool(row["is_on"]),
    )


def _seed(connection: sqlite3.Connection, config: dict[str, str]) -> None:
    """The key and the refresh token of the settings, of the first administrator."""
    key = ApiKey(
        client_id=config["client_id"],
        name="Seeded",
        secret=config.get("client_secret", ""),
        redirect_uris=(),
        scopes=(),
    )
    _store(connection, key)
    connection.execute(
        "INSERT OR IGNORE INTO user_grants (refresh_token, client_id, person_id, scopes) "
        "VALUES (?, ?, (SELECT id FROM people WHERE role = 'administrator'), '')",
        (config["refresh_token"], key.client_id),
    )
