"""Content item selection: a tool is asked for links, and a teacher saves what it answers.

Moodle checks little of the answer: whose key signed it, that it has not expired, and that the
issuer is the tool's client id. It makes nothing before the teacher saves.

Source: moodle.md, section 3.9; LTI Deep Linking 2.0, 4.5.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

import jwt
from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.moodle.claims import CLAIM
from simulators.moodle.line_items import item_url, next_item
from simulators.moodle.platform import LINK_CMID_BASE, launchable, role_of
from simulators.moodle.site import Site, platform_key, site
from simulators.moodle.tools import all_tools
from simulators.placed_links import (
    DEEP_LINKING,
    REQUEST,
    NewLink,
    PlacedLink,
    custom_of,
    find_link,
    line_item_of,
    save_link,
    set_line_item,
)
from simulators.signing import AssertionRefused, fetch_jwks, verify_assertion

blueprint = Blueprint("deep_links", __name__)

FIRST_LINK = 5000
"""Links are numbered on from here: below, a course's own link has the course's number."""
UNGRADED = 0.0
ALWAYS_GRADED = 100.0
EDITORS = frozenset({"teacher", "administrator"})
WRONG_ISSUER = "Consumer key is incorrect"
_CREATED_SECONDS = 3600


@blueprint.get("/mod/lti/contentitem.php")
def ask() -> str:
    """Ask the tool for links: its picker opens where this form is posted."""
    here, course, user = _editor()
    session = _session_key(course, user)
    back = f"{here.url}/mod/lti/contentitem_return.php"
    claims = {
        f"{CLAIM}/message_type": REQUEST,
        f"{CLAIM}/resource_link": None,
        f"{DEEP_LINKING}/deep_linking_settings": {
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["frame", "iframe", "window"],
            "accept_multiple": True,
            "auto_create": False,
            "deep_link_return_url": f"{back}?course={course}&id={here.type_id}&sesskey={session}",
            "title": "",
            "text": "",
        },
    }
    return _begun(here, course, user, claims=claims)


@blueprint.get("/mod/lti/view.php")
def open_link() -> str:
    """Launch a placed link, which the query names besides the person."""
    here = site()
    course, user = (request.args.get(name, 0, type=int) for name in ("course", "user"))
    link = find_link(here.connection, course, request.args.get("link", 0, type=int))
    if link is None:
        abort(404)
    here = here.for_tool(launchable(here, _type_of(here, link.client_id)))
    return _begun(here, course, user, claims=_link_claims(here, link))


@blueprint.post("/mod/lti/contentitem_return.php")
def take_answer() -> Response | str:
    """Show what a tool's answer would add; the sesskey in the address is the teacher's."""
    here = site()
    course = request.args.get("course", 0, type=int)
    session = platform_key().claims_of(request.args.get("sesskey", ""))
    if session is None or session["course"] != course or session["exp"] <= here.now:
        abort(404)
    here = here.for_tool(launchable(here, request.args.get("id", here.type_id)))
    claims = _trusted(here, request.form.get("JWT", ""))
    items = _items(claims)
    draft = {"course": course, "client_id": here.client_id, "items": items}
    return render_template(
        "moodle_content_items.html",
        title="Add to the course",
        titles=[str(item.get("title") or "") for item in items],
        message=claims.get(f"{DEEP_LINKING}/errormsg") or claims.get(f"{DEEP_LINKING}/msg") or "",
        draft=platform_key().sign(draft | {"exp": here.now + _CREATED_SECONDS}),
        user=session["user"],
    )


@blueprint.post("/mod/lti/contentitem_save.php")
def save() -> AnyResponse:
    """The teacher saves: activities are made, with the grade items they ask for."""
    here = site()
    draft = platform_key().claims_of(request.form.get("draft", ""))
    if draft is None or draft["exp"] <= here.now:
        abort(404)
    for item in draft["items"]:
        _make_activity(here, draft, item)
    user = request.form.get("user", 0, type=int)
    return redirect(f"/course/{draft['course']}?user={user}", code=303)


def _editor() -> tuple[Site, int, int]:
    here = site()
    here = here.for_tool(launchable(here, request.args.get("type", here.type_id)))
    course, user = (request.args.get(name, 0, type=int) for name in ("course", "user"))
    if not here.tool.has_content_selection or role_of(here, course, user) not in EDITORS:
        abort(404)
    return here, course, user


def _session_key(course: int, user: int) -> str:
    """What ties the answer to the teacher's session; here nobody has one."""
    now = site().now
    return platform_key().sign({"course": course, "user": user, "exp": now + _CREATED_SECONDS})


