"""LTI 1.3 launches: the login form, the authorisation and the id_token.

The id_token is made and kept when the page with the frame is built, and given out once: the
hint is single-use. The tool's nonce is the only thing added later.

Source: canvas.md 5.2 and 5.3; lti.md 3.
"""

import json
import secrets
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

import jwt
from flask import Blueprint, Response, make_response, render_template, request

from simulators.canvas.members import context_claim
from simulators.canvas.notice_handlers import service_claim
from simulators.canvas.storage import storage_target
from simulators.canvas.tools import (
    AGS,
    MEMBERSHIP,
    Tool,
    deployment_in,
    find_tool,
    seeded_tool,
)
from simulators.canvas.wire import Refused
from simulators.canvas.world import ROOT_ACCOUNT, config, db, full_name, lti_id, now, world
from simulators.signing import ALGORITHM

blueprint = Blueprint("launches", __name__)

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
LIS = "http://purl.imsglobal.org/vocab/lis/v2"
SYSTEM_USER = f"{LIS}/system/person#User"
INSTITUTION_ROLES = {
    "teacher": f"{LIS}/institution/person#Instructor",
    "learner": f"{LIS}/institution/person#Student",
    "guardian": f"{LIS}/institution/person#Observer",
    "administrator": f"{LIS}/institution/person#Administrator",
}
CONTEXT_ROLES = {
    "teacher": f"{LIS}/membership#Instructor",
    "learner": f"{LIS}/membership#Learner",
    "guardian": f"{LIS}/membership#Mentor",
}
EXACT_PARAMETERS = {
    "scope": "openid",
    "response_type": "id_token",
    "response_mode": "form_post",
    "prompt": "none",
}
REQUIRED_PARAMETERS = ("login_hint", "lti_message_hint", "nonce")
LAUNCH_SECONDS = 3600
LOCALES = ("en", "es", "pt-BR", "fr")
HINT_SECONDS = 300
CONSUMED = "The launch has either expired or already been consumed"


