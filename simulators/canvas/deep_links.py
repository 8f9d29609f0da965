"""Deep linking: the placements that ask a tool for links, and what becomes of its answer.

``assignment_selection`` fills the form of one assignment, which the teacher saves;
``link_selection`` puts the links into a module at once, and makes a published assignment of
each that brings a line item. Placed links are launched from the course.

Source: canvas.md 4.1 and 5.8; LTI Deep Linking 2.0, 4.5.
"""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any, NoReturn

import jwt
from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.canvas.launches import AGS_CLAIM, CLAIM, login_form
from simulators.canvas.line_items import new_assignment
from simulators.canvas.storage import FRAME
from simulators.canvas.tools import Tool, deployment_in, find_tool, tools_at
from simulators.canvas.wire import Refused
from simulators.canvas.world import config, db, full_name, now, world
from simulators.placed_links import (
    DEEP_LINKING,
    REQUEST,
    RESPONSE,
    NewLink,
    PlacedLink,
    custom_of,
    find_link,
    line_item_of,
    resource_links,
    save_link,
    set_line_item,
)
from simulators.signing import AssertionRefused, fetch_jwks, verify_assertion

blueprint = Blueprint("deep_links", __name__)

ASSIGNMENT = "assignment_selection"
MODULE = "link_selection"
PLACEMENT = "https://www.instructure.com/placement"
DRAFT_SECONDS = 3600
REFUSED = "The tool's answer was refused"
LATEST_IAT_SECONDS = 30
_REQUIRED = ("iss", "aud", "exp", "iat", "nonce")
_ACCEPTS = {
    ASSIGNMENT: {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe", "window"],
        "accept_media_types": "application/vnd.ims.lti.v1.ltilink",
        "accept_multiple": False,
        "auto_create": False,
    },
    MODULE: {
        "accept_types": ["link", "file", "html", "ltiResourceLink", "image"],
        "accept_presentation_document_targets": ["embed", "iframe", "window"],
        "accept_media_types": "image/*,text/html,application/vnd.ims.lti.v1.ltilink,*/*",
        "accept_multiple": True,
        "auto_create": False,
    },
}


@blueprint.get("/courses/<int:course_id>/external_tools/<placement>")
def select(course_id: int, placement: str) -> str:
    """A tool's picker in its frame, for somebody who edits the course."""
    course = _row("courses", course_id)
    school = _row("schools", course["school_id"])
    person = _row("people", _number("user"))
    tool = _tool_at(school["id"], placement)
    claims = _request_claims(course, placement)
    form = login_form(person, course, school, tool=tool, changes=claims)
    return _framed(f"Choose for {course['title']}", course, person, tool=tool, form=form)


@blueprint.get("/courses/<int:course_id>/links/<int:link_id>")
def open_link(course_id: int, link_id: int) -> str:
    """A placed link, launched in its frame."""
    course = _row("courses", course_id)
    person = _row("people", _number("user"))
    link = find_link(db(), course_id, link_id)
    tool = None if link is None else find_tool(link.client_id)
    if link is None or tool is None:
        _refuse(404, "Not found", "There is no such link in this course.")
    form = login_form(
        person,
        course,
        _row("schools", course["school_id"]),
        tool=tool,
        changes=_link_claims(course, link),
    )
    return _framed(link.title, course, person, tool=tool, form=form)


@blueprint.post("/courses/<int:course_id>/deep_linking_response")
def take_answer(course_id: int) -> str:
    """Check a tool's answer, and do what the placement does with it."""
    course = _row("courses", course_id)
    claims, asked = _trusted(course)
    if asked["placement"] == ASSIGNMENT:
        return _assignment_form(course, claims)
    for item in resource_links(claims):
        link = _saved(course, claims["iss"], item)
        if line_item_of(item) is not None:
            _grade(course, link, item, is_counted=True)
    return _shown_result(claims)