def _begun(here: Site, course: int, user: int, *, claims: Mapping[str, Any]) -> str:
    """A launch with other claims than the course's own link has."""
    hint = f"ltilaunch_{secrets.randbelow(2**31)}"
    extra = {"type": here.type_id, "claims": claims}
    here.write(
        "INSERT INTO launches (hint, user_id, course_id, role, created_at, extra) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        *(hint, user, course, role_of(here, course, user), here.now, json.dumps(extra)),
    )
    message_hint = {"cmid": LINK_CMID_BASE + course, "launchid": hint}
    fields = {
        "iss": here.url,
        "target_link_uri": claims.get(f"{CLAIM}/target_link_uri", here.tool.target),
        "login_hint": str(user),
        "lti_message_hint": json.dumps(message_hint, separators=(",", ":")),
        "client_id": here.client_id,
        "lti_deployment_id": here.type_id,
    }
    return render_template("moodle_post.html", action=here.tool.login_url, fields=fields)


def _type_of(here: Site, client_id: str) -> str:
    tools = all_tools(here.connection, here.config)
    return next((tool.type_id for tool in tools if tool.client_id == client_id), "")


def _link_claims(here: Site, link: PlacedLink) -> dict[str, Any]:
    claims: dict[str, Any] = {
        f"{CLAIM}/target_link_uri": link.url or here.tool.target,
        f"{CLAIM}/resource_link": {"id": link_ref(link), "title": link.title, "description": ""},
        f"{CLAIM}/custom": dict(link.custom),
    }
    if link.line_item is not None:
        lineitem = item_url(here, link.course, link.line_item)
        claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"] = {"lineitem": lineitem}
    return claims


def link_ref(link: PlacedLink) -> str:
    """A link's id as launches and line items name it."""
    return str(FIRST_LINK + link.id)


def _trusted(here: Site, token: str) -> dict[str, Any]:
    """The claims of an answer; its audience, nonce, deployment and message are not looked at."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        abort(404)
    if claims.get("iss") != here.client_id:
        abort(make_response(render_template("moodle_error.html", title=WRONG_ISSUER), 404))
    try:
        claims = verify_assertion(token, fetch_jwks(here.tool.jwks_url))
    except AssertionRefused:
        abort(404)
    if "exp" in claims and claims["exp"] <= here.now:
        abort(404)
    return claims


def _items(claims: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All content items: links and HTML are swallowed as ordinary tool links."""
    items = claims.get(f"{DEEP_LINKING}/content_items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _make_activity(here: Site, draft: Mapping[str, Any], item: Mapping[str, Any]) -> None:
    new = NewLink(
        course=draft["course"],
        client_id=draft["client_id"],
        title=str(item.get("title") or "External tool"),
        url=str(item.get("url") or ""),
        custom=custom_of(item),
    )
    link = save_link(here.connection, new, now=here.now)
    line = line_item_of(item) or {}
    always = ALWAYS_GRADED if here.config.get("acceptgrades") == "always" else UNGRADED
    maximum = float(line.get("scoreMaximum") or always)
    if maximum > UNGRADED:
        set_line_item(here.connection, link, _make_column(here, link, line, maximum=maximum))


def _make_column(here: Site, link: PlacedLink, line: Mapping[str, Any], *, maximum: float) -> int:
    """The activity's grade item; it is called like the activity, whatever its own label."""
    item = next_item(here)
    here.write(
        "INSERT INTO line_items (id, course_id, label, maximum, resource_id, tag, "
        "resource_link_id, client_id, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(item, link.course, link.title, maximum),
        *(str(line.get("resourceId") or ""), str(line.get("tag") or ""), link_ref(link)),
        *(link.client_id, here.now, here.now),
    )
    return item
