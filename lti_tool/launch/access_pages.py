"""The pages on which an administrator of Canvas authorises Waymark to use its own API."""

from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.exceptions import MethodNotAllowed

from bootstrap.access import RIGHTS
from lti_tool.launch import api_access, cookies, doors
from lti_tool.launch.form import login_parameters
from lti_tool.launch.own_page import require_own_page
from lti_tool.launch.services import services
from lti_tool.pages.headers import allow_forms

blueprint = Blueprint("access", __name__, url_prefix="/lti/access")

_LINK = "/<string(length=43):token>"


@blueprint.route(_LINK, methods=["GET"], provide_automatic_options=False)
def ask(token: str) -> str:
    """What Waymark would be able to do, with one button."""
    _enter()
    platform = api_access.find_platform(token, services())
    parts = urlsplit(platform.api_url)
    # Browsers hold the way to Canvas, to which the button's answer leads, against the policy.
    allow_forms([f"{parts.scheme}://{parts.netloc}"])
    return render_template("access.html", platform=platform, rights=RIGHTS, token=token)


@blueprint.route(_LINK, methods=["POST"], provide_automatic_options=False)
def leave(token: str) -> Response:
    """Send the browser to Canvas, with a cookie that it has to bring back."""
    _enter()
    require_own_page()
    leaving = api_access.leave(token, services())
    response = cast("Response", redirect(leaving.address, HTTPStatus.SEE_OTHER, Response))
    cookies.put_top_level(
        response,
        name=leaving.cookie,
        secret=leaving.secret,
        max_age_seconds=api_access.CONSENT_SECONDS,
    )
    return response


@blueprint.route("/callback", methods=["GET"], provide_automatic_options=False)
def come_back() -> Response:
    """Keep what the administrator authorised.

    Source: RFC 6749, 4.1.2.
    """
    _enter()
    authorized = api_access.come_back(login_parameters(request), request.cookies, services())
    response = make_response(render_template("access_done.html", authorized=authorized))
    cookies.remove_top_level(response, authorized.cookie)
    return response


def _enter() -> None:
    """Pass the door; reading a page's headers must not begin or end anything.

    Raises:
        MethodNotAllowed: For HEAD.
    """
    if request.method == "HEAD":
        raise MethodNotAllowed(["GET", "POST"])
    services().doors.enter(doors.REGISTER, request.remote_addr or "")
