"""Dynamic registration: the page of tools, the way to a tool's own page, and new tool types.

A new tool is pending until it is activated: it is in no activity chooser, though its services
work already. Errors are plain words with the type text/html.

Source: moodle.md, section 3.3; LTI Dynamic Registration 1.0, 3.
"""

import hashlib
import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.moodle.site import Site, platform_key, site
from simulators.moodle.tools import (
    PENDING,
    SCOPES,
    Tool,
    activate,
    all_tools,
    find_tool,
    next_type_id,
    save_tool,
)

blueprint = Blueprint("registering", __name__)

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
REGISTRATION_SECONDS = 3600
CLIENT_ID_LENGTH = 15
_NEW = "reg"
_UPDATE = "reg-update"
_REQUIRED = (
    "response_types",
    "initiate_login_uri",
    "redirect_uris",
    "client_name",
    "jwks_uri",
    "token_endpoint_auth_method",
    TOOL_CONFIGURATION,
)
_KEY_METHOD = "private_key_jwt"
_CONTENT_SELECTION = "LtiDeepLinkingRequest"
_PERSONAL = ("name", "given_name", "family_name", "email")


class RegistrationRefused(Exception):  # noqa: N818 - named for the answer it becomes
    """A registration is refused, in plain words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@blueprint.get("/mod/lti/toolconfigure.php")
def tools() -> str:
    """Manage tools: those there are, and where to add one by its address."""
    here = site()
    url = request.args.get("url", "").strip()
    sent = {"url": url, "sesskey": session_key(here)}
    return render_template(
        "moodle_tools.html",
        title="Manage tools",
        tools=all_tools(here.connection, here.config),
        frame=f"/mod/lti/startltiadvregistration.php?{urlencode(sent)}" if url else "",
        origin="{0.scheme}://{0.netloc}".format(urlsplit(url)),
        session=session_key(here),
    )


@blueprint.post("/mod/lti/toolconfigure.php")
def activate_tool() -> AnyResponse:
    """Activate a pending tool."""
    here = site()
    is_own = request.form.get("sesskey") == session_key(here)
    if not is_own or not activate(here.connection, request.form.get("type", "")):
        abort(404)
    return redirect("/mod/lti/toolconfigure.php", code=303)


def session_key(here: Site) -> str:
    """What a real Moodle binds to the administrator's session."""
    return hashlib.sha256(here.config["api_token"].encode()).hexdigest()[:10]


@blueprint.get("/mod/lti/startltiadvregistration.php")
def start() -> str | AnyResponse:
    """Send the administrator to the tool's page, with a token for one registration.

    Where a tool of the same domain exists, the administrator first says whether that one is to
    be updated.
    """
    here = site()
    parts = urlsplit(request.args.get("url", ""))
    if request.args.get("sesskey") != session_key(here) or not parts.netloc:
        abort(404)
    same = [
        tool
        for tool in all_tools(here.connection, here.config)
        if urlsplit(tool.target).netloc == parts.netloc
    ]
    chosen = request.args.get("type")
    if same and chosen is None:
        return render_template(
            "moodle_tool_choice.html",
            title="A tool of this site exists",
            tools=same,
            sent=dict(request.args),
        )
    updated = next((tool for tool in same if tool.type_id == chosen), None)
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("openid_configuration", f"{here.url}/mod/lti/openid-configuration.php"),
        ("registration_token", _new_token(here, updated)),
    ]
    return redirect(urlunsplit(parts._replace(query=urlencode(query))), code=302)


def _new_token(here: Site, updated: Tool | None) -> str:
    letters = string.ascii_letters + string.digits
    drawn = "".join(secrets.choice(letters) for _ in range(CLIENT_ID_LENGTH))
    return platform_key().sign(
        {
            "sub": updated.client_id if updated else drawn,
            "scope": _UPDATE if updated else _NEW,
            "iat": here.now,
            "exp": here.now + REGISTRATION_SECONDS,
        }
    )


@blueprint.route("/mod/lti/openid-registration.php", methods=["GET", "POST"])
def register() -> Response:
    """Make a tool type of a tool's description, once for each token."""
    here = site()
    try:
        return _registered(here)
    except RegistrationRefused as refusal:
        return Response(
            str(refusal), status=refusal.status, content_type="text/html; charset=utf-8"
        )


