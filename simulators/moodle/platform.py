"""The site as an LTI 1.3 platform: launches, keys and service tokens.

A real Moodle ties a launch to the browser's Moodle session as well; here the single-use launch
id in ``lti_message_hint`` stands for it, since nobody logs in.

Source: moodle.md, sections 3.1, 3.3 and 3.4; 1EdTech Security Framework 1.0, section 5.1.
"""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import jwt
from flask import Blueprint, Response, abort, render_template, request

from simulators.moodle.claims import LaunchFacts, changed, claims_of
from simulators.moodle.site import RELEASE, Site, platform_key, site
from simulators.moodle.tools import ACTIVE, SCOPES, Tool, all_tools, find_tool
from simulators.signing import AssertionRefused, fetch_jwks, verify_assertion

blueprint = Blueprint("platform", __name__)

TOKEN_SECONDS = 3600
LINK_CMID_BASE = 90000
"""The tool's activity in a course has this course module id plus the course's."""

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenRefused(Exception):  # noqa: N818 - named for the answer it becomes
    """A token request is refused; the message is put into the answer as it is."""


@blueprint.get("/mod/lti/launch.php")
def launch() -> str:
    """Start a launch: a form that posts itself to the tool's login address.

    The query names the course and the person, whom a real Moodle takes from its session, and
    the type of another tool than the first.
    """
    here = site()
    here = here.for_tool(launchable(here, request.args.get("type", here.type_id)))
    course = request.args.get("course", 0, type=int)
    user = request.args.get("user", 0, type=int)
    if here.row("SELECT 1 FROM courses WHERE id = ?", course) is None:
        abort(404)
    role = role_of(here, course, user)
    cmid = LINK_CMID_BASE + course
    hint = f"ltilaunch{cmid}_{secrets.randbelow(2**31)}"
    here.write(
        "INSERT INTO launches (hint, user_id, course_id, role, created_at, extra) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        *(hint, user, course, role, here.now, json.dumps({"type": here.type_id})),
    )
    fields = {
        "iss": here.url,
        "target_link_uri": here.tool.target,
        "login_hint": str(user),
        "lti_message_hint": json.dumps({"cmid": cmid, "launchid": hint}, separators=(",", ":")),
        "client_id": here.client_id,
        "lti_deployment_id": here.type_id,
    }
    return _posting(here.tool.login_url, fields)


def launchable(here: Site, type_id: object) -> Tool:
    """A tool of the site that may be launched: a pending one is in no activity chooser.

    The page is not found for any other.
    """
    tools = all_tools(here.connection, here.config)
    found = [tool for tool in tools if tool.type_id == type_id and tool.state == ACTIVE]
    if not found:
        abort(404)
    return found[0]


def role_of(here: Site, course: int, user: int) -> str:
    """What a person is in a course: an enrolment's role, administrator, or a child's guardian.

    A person who is none of these is no one there: the page is not found.
    """
    place = here.row(
        "SELECT role FROM enrolments WHERE course_id = ? AND person_id = ? AND state = 'active'",
        *(course, user),
    )
    if place is not None:
        return str(place["role"])
    person = here.row("SELECT role FROM people WHERE id = ?", user)
    if person is not None and person["role"] == "administrator":
        return "administrator"
    child = here.row(
        "SELECT 1 FROM guardians g JOIN enrolments e ON e.person_id = g.child_id "
        "WHERE g.guardian_id = ? AND e.course_id = ? AND e.state = 'active'",
        *(user, course),
    )
    if child is None:
        abort(404)
    return "guardian"


@blueprint.route("/mod/lti/auth.php", methods=["GET", "POST"])
def auth() -> Response | str:
    """The OIDC authentication request: an error page, a posted error, or an id_token."""
    here = site()
    sent = request.values
    here, found = _launch_asked_for(here, sent)
    refusal = _refusal(here, sent, found)
    answer = {"state": sent.get("state", "")}
    if refusal:
        return _posting(sent["redirect_uri"], answer | refusal)
    here.write(
        "UPDATE launches SET used_at = ?, nonce = ? WHERE hint = ?",
        *(here.now, sent["nonce"], found["hint"]),
    )
    return _posting(
        sent["redirect_uri"], answer | {"id_token": _id_token(here, found, sent["nonce"])}
    )


def _launch_asked_for(here: Site, sent: Mapping[str, str]) -> tuple[Site, sqlite3.Row]:
    """The launch of the hint; whatever is wrong here ends on a Moodle error page."""
    found = here.row("SELECT * FROM launches WHERE hint = ?", _launch_id(sent))
    if found is None or found["used_at"] is not None:
        abort(404)
    here = here.for_tool(launchable(here, json.loads(found["extra"]).get("type", here.type_id)))
    is_sound = (
        sent.get("scope") == "openid"
        and sent.get("response_type") == "id_token"
        and sent.get("nonce")
        and sent.get("redirect_uri") in here.tool.redirect_uris
    )
    if not is_sound:
        abort(404)
    return here, found


def _launch_id(sent: Mapping[str, str]) -> str:
    try:
        hint = json.loads(sent.get("lti_message_hint", ""))
    except ValueError:
        return ""
    return str(hint.get("launchid", "")) if isinstance(hint, dict) else ""


