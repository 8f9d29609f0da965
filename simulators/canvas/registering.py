"""Dynamic registration: the account's page of apps, the configuration, and new developer keys.

An administrator enters a tool's registration address; the tool's page opens in a frame with a
token that is good for one registration. The new key is off until the administrator switches
it on.

Settings in the table ``config``: ``registration_deployment`` (1: the answer names the
deployment, which the account otherwise shows on its page only).

Source: canvas.md 5.5; LTI Dynamic Registration 1.0, 3.
"""

import hashlib
import secrets
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.canvas.gate import bearer
from simulators.canvas.tools import (
    DEEP_LINKING,
    KEY_SCOPES,
    RESOURCE_LINK,
    Tool,
    registered_tools,
    save_tool,
    switch_on,
)
from simulators.canvas.wire import Refused, answer, refuse
from simulators.canvas.world import config, db, now, world

blueprint = Blueprint("registering", __name__)

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
CANVAS = "https://canvas.instructure.com/lti"
REGISTRATION_SECONDS = 3600
FIRST_CLIENT_ID = 10000000000100
FIRST_TOOL_NUMBER = 200
PLACEMENTS = {
    RESOURCE_LINK: ("course_navigation", "account_navigation"),
    DEEP_LINKING: ("assignment_selection", "link_selection"),
}
CLAIMS = ("sub", "iss", "name", "given_name", "family_name", "picture", "email", "locale")
PRIVACY_LEVELS = ("public", "name_only", "email_only", "anonymous")
_TEXTS = ("client_name", "initiate_login_uri", "jwks_uri", "scope")
_EXACT: dict[str, object] = {
    "application_type": "web",
    "token_endpoint_auth_method": "private_key_jwt",
}


@blueprint.get("/accounts/<int:school_id>/apps")
def apps(school_id: int) -> str:
    """The account's registered tools, and where to register one more."""
    school = _school(school_id)
    return render_template(
        "canvas_apps.html", school=school, tools=registered_tools(school_id), frame=None
    )


@blueprint.post("/accounts/<int:school_id>/apps")
def register_a_tool(school_id: int) -> str:
    """Open a tool's registration page in a frame, with a token of its own."""
    school = _school(school_id)
    url = request.form.get("url", "").strip()
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.netloc:
        _refuse_page("Not an address", "Enter the registration address that the tool gave you.")
    sent = {
        "openid_configuration": f"{config()['base_url']}/api/lti/security/openid-configuration",
        "registration_token": _new_token(school_id),
    }
    frame = f"{url}{'&' if parts.query else '?'}{urlencode(sent)}"
    return render_template(
        "canvas_apps.html",
        school=school,
        tools=registered_tools(school_id),
        frame=frame,
        origin=f"{parts.scheme}://{parts.netloc}",
    )


@blueprint.post("/accounts/<int:school_id>/apps/<client_id>")
def enable(school_id: int, client_id: str) -> AnyResponse:
    """Switch a registered tool on."""
    _school(school_id)
    if not switch_on(client_id, school_id):
        _refuse_page("Not found", "The account has no such tool.")
    return redirect(f"/accounts/{school_id}/apps", code=303)