def _registered(here: Site) -> Response:
    claims, digest = _token(here)
    if request.method == "GET":
        abort(404)
    sent = _sent()
    here.write("INSERT INTO assertions VALUES (?, ?)", digest, claims["exp"])
    known = find_tool(here.connection, here.config, claims["sub"])
    tool = _made(sent, client_id=claims["sub"], type_id=next_type_id(here.connection))
    if claims["scope"] == _UPDATE and known is not None:
        tool = replace(tool, type_id=known.type_id, state=known.state)
    if tool.client_id != here.client_id:
        save_tool(here.connection, tool)
    body = json.dumps(_echo(sent, tool))
    return Response(body, content_type="application/json; charset=utf-8")


def _token(here: Site) -> tuple[dict[str, Any], str]:
    """The claims of the registration token, and by what its use is noted."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise RegistrationRefused(401, "missing_registration_token")
    claims = platform_key().claims_of(token.strip())
    if not claims or claims.get("scope") not in {_NEW, _UPDATE} or claims["exp"] <= here.now:
        abort(404)
    digest = hashlib.sha256(token.encode()).hexdigest()
    if here.row("SELECT 1 FROM assertions WHERE jti = ?", digest) is not None:
        raise RegistrationRefused(401, "token_already_used")
    return claims, digest


def _sent() -> dict[str, Any]:
    """A registration with everything that Moodle requires."""
    sent = request.get_json(force=True, silent=True)
    if not isinstance(sent, dict):
        raise RegistrationRefused(400, "Bad request")
    for name in _REQUIRED:
        if not sent.get(name):
            raise RegistrationRefused(400, f"missing required attribute {name}")
    tool = sent[TOOL_CONFIGURATION]
    if sent["token_endpoint_auth_method"] != _KEY_METHOD or not isinstance(tool, dict):
        raise RegistrationRefused(400, "missing required attribute token_endpoint_auth_method")
    target = urlsplit(str(tool.get("target_link_uri") or sent["initiate_login_uri"]))
    if tool.get("domain") != target.netloc:
        raise RegistrationRefused(400, "domain_targetlinkuri_mismatch")
    return sent


def _made(sent: Mapping[str, Any], *, client_id: str, type_id: str) -> Tool:
    described: Mapping[str, Any] = sent[TOOL_CONFIGURATION]
    asked = str(sent.get("scope", "")).split()
    messages = described.get("messages", [])
    return Tool(
        type_id=type_id,
        client_id=client_id,
        name=sent["client_name"],
        login_url=sent["initiate_login_uri"],
        redirect_uris=sent["redirect_uris"],
        jwks_url=sent["jwks_uri"],
        target=described["target_link_uri"],
        scopes=[scope for scope in SCOPES if scope in asked],
        claims=[name for name in _PERSONAL if name in described.get("claims", [])],
        custom=described.get("custom_parameters") or {},
        has_content_selection=any(one.get("type") == _CONTENT_SELECTION for one in messages),
        state=PENDING,
    )


def _echo(sent: Mapping[str, Any], tool: Tool) -> dict[str, Any]:
    """What was registered: no resource link message, and custom values cut at a second =."""
    described: Mapping[str, Any] = sent[TOOL_CONFIGURATION]
    messages = described.get("messages", [])
    return {
        "client_id": tool.client_id,
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": tool.login_url,
        "redirect_uris": list(tool.redirect_uris),
        "jwks_uri": tool.jwks_url,
        "client_name": tool.name,
        "token_endpoint_auth_method": _KEY_METHOD,
        "application_type": "web",
        "scope": " ".join(tool.scopes),
        TOOL_CONFIGURATION: {
            "version": "1.3.0",
            "deployment_id": tool.type_id,
            "target_link_uri": tool.target,
            "domain": described["domain"],
            "description": described.get("description", ""),
            "custom_parameters": {n: v.partition("=")[0] for n, v in tool.custom.items()},
            "messages": [one for one in messages if one.get("type") == _CONTENT_SELECTION],
            "claims": ["iss", "sub", *(tool.claims or ())],
        },
    }