@blueprint.post("/courses/<int:course_id>/assignments/from_tool")
def save_assignment(course_id: int) -> AnyResponse:
    """The teacher saves the form that the tool's answer filled."""
    course = _row("courses", course_id)
    draft = world().key.claims_of(request.form.get("draft", ""))
    if draft is None or draft["course"] != course_id or draft["exp"] <= now():
        _refuse(400, "Not saved", "The form is too old. Choose in the tool again.")
    item: dict[str, Any] = {**draft["item"], "title": request.form.get("name", "")}
    points = request.form.get("points", "0")
    item["lineItem"] = {**(line_item_of(item) or {}), "scoreMaximum": float(points or 0)}
    link = _saved(course, draft["client_id"], item)
    _grade(course, link, item, is_counted="omit" not in request.form)
    address = f"/courses/{course_id}/links/{link.id}?user={_number('user')}"
    return redirect(address, code=303)


def _request_claims(course: sqlite3.Row, placement: str) -> dict[str, Any]:
    """What makes a launch of a course a request for links.

    The data that has to come back tells the answer to this request from all others.
    """
    url = f"{config()['base_url']}/courses/{course['id']}/deep_linking_response"
    about = {"placement": placement, "course": course["id"], "user": _number("user")}
    signed = world().key.sign({**about, "jti": secrets.token_urlsafe(16)})
    return {
        f"{CLAIM}/message_type": REQUEST,
        f"{CLAIM}/resource_link": None,
        PLACEMENT: placement,
        f"{DEEP_LINKING}/deep_linking_settings": {
            **_ACCEPTS[placement],
            "deep_link_return_url": f"{url}?modal=true&placement={placement}",
            "data": signed,
        },
    }


def _link_claims(course: sqlite3.Row, link: PlacedLink) -> dict[str, Any]:
    """What a placed link adds to a launch of its course."""
    claims: dict[str, Any] = {
        f"{CLAIM}/target_link_uri": link.url,
        f"{CLAIM}/resource_link": {"id": link.guid, "title": link.title, "description": None},
        f"{CLAIM}/custom": dict(link.custom),
        PLACEMENT: MODULE if link.line_item is None else "assignment_view",
    }
    if link.line_item is not None:
        services = f"{config()['base_url']}/api/lti/courses/{course['id']}/line_items"
        claims[AGS_CLAIM] = {"lineitem": f"{services}/{link.line_item}"}
    return claims


def _trusted(course: sqlite3.Row) -> tuple[dict[str, Any], dict[str, Any]]:
    """The claims of an answer, and of the request that it answers."""
    token = request.form.get("JWT", "")
    tool, claims = _signed_by_tool(token)
    wrong = _wrong(course, tool, claims)
    if wrong:
        _refuse(400, REFUSED, " | ".join(wrong))
    asked = world().key.claims_of(str(claims.get(f"{DEEP_LINKING}/data", "")))
    if asked is None or asked["course"] != course["id"]:
        _refuse(400, REFUSED, "data is not what was sent")
    for name in (str(claims["nonce"]), asked["jti"]):
        _use_up(name)
    return claims, asked


def _signed_by_tool(token: str) -> tuple[Tool, dict[str, Any]]:
    """The tool that an answer names, and its claims, signed with that tool's key."""
    try:
        named = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.PyJWTError:
        named = None
    tool = find_tool(named)
    if tool is None:
        _refuse(401, REFUSED, "the 'iss' is no client id of a tool")
    try:
        return tool, verify_assertion(token, fetch_jwks(tool.jwks_url))
    except AssertionRefused as error:
        _refuse(401, REFUSED, str(error))


def _wrong(course: sqlite3.Row, tool: Tool, claims: Mapping[str, Any]) -> list[str]:
    missing = [name for name in _REQUIRED if name not in claims]
    if missing:
        return [f"the following claims are missing: {','.join(missing)}"]
    school = _row("schools", course["school_id"])
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    checks = {
        "the 'aud' is invalid": config()["issuer"] in audience,
        "the JWT has expired": claims["exp"] > now(),
        "the 'iat' must not be in the future": claims["iat"] <= now() + LATEST_IAT_SECONDS,
        "the message_type is invalid": claims.get(f"{CLAIM}/message_type") == RESPONSE,
        "the version is invalid": claims.get(f"{CLAIM}/version") == "1.3.0",
        "the deployment_id is unknown": claims.get(f"{CLAIM}/deployment_id")
        == deployment_in(tool, school),
    }
    return [words for words, is_well in checks.items() if not is_well]


