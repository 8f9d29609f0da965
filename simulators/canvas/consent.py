"""Where a person lets a program act in their name: the page, and the way back with a code.

Nobody is sent to an address that the key does not name: what is wrong with the key or the address
is told on a page of Canvas's own, everything else goes back to the program.

Source: canvas.md 1.6; RFC 6749, 4.1.
"""

import secrets
import sqlite3
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.canvas.api_keys import ApiKey, find_key
from simulators.canvas.wire import Refused
from simulators.canvas.world import db, full_name, world

blueprint = Blueprint("consent", __name__)

CODE_SECONDS = 600


@blueprint.get("/login/oauth2/auth")
def ask() -> AnyResponse | str:
    """The page that asks, or the way back with an error."""
    key, asked = _known_request(request.args)
    wrong = _wrong(key, asked)
    if wrong:
        return _back(asked, {"error": wrong})
    people = db().execute(
        "SELECT * FROM people WHERE role IN ('administrator', 'teacher') ORDER BY role, id LIMIT 20"
    )
    return render_template(
        "canvas_consent.html", key=key, asked=asked, people=people.fetchall(), full_name=full_name
    )


@blueprint.post("/login/oauth2/accept")
def accept() -> AnyResponse:
    """Send the person back with a code, in whose name it was said."""
    key, asked = _known_request(request.form)
    wrong = _wrong(key, asked)
    if wrong:
        return _back(asked, {"error": wrong})
    code = secrets.token_hex(32)
    db().execute(
        "INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?)",
        (
            code,
            key.client_id,
            _person()["id"],
            asked["redirect_uri"],
            asked["scope"],
            world().clock() + CODE_SECONDS,
        ),
    )
    return _back(asked, {"code": code})


@blueprint.post("/login/oauth2/deny")
def deny() -> AnyResponse:
    """Send the person back with a no."""
    _, asked = _known_request(request.form)
    return _back(asked, {"error": "access_denied"})


def _known_request(sent: Mapping[str, str]) -> tuple[ApiKey, dict[str, str]]:
    """The key and what is asked for it.

    Raises:
        Refused: The key is not known, or the address is not the key's: the person stays here.
    """
    names = ("client_id", "response_type", "redirect_uri", "state", "scope")
    asked = {name: sent.get(name, "") for name in names}
    key = find_key(asked["client_id"])
    if key is None:
        _stay("invalid_client", "unknown client")
    if asked["redirect_uri"] not in key.redirect_uris:
        _stay("invalid_request", "redirect_uri does not match client settings")
    return key, asked


def _wrong(key: ApiKey, asked: Mapping[str, str]) -> str:
    scopes = asked["scope"].split()
    if not key.is_on:
        return "unauthorized_client"
    if asked["response_type"] != "code":
        return "unsupported_response_type"
    if key.scopes and (not scopes or not set(scopes) <= set(key.scopes)):
        return "invalid_scope"
    return ""


def _person() -> sqlite3.Row:
    number = request.form.get("user", "")
    sql = "SELECT * FROM people WHERE id = ?"
    row: sqlite3.Row | None = db().execute(sql, (number,)).fetchone()
    if row is None:
        _stay("invalid_request", "choose who is logged in")
    return row


def _back(asked: Mapping[str, str], said: dict[str, str]) -> AnyResponse:
    state = {"state": asked["state"]} if asked["state"] else {}
    url = asked["redirect_uri"]
    return redirect(f"{url}{'&' if '?' in url else '?'}{urlencode(said | state)}", code=302)


def _stay(error: str, description: str) -> NoReturn:
    page = render_template("canvas_error.html", error=error, description=description)
    raise Refused(make_response(page, 400))
