"""Access tokens of people: for the code of a consent, for a refresh token, and their end.

A grant has one access token: with each refresh the one before is worth nothing any more, so that
programs that refresh side by side take their tokens from one another.

Source: canvas.md 1.6.
"""

import secrets
import sqlite3
from typing import NoReturn

from flask import Blueprint, Response, request

from simulators.canvas.api_keys import ApiKey, find_key, revoke
from simulators.canvas.gate import bearer
from simulators.canvas.service_tokens import TOKEN_SECONDS, service_token
from simulators.canvas.wire import BEARER_CHALLENGE, answer, refuse
from simulators.canvas.world import db, full_name, world

blueprint = Blueprint("user_tokens", __name__)


@blueprint.post("/login/oauth2/token")
def token() -> Response:
    """Give a token for a signed assertion, a code or a refresh token."""
    grant = request.form.get("grant_type", "")
    if grant == "client_credentials":
        return service_token()
    if grant not in {"authorization_code", "refresh_token"}:
        words = "The grant_type is unknown."
        refuse(400, {"error": "unsupported_grant_type", "error_description": words})
    key = _trusted_key()
    return _first_token(key) if grant == "authorization_code" else _refreshed(key)


@blueprint.delete("/login/oauth2/token")
def end() -> Response:
    """End the access that the token belongs to, its refresh token too."""
    if not bearer() or not revoke("access_token = ?", bearer()):
        refuse(401, {"errors": [{"message": "Invalid access token."}]}, headers=BEARER_CHALLENGE)
    return answer({})


def _trusted_key() -> ApiKey:
    key = find_key(request.form.get("client_id", ""))
    if key is None or (key.secret and request.form.get("client_secret") != key.secret):
        refuse(401, {"error": "invalid_client", "error_description": "unknown client"})
    if not key.is_on:
        words = "client not authorized for account"
        refuse(401, {"error": "unauthorized_client", "error_description": words})
    return key


def _first_token(key: ApiKey) -> Response:
    sql = "SELECT * FROM consents WHERE code = ?"
    consent = db().execute(sql, (request.form.get("code", ""),)).fetchone()
    if consent is None or consent["expires_at"] <= world().clock():
        _refuse_grant("authorization_code not found")
    if consent["client_id"] != key.client_id:
        _refuse_grant("incorrect client")
    if request.form.get("redirect_uri", "") != consent["redirect_uri"]:
        _refuse_grant("incorrect redirect_uri")
    db().execute("DELETE FROM consents WHERE code = ?", (consent["code"],))
    fresh = secrets.token_urlsafe(48)
    grant = db().execute(
        "INSERT INTO user_grants (refresh_token, client_id, person_id, scopes) "
        "VALUES (?, ?, ?, ?) RETURNING *",
        (fresh, key.client_id, consent["person_id"], consent["scopes"]),
    )
    return answer({**_with_new_token(grant.fetchone()), "refresh_token": fresh})


def _refreshed(key: ApiKey) -> Response:
    """A new access token; the refresh token stays the old one and is not sent again."""
    grant = _grant(request.form.get("refresh_token", ""))
    if grant is None:
        words = "refresh_token not found"
        refuse(400, {"error": "invalid_request", "error_description": words})
    if grant["client_id"] != key.client_id:
        _refuse_grant("incorrect client")
    return answer(_with_new_token(grant))


def _grant(refresh_token: str) -> sqlite3.Row | None:
    sql = "SELECT * FROM user_grants WHERE refresh_token = ?"
    found: sqlite3.Row | None = db().execute(sql, (refresh_token,)).fetchone()
    return found


def _with_new_token(grant: sqlite3.Row) -> dict[str, object]:
    fresh = secrets.token_urlsafe(32)
    db().execute("DELETE FROM tokens WHERE token = ?", (grant["access_token"],))
    db().execute(
        "INSERT INTO tokens (token, kind, scopes, person_id, client_id, expires_at) "
        "VALUES (?, 'rest', ?, ?, ?, ?)",
        (
            fresh,
            grant["scopes"],
            grant["person_id"],
            grant["client_id"],
            world().clock() + TOKEN_SECONDS,
        ),
    )
    db().execute(
        "UPDATE user_grants SET access_token = ? WHERE refresh_token = ?",
        (fresh, grant["refresh_token"]),
    )
    person = db().execute("SELECT * FROM people WHERE id = ?", (grant["person_id"],)).fetchone()
    return {
        "access_token": fresh,
        "token_type": "Bearer",
        "user": {"id": person["id"], "name": full_name(person)},
        "expires_in": TOKEN_SECONDS,
    }


def _refuse_grant(words: str) -> NoReturn:
    refuse(400, {"error": "invalid_grant", "error_description": words})