def _use_up(name: str) -> None:
    try:
        sql = "INSERT INTO assertions (jti, expires_at) VALUES (?, ?)"
        db().execute(sql, (f"deep link {name}", now() + DRAFT_SECONDS))
    except sqlite3.IntegrityError:
        _refuse(400, REFUSED, "the nonce has already been used")


def _assignment_form(course: sqlite3.Row, claims: Mapping[str, Any]) -> str:
    items = resource_links(claims)
    if not items:
        return _shown_result(claims)
    draft = {
        "course": course["id"],
        "client_id": claims["iss"],
        "item": dict(items[0]),
        "exp": now() + DRAFT_SECONDS,
    }
    asked = world().key.claims_of(claims[f"{DEEP_LINKING}/data"]) or {}
    return render_template(
        "canvas_new_assignment.html",
        course=course,
        user=asked.get("user", 0),
        name=items[0].get("title", ""),
        points=(line_item_of(items[0]) or {}).get("scoreMaximum", 0),
        draft=world().key.sign(draft),
    )


def _shown_result(claims: Mapping[str, Any]) -> str:
    return render_template(
        "canvas_placed.html",
        titles=[item.get("title", "") for item in resource_links(claims)],
        message=claims.get(f"{DEEP_LINKING}/errormsg") or claims.get(f"{DEEP_LINKING}/msg") or "",
    )


def _saved(course: sqlite3.Row, client_id: str, item: Mapping[str, Any]) -> PlacedLink:
    new = NewLink(
        course=course["id"],
        client_id=client_id,
        title=str(item.get("title") or "Link"),
        url=str(item.get("url") or ""),
        custom=custom_of(item),
    )
    return save_link(db(), new, now=now())


def _grade(
    course: sqlite3.Row, link: PlacedLink, item: Mapping[str, Any], *, is_counted: bool
) -> None:
    """The assignment of a link, and the line item that Canvas couples with it."""
    line = line_item_of(item) or {}
    maximum = float(line.get("scoreMaximum") or 0)
    extra = {"submission_type": "external_tool", "resource_link_id": link.guid, "url": link.url}
    assignment = new_assignment(course["id"], (link.title, maximum), json.dumps(extra))
    db().execute(
        "UPDATE assignments SET omit_from_final_grade = ? WHERE id = ?",
        (not is_counted, assignment),
    )
    cursor = db().execute(
        "INSERT INTO line_items (course_id, assignment_id, label, maximum, resource_id, tag, "
        "resource_link_id, client_id, created_at, updated_at, extra) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(course["id"], assignment, link.title, maximum),
            *(str(line.get("resourceId") or ""), str(line.get("tag") or "")),
            *(link.guid, link.client_id, now(), now(), json.dumps({"is_coupled": True})),
        ),
    )
    set_line_item(db(), link, int(cursor.lastrowid or 0))


def _framed(
    title: str, course: sqlite3.Row, person: sqlite3.Row, *, tool: Tool, form: dict[str, Any]
) -> str:
    return render_template(
        "canvas_course.html",
        title=title,
        full_name=full_name,
        course=course,
        person=person,
        form=form,
        tools=[tool],
        tool=tool,
        storage_frame=FRAME,
        links=[],
    )


def _tool_at(school_id: int, placement: str) -> Tool:
    tools = tools_at(school_id, placement) if placement in _ACCEPTS else []
    chosen = request.args.get("client_id", "")
    found = [tool for tool in tools if chosen in {"", tool.client_id}]
    if not found:
        _refuse(404, "Not found", "No tool has this placement here.")
    return found[0]


def _number(name: str) -> int:
    text = request.values.get(name, "")
    return int(text) if text.isdigit() else 0


def _row(table: str, number: int) -> Any:  # noqa: ANN401 - a row of any table
    row = db().execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()  # noqa: S608 - own words
    if row is None:
        _refuse(404, "Not found", "There is no such page here.")
    return row


def _refuse(status: int, error: str, description: str) -> NoReturn:
    page = render_template("canvas_error.html", error=error, description=description)
    raise Refused(make_response(page, status))
