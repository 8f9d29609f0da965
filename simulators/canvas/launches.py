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
from simulators.canvas.service_tokens import KEY_SCOPES, LINE_ITEM, LINE_ITEM_READ, RESULT, SCORE
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
HINT_SECONDS = 300
STORAGE_TARGET = "post_message_forwarding"
CONSUMED = "The launch has either expired or already been consumed"


def login_form(
    person: sqlite3.Row, course: sqlite3.Row | None, school: sqlite3.Row
) -> dict[str, Any]:
    """Prepare a launch.

    Args:
        person: Who launches.
        course: From which course; None from the account's navigation.
        school: The account that the tool is installed in.

    Returns:
        The address and the fields of the form that begins the launch.
    """
    settings = config()
    hint = secrets.token_urlsafe(24)
    claims = _claims(person, course, school)
    db().execute(
        "INSERT INTO launches (hint, user_id, course_id, role, created_at, extra) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (hint, person["id"], course["id"] if course else 0, person["role"], now(), _json(claims)),
    )
    fields = {
        "iss": settings["issuer"],
        "login_hint": lti_id(person["guid"]),
        "target_link_uri": f"{settings['tool_url']}/lti/launch",
        "client_id": settings["client_id"],
        "deployment_id": school["deployment"],
        "lti_message_hint": _message_hint(hint),
        "canvas_region": "local",
        "canvas_environment": "production",
        "lti_storage_target": STORAGE_TARGET,
    }
    return {"action": f"{settings['tool_url']}/lti/login", "fields": fields}


@blueprint.route("/api/lti/authorize_redirect", methods=["GET", "POST"])
def authorize() -> Response:
    """Give out the id_token of a prepared launch, by a form that posts itself."""
    sent = request.values
    redirect_uri = sent.get("redirect_uri", "")
    if redirect_uri.partition("?")[0] != f"{config()['tool_url']}/lti/launch":
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
        "lti_storage_target": STORAGE_TARGET,
    }
    return _posted(redirect_uri, fields | _echo(sent))


def _problem(sent: Mapping[str, str]) -> tuple[str, str] | None:
    if sent.get("client_id") != config()["client_id"]:
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


def _claims(person: sqlite3.Row, course: sqlite3.Row | None, school: sqlite3.Row) -> dict[str, Any]:
    settings = config()
    places = _places(person["id"])
    claims: dict[str, Any] = {
        "iss": settings["issuer"],
        "aud": settings["client_id"],
        "azp": settings["client_id"],
        "sub": lti_id(person["guid"]),
        "locale": "en",
        "name": full_name(person),
        "given_name": person["given_name"],
        "family_name": person["family_name"],
        "email": person["email"],
        f"{CLAIM}/version": "1.3.0",
        f"{CLAIM}/message_type": "LtiResourceLinkRequest",
        f"{CLAIM}/deployment_id": school["deployment"],
        f"{CLAIM}/target_link_uri": f"{settings['tool_url']}/lti/launch",
        f"{CLAIM}/tool_platform": _platform(),
        f"{CLAIM}/launch_presentation": _presentation(course),
        f"{CLAIM}/roles": _roles(person, places, course),
        f"{CLAIM}/custom": _custom(person, course, school),
        f"{CLAIM}/lti11_legacy_user_id": person["guid"],
        f"{CLAIM}/lis": {"person_sourcedid": person["sis_id"]},
        "errors": {"errors": {}},
    }
    if course is None:
        return claims | _account_claims(school)
    return claims | _course_claims(course, places)


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


def _custom(person: sqlite3.Row, course: sqlite3.Row | None, school: sqlite3.Row) -> dict[str, str]:
    """The expanded variables; what cannot be expanded arrives as it was written."""
    return {
        "canvas_course_id": str(course["id"]) if course else "$Canvas.course.id",
        "canvas_user_id": str(person["id"]),
        "canvas_account_id": str(school["id"]),
        "canvas_api_base": config()["base_url"],
        "sis_user_id": person["sis_id"],
        "sis_course_id": course["sis_id"] if course else "$Canvas.course.sisSourceId",
        "unknown": "$Canvas.foo",
    }


def _platform() -> dict[str, str]:
    district = config()["district"]
    guid = uuid.uuid5(uuid.NAMESPACE_URL, f"canvas/{district}").hex
    return {
        "guid": f"{guid}:canvas-lms",
        "name": district,
        "version": "cloud",
        "product_family_code": "canvas",
    }


def _presentation(course: sqlite3.Row | None) -> dict[str, object]:
    where = f"courses/{course['id']}" if course else f"accounts/{ROOT_ACCOUNT}"
    return {
        "document_target": "iframe",
        "return_url": f"{config()['base_url']}/{where}/external_content/success",
        "locale": "en",
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


def _course_claims(course: sqlite3.Row, places: list[sqlite3.Row]) -> dict[str, Any]:
    services = f"{config()['base_url']}/api/lti/courses/{course['id']}"
    ags = [scope for scope in KEY_SCOPES if scope in {LINE_ITEM, LINE_ITEM_READ, RESULT, SCORE}]
    claims: dict[str, Any] = {
        f"{CLAIM}/context": context_claim(course) | {"type": [f"{LIS}/course#CourseOffering"]},
        f"{CLAIM}/resource_link": {
            "id": course["guid"],
            "title": course["title"],
            "description": None,
        },
        AGS_CLAIM: {"scope": ags, "lineitems": f"{services}/line_items"},
        NRPS_CLAIM: {
            "context_memberships_url": f"{services}/names_and_roles",
            "service_versions": ["2.0"],
        },
        "https://www.instructure.com/placement": "course_navigation",
    }
    observed = _observed(course["id"], places)
    if observed:
        claims[f"{CLAIM}/role_scope_mentor"] = observed
    return claims


def _observed(course_id: int, places: list[sqlite3.Row]) -> list[str]:
    """The LTI ids of the learners whom an observer follows in a course."""
    ids = [
        place["observes"]
        for place in places
        if place["course_id"] == course_id and place["role"] == "guardian" and place["observes"]
    ]
    sql = "SELECT guid FROM people WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    return [lti_id(row["guid"]) for row in db().execute(sql, (json.dumps(ids),))]