def login_form(
    person: sqlite3.Row,
    course: sqlite3.Row | None,
    school: sqlite3.Row,
    *,
    tool: Tool | None = None,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Prepare a launch.

    Args:
        person: Who launches.
        course: From which course; None from the account's navigation.
        school: The account that the tool is installed in.
        tool: Which one; None takes the one that the account was filled with.
        changes: Claims that are other than those of a navigation, those of objects added to
            what is there; None takes a claim away.

    Returns:
        The address and the fields of the form that begins the launch.
    """
    tool = tool or seeded_tool()
    hint = secrets.token_urlsafe(24)
    claims = _changed(_claims(person, course, school, tool=tool), changes or {})
    db().execute(
        "INSERT INTO launches (hint, user_id, course_id, role, created_at, extra) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (hint, person["id"], course["id"] if course else 0, person["role"], now(), _json(claims)),
    )
    fields = {
        "iss": config()["issuer"],
        "login_hint": lti_id(person["guid"]),
        "target_link_uri": claims[f"{CLAIM}/target_link_uri"],
        "client_id": tool.client_id,
        "deployment_id": deployment_in(tool, school),
        "lti_message_hint": _message_hint(hint),
        "canvas_region": "local",
        "canvas_environment": "production",
        "lti_storage_target": storage_target(),
    }
    return {"action": tool.login_url, "fields": fields}


@blueprint.route("/api/lti/authorize_redirect", methods=["GET", "POST"])
def authorize() -> Response:
    """Give out the id_token of a prepared launch, by a form that posts itself."""
    sent = request.values
    redirect_uri = sent.get("redirect_uri", "")
    tool = find_tool(sent.get("client_id")) or seeded_tool()
    if redirect_uri.partition("?")[0] not in tool.redirect_uris:
        _refuse_page("invalid_request", "Invalid redirect_uri")
    problem = _problem(sent)
    if problem:
        error, description = problem
        fields = {"error": error, "error_description": description}
        return _posted(redirect_uri, fields | _echo(sent))
    claims = _taken(sent)
    claims["nonce"] = sent["nonce"]
    issued_at = now()
    claims |= {"iat": issued_at, "exp": issued_at + LAUNCH_SECONDS}
    fields = {
        "utf8": "✓",
        "authenticity_token": secrets.token_urlsafe(16),
        "id_token": world().key.sign(claims),
        "lti_storage_target": storage_target(),
    }
    return _posted(redirect_uri, fields | _echo(sent))


def _problem(sent: Mapping[str, str]) -> tuple[str, str] | None:
    if find_tool(sent.get("client_id")) is None:
        return "unauthorized_client", "Client not authorized in requested context"
    missing = [name for name in (*EXACT_PARAMETERS, *REQUIRED_PARAMETERS) if not sent.get(name)]
    if missing:
        return (
            "invalid_request_object",
            f"The following parameters are missing: {','.join(missing)}",
        )
    wrong = [name for name, value in EXACT_PARAMETERS.items() if sent[name] != value]
    if wrong:
        return "invalid_request_object", f"The following parameters are invalid: {','.join(wrong)}"
    return None


def _taken(sent: Mapping[str, str]) -> dict[str, Any]:
    """The claims of the launch that the hint stands for, which is used up by it."""
    hint = _verifier(sent["lti_message_hint"])
    row = db().execute("SELECT * FROM launches WHERE hint = ?", (hint,)).fetchone()
    if row is None or row["created_at"] < now() - HINT_SECONDS:
        _refuse_page("launch_no_longer_valid", CONSUMED)
    claims: dict[str, Any] = json.loads(row["extra"])
    if sent["client_id"] != claims["aud"]:
        _refuse_page("unauthorized_client", "The launch belongs to another tool")
    if sent["login_hint"] != claims["sub"]:
        _refuse_page("login_required", "The user is not logged in")
    taken = db().execute(
        "UPDATE launches SET used_at = ?, nonce = ? WHERE hint = ? AND used_at IS NULL",
        (now(), sent["nonce"], hint),
    )
    if taken.rowcount != 1:
        _refuse_page("launch_no_longer_valid", CONSUMED)
    world().counters["launches"] += 1
    return claims


def _message_hint(hint: str) -> str:
    return world().key.sign({"verifier": hint, "canvas_domain": config()["base_url"]})


def _verifier(message_hint: str) -> str:
    key = jwt.PyJWK(world().key.jwks()["keys"][0])
    try:
        return str(jwt.decode(message_hint, key, algorithms=[ALGORITHM])["verifier"])
    except (jwt.PyJWTError, KeyError):
        _refuse_page("invalid_request", "Invalid lti_message_hint")


def _echo(sent: Mapping[str, str]) -> dict[str, str]:
    return {"state": sent["state"]} if "state" in sent else {}


def _posted(action: str, fields: Mapping[str, str]) -> Response:
    page = render_template("canvas_autopost.html", action=action, fields=fields, target=None)
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _refuse_page(error: str, description: str) -> NoReturn:
    page = render_template("canvas_error.html", error=error, description=description)
    raise Refused(make_response(page, 400))


def _json(claims: Mapping[str, object]) -> str:
    return json.dumps(claims, ensure_ascii=False)


def _claims(
    person: sqlite3.Row, course: sqlite3.Row | None, school: sqlite3.Row, *, tool: Tool
) -> dict[str, Any]:
    places = _places(person["id"])
    claims: dict[str, Any] = {
        "iss": config()["issuer"],
        "aud": tool.client_id,
        "azp": tool.client_id,
        "sub": lti_id(person["guid"]),
        "locale": _locale(),
        **_personal(person, tool),
        f"{CLAIM}/version": "1.3.0",
        f"{CLAIM}/message_type": "LtiResourceLinkRequest",
        f"{CLAIM}/deployment_id": deployment_in(tool, school),
        f"{CLAIM}/target_link_uri": tool.target_link_uri,
        f"{CLAIM}/tool_platform": _platform(),
        f"{CLAIM}/launch_presentation": _presentation(course),
        f"{CLAIM}/roles": _roles(person, places, course),
        f"{CLAIM}/custom": _expanded(tool.custom, _variables(person, course, school)),
        f"{CLAIM}/lti11_legacy_user_id": person["guid"],
        **service_claim(deployment_in(tool, school), tool),
        "errors": {"errors": {}},
    }
    if course is None:
        return claims | _account_claims(school)
    return claims | _course_claims(course, places, tool)


def _changed(claims: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {
        name: {**claims.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return {name: value for name, value in {**claims, **merged}.items() if value is not None}


def _personal(person: sqlite3.Row, tool: Tool) -> dict[str, Any]:
    """What the tool's privacy level lets it know of somebody."""
    names = {
        "name": full_name(person),
        "given_name": person["given_name"],
        "family_name": person["family_name"],
        f"{CLAIM}/lis": {"person_sourcedid": person["sis_id"]},
    }
    found: dict[str, Any] = names if tool.privacy_level in {"public", "name_only"} else {}
    if tool.privacy_level in {"public", "email_only"}:
        found["email"] = person["email"]
    return found


def _places(person_id: int) -> list[sqlite3.Row]:
    sql = "SELECT * FROM enrolments WHERE person_id = ? AND state <> 'suspended'"
    return db().execute(sql, (person_id,)).fetchall()


def _roles(person: sqlite3.Row, places: list[sqlite3.Row], course: sqlite3.Row | None) -> list[str]:
    """System, institution and context roles together.

    An institution role is had everywhere: who teaches one course is an institution's
    Instructor in all others too.
    """
    institution = {INSTITUTION_ROLES[place["role"]] for place in places}
    if person["role"] == "administrator":
        institution.add(INSTITUTION_ROLES["administrator"])
    here = {
        CONTEXT_ROLES[place["role"]]
        for place in places
        if course is not None and place["course_id"] == course["id"]
    }
    return [*sorted(institution), *sorted(here), SYSTEM_USER]


def _variables(
    person: sqlite3.Row, course: sqlite3.Row | None, school: sqlite3.Row
) -> dict[str, str]:
    """The variables that can be expanded here (canvas.md 5.6)."""
    found = {
        "$Canvas.user.id": str(person["id"]),
        "$Canvas.account.id": str(school["id"]),
        "$Canvas.api.baseUrl": config()["base_url"],
        "$Canvas.user.sisSourceId": person["sis_id"],
        "$Canvas.user.prefersHighContrast": "false",
    }
    if course is not None:
        found["$Canvas.course.id"] = str(course["id"])
        found["$Canvas.course.sisSourceId"] = course["sis_id"]
    return found


def _expanded(custom: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Custom parameters; a variable that cannot be expanded arrives as it was written."""
    return {name: variables.get(value, value) for name, value in custom.items()}


def _platform() -> dict[str, str]:
    district = config()["district"]
    guid = uuid.uuid5(uuid.NAMESPACE_URL, f"canvas/{district}").hex
    return {
        "guid": f"{guid}:canvas-lms",
        "name": district,
        "version": "cloud",
        "product_family_code": "canvas",
    }


def _locale() -> str:
    """The language of somebody who chose none: the browser's, of those that the account has."""
    return request.accept_languages.best_match(LOCALES, LOCALES[0]) or LOCALES[0]


def _presentation(course: sqlite3.Row | None) -> dict[str, object]:
    where = f"courses/{course['id']}" if course else f"accounts/{ROOT_ACCOUNT}"
    return {
        "document_target": "iframe",
        "return_url": f"{config()['base_url']}/{where}/external_content/success",
        "locale": _locale(),
        "height": 400,
        "width": 800,
    }


def _account_claims(school: sqlite3.Row) -> dict[str, Any]:
    guid = uuid.uuid5(uuid.NAMESPACE_URL, f"canvas/account/{school['id']}").hex
    context = {"id": guid, "label": None, "title": school["name"], "type": ["Account"]}
    return {
        f"{CLAIM}/context": context,
        f"{CLAIM}/resource_link": {"id": guid, "title": None, "description": None},
        "https://www.instructure.com/placement": "account_navigation",
    }


def _course_claims(course: sqlite3.Row, places: list[sqlite3.Row], tool: Tool) -> dict[str, Any]:
    claims: dict[str, Any] = {
        f"{CLAIM}/context": context_claim(course) | {"type": [f"{LIS}/course#CourseOffering"]},
        f"{CLAIM}/resource_link": {
            "id": course["guid"],
            "title": course["title"],
            "description": None,
        },
        **_service_claims(course, tool),
        "https://www.instructure.com/placement": "course_navigation",
    }
    observed = _observed(course["id"], places)
    if observed and tool.privacy_level == "public":
        claims[f"{CLAIM}/role_scope_mentor"] = observed
    return claims


def _service_claims(course: sqlite3.Row, tool: Tool) -> dict[str, Any]:
    """Where the services of a course are, as far as the tool has a scope for them."""
    services = f"{config()['base_url']}/api/lti/courses/{course['id']}"
    found: dict[str, Any] = {}
    ags = [scope for scope in tool.scopes if scope.startswith(AGS)]
    if ags:
        found[AGS_CLAIM] = {"scope": ags, "lineitems": f"{services}/line_items"}
    if MEMBERSHIP in tool.scopes:
        found[NRPS_CLAIM] = {
            "context_memberships_url": f"{services}/names_and_roles",
            "service_versions": ["2.0"],
        }
    return found


def _observed(course_id: int, places: list[sqlite3.Row]) -> list[str]:
    """The LTI ids of the learners whom an observer follows in a course."""
    ids = [
        place["observes"]
        for place in places
        if place["course_id"] == course_id and place["role"] == "guardian" and place["observes"]
    ]
    sql = "SELECT guid FROM people WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    return [lti_id(row["guid"]) for row in db().execute(sql, (json.dumps(ids),))]