def _refusal(here: Site, sent: Mapping[str, str], found: sqlite3.Row) -> dict[str, str]:
    """What is told to the tool instead of an id_token; empty where all is well."""
    if sent.get("client_id") != here.client_id:
        return {"error": "unauthorized_client"}
    if sent.get("response_mode") != "form_post":
        return {"error": "invalid_request", "error_description": "Invalid response_mode"}
    if sent.get("prompt", "none") != "none":
        return {"error": "invalid_request", "error_description": "Invalid prompt"}
    if sent.get("login_hint") != str(found["user_id"]):
        return {"error": "access_denied"}
    return {}


def _id_token(here: Site, found: sqlite3.Row, nonce: str) -> str:
    course = here.row("SELECT * FROM courses WHERE id = ?", found["course_id"])
    person = here.row("SELECT * FROM people WHERE id = ?", found["user_id"])
    if course is None or person is None:
        abort(404)
    facts = LaunchFacts(course=course, person=person, role=found["role"], nonce=nonce)
    changes = json.loads(found["extra"]).get("claims", {})
    return platform_key().sign(changed(claims_of(here, facts), changes))


def _posting(action: str, fields: Mapping[str, str]) -> str:
    return render_template("moodle_post.html", action=action, fields=fields)


@blueprint.get("/mod/lti/certs.php")
def certs() -> dict[str, Any]:
    """The site's public key."""
    return platform_key().jwks()


@blueprint.get("/mod/lti/openid-configuration.php")
def openid_configuration() -> dict[str, Any]:
    """What dynamic registration reads."""
    url = site().url
    return {
        "issuer": url,
        "token_endpoint": f"{url}/mod/lti/token.php",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": f"{url}/mod/lti/certs.php",
        "authorization_endpoint": f"{url}/mod/lti/auth.php",
        "registration_endpoint": f"{url}/mod/lti/openid-registration.php",
        "scopes_supported": [*SCOPES, "openid"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        "https://purl.imsglobal.org/spec/lti-platform-configuration": {
            "product_family_code": "moodle",
            "version": RELEASE,
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
            ],
            "variables": [],
        },
    }


@blueprint.post("/mod/lti/token.php")
def token() -> Response:
    """Give a service token for a signed assertion; all answers are text/html."""
    here = site()
    # Moodle reads the form whatever its Content-Type says.
    sent = request.form.to_dict() or dict(parse_qsl(request.get_data(as_text=True)))
    try:
        here, granted = _granted(here, sent)
    except TokenRefused as error:
        body = f'{{ "error" : "{error}" }}'
        return Response(body, status=400, content_type="text/html; charset=utf-8")
    access_token = secrets.token_hex(16)
    here.write(
        "INSERT INTO tokens (token, kind, scopes, client_id, expires_at) "
        "VALUES (?, 'lti', ?, ?, ?)",
        *(access_token, granted, here.client_id, here.now + TOKEN_SECONDS),
    )
    payload = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": granted,
    }
    return Response(json.dumps(payload), content_type="text/html; charset=utf-8")


def _granted(here: Site, sent: Mapping[str, str]) -> tuple[Site, str]:
    """The scopes that a tool is granted; others that it asked for are dropped without a word."""
    if sent.get("grant_type") != "client_credentials":
        raise TokenRefused("unsupported_grant_type")
    if sent.get("client_assertion_type") != _ASSERTION_TYPE:
        raise TokenRefused("invalid_request")
    claims = _claims_unverified(sent.get("client_assertion", ""))
    tool = find_tool(here.connection, here.config, claims.get("sub"))
    if tool is None:
        raise TokenRefused("invalid_client")
    here = here.for_tool(tool)
    _verify(here, sent["client_assertion"])
    _check_times(here, claims)
    asked = sent.get("scope", "").split()
    granted = " ".join(scope for scope in tool.scopes if scope in asked)
    if not granted:
        raise TokenRefused("invalid_scope")
    return here, granted


def _claims_unverified(assertion: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise TokenRefused("invalid_request") from error
    return claims


def _verify(here: Site, assertion: str) -> None:
    """Check the signature with the cached key set, and with a fresh one where that fails."""
    cached = here.row("SELECT value FROM cache WHERE key = ?", here.tool.jwks_url)
    if cached is not None:
        try:
            verify_assertion(assertion, json.loads(cached["value"]))
        except AssertionRefused:
            pass
        else:
            return
    keys = _fetched(here)
    try:
        verify_assertion(assertion, keys)
    except AssertionRefused as error:
        # The answer is no valid JSON, as the real one is not.
        raise TokenRefused('"kid" invalid, unable to lookup correct key"') from error


def _fetched(here: Site) -> dict[str, Any]:
    try:
        keys = fetch_jwks(here.tool.jwks_url)
    except AssertionRefused:
        abort(404)
    here.write(
        "INSERT OR REPLACE INTO cache VALUES (?, ?, ?)",
        *(here.tool.jwks_url, json.dumps(keys), here.now),
    )
    return keys


def _check_times(here: Site, claims: Mapping[str, Any]) -> None:
    """No leeway: an ``iat`` one second ahead of the site's clock is refused."""
    for name in ("nbf", "iat"):
        if name in claims and claims[name] > here.now:
            raise TokenRefused(f"Cannot handle token with {name} prior to {claims[name]}")
    if "exp" in claims and claims["exp"] <= here.now:
        raise TokenRefused("Expired token")
