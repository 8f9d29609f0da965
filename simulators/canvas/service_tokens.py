"""Service tokens of LTI tools, for signed assertions; those of people are ``user_tokens``.

Source: canvas.md 1.6 and 5.11.
"""

import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import jwt
from flask import Blueprint, Response, request

from simulators.canvas.tools import Tool, find_tool, seeded_tool
from simulators.canvas.wire import answer, refuse, refuse_lti
from simulators.canvas.world import config, now, world
from simulators.signing import AssertionRefused, PlatformKey, fetch_jwks, verify_assertion

blueprint = Blueprint("service_tokens", __name__)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_SECONDS = 3600
OLDEST_ASSERTION_SECONDS = 300
FUTURE_ASSERTION_SECONDS = 30
REQUIRED_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "jti")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceToken:
    """What a bearer token for the LTI services says; empty where it cannot be trusted."""

    client_id: str = ""
    scopes: frozenset[str] = frozenset()
    issued_at: float = 0.0


@blueprint.get("/api/lti/security/jwks")
def jwks() -> Response:
    """The keys with which Canvas signs."""
    headers = {"Cache-Control": "max-age=864000, public"}
    return answer(world().key.jwks(), headers=headers)


def client_of(bearer_token: str) -> ServiceToken:
    """Read a service token that this platform has signed, at most an hour ago."""
    found = _verified(world().key, bearer_token)
    return found if found.issued_at >= now() - TOKEN_SECONDS else ServiceToken()


@lru_cache(maxsize=256)
def _verified(key: PlatformKey, bearer_token: str) -> ServiceToken:
    """Every request shows its token several times over; its signature is checked once."""
    claims = key.claims_of(bearer_token)
    if not claims or not claims.get("scopes"):
        return ServiceToken()
    return ServiceToken(
        client_id=str(claims["sub"]),
        scopes=frozenset(str(claims["scopes"]).split()),
        issued_at=float(claims["issued_at"]),
    )


def require_scope(bearer_token: str, *allowed: str) -> str:
    """The first gates of every LTI service, in Canvas's order.

    Args:
        bearer_token: As it came.
        allowed: Any one of these scopes will do.

    Returns:
        The client id.

    Raises:
        Refused: With 401: token, developer key, scope.
    """
    found = client_of(bearer_token)
    if not found.client_id:
        refuse_lti(401, "Invalid access token")
    if find_tool(found.client_id) is None:
        refuse_lti(401, "Unknown or inactive Developer Key")
    if found.scopes.isdisjoint(allowed):
        refuse_lti(401, "Insufficient permissions")
    return found.client_id


def service_token() -> Response:
    """Give a token for a signed assertion: the grant client_credentials."""
    tool = _named_tool()
    claims = _trusted_claims(tool)
    wrong = _wrong_claims(claims, tool)
    if wrong:
        _refuse_request(" | ".join(wrong))
    asked = request.form.get("scope", "").split()
    if not asked or not set(asked) <= set(tool.scopes):
        words = "A requested scope is unknown or not granted to this developer key."
        refuse(400, {"error": "invalid_scope", "error_description": words})
    scopes = " ".join(asked)
    signed = world().key.sign(_token_claims(tool, scopes))
    return answer(
        {
            "access_token": signed,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": scopes,
        }
    )


def _named_tool() -> Tool:
    """Whose key set is to be asked: the tool that an assertion names, proven later."""
    assertion = request.form.get("client_assertion", "")
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        return seeded_tool()
    return find_tool(claims.get("sub")) or seeded_tool()


def _trusted_claims(tool: Tool) -> dict[str, Any]:
    if request.form.get("client_assertion_type") != ASSERTION_TYPE:
        _refuse_request("invalid client_assertion_type")
    try:
        keys = fetch_jwks(tool.jwks_url)
        return verify_assertion(request.form.get("client_assertion", ""), keys)
    except AssertionRefused as error:
        _refuse_request(str(error))


def _wrong_claims(claims: dict[str, Any], tool: Tool) -> list[str]:
    missing = [name for name in REQUIRED_CLAIMS if name not in claims]
    if missing:
        return [f"the following assertions are missing: {','.join(missing)}"]
    wrong = []
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if token_urls().isdisjoint(audience):
        wrong.append("the 'aud' is invalid")
    if claims["exp"] <= now():
        wrong.append("the JWT has expired")
    if claims["iat"] < now() - OLDEST_ASSERTION_SECONDS:
        wrong.append("the 'iat' must be less than 300 seconds old")
    if claims["iat"] > now() + FUTURE_ASSERTION_SECONDS:
        wrong.append("the 'iat' must not be in the future")
    if claims["sub"] != tool.client_id:
        wrong.append("the 'sub' is no known developer key")
    return wrong


def _refuse_request(words: str) -> NoReturn:
    refuse(400, {"error": "invalid_request", "error_description": words})


def token_urls() -> set[str]:
    """The addresses of the token endpoint that an assertion may be meant for."""
    return {request.base_url, f"{config()['base_url']}/login/oauth2/token"}


def _token_claims(tool: Tool, scopes: str) -> dict[str, object]:
    issued_at = now()
    return {
        "iss": config()["issuer"],
        "sub": tool.client_id,
        "aud": sorted(token_urls()),
        "iat": issued_at,
        "exp": issued_at + TOKEN_SECONDS,
        "jti": secrets.token_urlsafe(16),
        "scopes": scopes,
        "issued_at": world().clock(),
    }