@blueprint.get("/api/lti/security/openid-configuration")
def openid_configuration() -> Response:
    """What a tool needs to know of the platform; the token opens it any number of times."""
    account = _account_of_token()
    school = _school(account)
    url, settings = config()["base_url"], config()
    guid = hashlib.sha256(f"account {account}".encode()).hexdigest()[:40]
    return answer(
        {
            "issuer": settings["issuer"],
            "authorization_endpoint": f"{url}/api/lti/authorize_redirect",
            "registration_endpoint": f"{url}/api/lti/registrations",
            "jwks_uri": f"{url}/api/lti/security/jwks",
            "token_endpoint": f"{url}/login/oauth2/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "scopes_supported": list(KEY_SCOPES),
            "response_types_supported": ["id_token"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": list(CLAIMS),
            "subject_types_supported": ["public"],
            PLATFORM_CONFIGURATION: {
                "product_family_code": "canvas",
                "version": "vCloud",
                "messages_supported": [
                    {"type": message, "placements": list(names)}
                    for message, names in PLACEMENTS.items()
                ],
                "notice_types_supported": [],
                "variables": ["$Canvas.course.id", "$Canvas.user.id", "$Canvas.account.id"],
                f"{CANVAS}/account_name": school["name"],
                f"{CANVAS}/account_lti_guid": f"{guid}:canvas-lms",
            },
        }
    )


@blueprint.post("/api/lti/registrations")
def register() -> Response:
    """Make a developer key of a tool's description, once for each token."""
    account = _account_of_token()
    if request.mimetype != "application/json":
        refuse(415, {"errors": [{"message": "The registration must be JSON"}]})
    sent: Any = request.get_json(silent=True)
    wrong = _wrong(sent)
    if wrong:
        refuse(422, {"errors": [{"message": message} for message in wrong]})
    _use_token()
    tool = _made(sent, account)
    save_tool(tool)
    return answer(_echo(sent, tool))


def _new_token(account: int) -> str:
    issued_at = now()
    return world().key.sign(
        {
            "registration_account": account,
            "iat": issued_at,
            "exp": issued_at + REGISTRATION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
    )


def _account_of_token() -> int:
    claims = _token_claims()
    if "registration_account" not in claims or claims["exp"] <= now():
        refuse(401, {"errorMessage": "JWT expired or invalid"})
    used = "SELECT 1 FROM assertions WHERE jti = ?"
    if db().execute(used, (claims["jti"],)).fetchone() is not None:
        refuse(401, {"errorMessage": "JWT already used"})
    return int(claims["registration_account"])


def _token_claims() -> dict[str, Any]:
    return world().key.claims_of(bearer()) or {}


def _use_token() -> None:
    claims = _token_claims()
    db().execute("INSERT INTO assertions VALUES (?, ?)", (claims["jti"], claims["exp"]))


def _wrong(sent: object) -> list[str]:
    """Everything that is wrong with a registration."""
    if not isinstance(sent, dict):
        return ["The registration must be a JSON object"]
    wrong = [f"{name} must be a text" for name in _TEXTS if not _is_text(sent.get(name))]
    wrong += [f"{n} must be {value}" for n, value in _EXACT.items() if sent.get(n) != value]
    if sent.get("response_types") not in (["id_token"], "id_token"):
        wrong.append("response_types must be id_token")
    if not _is_set(sent.get("grant_types"), {"client_credentials", "implicit"}):
        wrong.append("grant_types must be client_credentials and implicit")
    if not _are_texts(sent.get("redirect_uris")):
        wrong.append("redirect_uris must be a list of texts")
    if _is_text(sent.get("scope")) and not set(sent["scope"].split()) <= set(KEY_SCOPES):
        wrong.append("scope holds a scope that is not supported")
    tool = sent.get(TOOL_CONFIGURATION)
    if not isinstance(tool, dict):
        return [*wrong, f"{TOOL_CONFIGURATION} must be an object"]
    return wrong + _wrong_tool(tool)


def _wrong_tool(tool: dict[str, Any]) -> list[str]:
    needed = ("domain", "target_link_uri")
    wrong = [f"{name} must be a text" for name in needed if not _is_text(tool.get(name))]
    custom = tool.get("custom_parameters", {})
    if not isinstance(custom, dict) or not all(isinstance(v, str) for v in custom.values()):
        wrong.append("custom_parameters must hold texts")
    if not _are_texts(tool.get("claims")) or not set(tool["claims"]) <= set(CLAIMS):
        wrong.append("claims must be a list of supported claims")
    if tool.get(f"{CANVAS}/privacy_level", "anonymous") not in PRIVACY_LEVELS:
        wrong.append("privacy_level is unknown")
    messages = tool.get("messages")
    if not isinstance(messages, list) or not messages:
        return [*wrong, "messages must be a list"]
    return wrong + [problem for message in messages for problem in _wrong_message(message)]


def _wrong_message(message: object) -> list[str]:
    if not isinstance(message, dict) or message.get("type") not in PLACEMENTS:
        return ["messages holds a type that is not supported"]
    placements = message.get("placements", [])
    known = PLACEMENTS[message["type"]]
    if not isinstance(placements, list) or not set(placements) <= set(known):
        return [f"placements of {message['type']} must be among {', '.join(known)}"]
    if message.get(f"{CANVAS}/visibility", "public") not in {"admins", "members", "public"}:
        return ["visibility is unknown"]
    return []


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_text(one) for one in value)


def _is_set(value: object, wanted: set[str]) -> bool:
    return isinstance(value, list) and set(map(str, value)) == wanted


def _made(sent: dict[str, Any], account: int) -> Tool:
    described = sent[TOOL_CONFIGURATION]
    number = db().execute("SELECT count(*) FROM developer_keys").fetchone()[0]
    return Tool(
        client_id=str(FIRST_CLIENT_ID + number),
        name=sent["client_name"],
        login_url=sent["initiate_login_uri"],
        redirect_uris=sent["redirect_uris"],
        jwks_url=sent["jwks_uri"],
        target_link_uri=described["target_link_uri"],
        scopes=sent["scope"].split(),
        custom=described.get("custom_parameters", {}),
        placements={
            placement: message["type"]
            for message in described["messages"]
            for placement in message.get("placements", [])
        },
        privacy_level=described.get(f"{CANVAS}/privacy_level", "anonymous"),
        school=account,
        deployment=f"{FIRST_TOOL_NUMBER + number}:{secrets.token_hex(20)}",
        is_on=False,
    )


def _echo(sent: dict[str, Any], tool: Tool) -> dict[str, Any]:
    described = dict(sent[TOOL_CONFIGURATION])
    if config().get("registration_deployment") == "1":
        described["deployment_id"] = tool.deployment
    known = (*_TEXTS, *_EXACT, "response_types", "grant_types", "redirect_uris")
    return {name: sent[name] for name in known} | {
        "client_id": tool.client_id,
        TOOL_CONFIGURATION: described,
    }


def _school(school_id: int) -> Any:  # noqa: ANN401 - a row of any table
    row = db().execute("SELECT * FROM schools WHERE id = ?", (school_id,)).fetchone()
    if row is None:
        _refuse_page("Not found", "There is no such account here.")
    return row


def _refuse_page(error: str, description: str) -> NoReturn:
    page = render_template("canvas_error.html", error=error, description=description)
    raise Refused(make_response(page, 404 if error == "Not found" else 400))
