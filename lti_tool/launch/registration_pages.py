"""The doors through which an LMS's administrator registers it: by itself, by JSON, by hand."""

from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.exceptions import MethodNotAllowed

from lti_tool.launch import doors, registration
from lti_tool.launch.form import Parameters, login_parameters
from lti_tool.launch.manual_registration import SetupForm, register_by_hand, setup_form
from lti_tool.launch.own_page import require_own_page
from lti_tool.launch.services import services
from lti_tool.launch.tool_configuration import canvas_key
from lti_tool.pages.headers import allow_frames

blueprint = Blueprint("registration", __name__, url_prefix="/lti")

_KEY_SECONDS = 3600


@blueprint.route("/register", methods=["GET"], provide_automatic_options=False)
def begin() -> Response:
    """Read what the LMS says of itself, then show it at an address without a token.

    Source: LTI Dynamic Registration 1.0, 3.3.
    """
    parameters = _entered()
    begun_id = registration.begin(parameters, services())
    # The token came in the address, which browsers keep and show: the page has another.
    address = f"/lti/register/{begun_id}"
    return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))


@blueprint.route(
    "/register/<string(length=43):begun_id>", methods=["GET"], provide_automatic_options=False
)
def confirm(begun_id: str) -> str:
    """What would be registered, with one button."""
    services().doors.enter(doors.REGISTER, request.remote_addr or "")
    shown = registration.show(begun_id, services())
    allow_frames(shown.origins)
    return render_template("register_confirm.html", shown=shown)


@blueprint.route("/register", methods=["POST"], provide_automatic_options=False)
def complete() -> str:
    """Register, and have the LMS close the page."""
    parameters = _entered()
    require_own_page()
    registered = registration.complete(parameters.get("registration"), services())
    allow_frames(registered.origins)
    return render_template("register_done.html", registered=registered)


@blueprint.route("/setup", methods=["GET"], provide_automatic_options=False)
def setup() -> Response:
    """Every value to paste into the LMS, and a form for those that it shows in return."""
    return _setup_page(setup_form(_entered().get("invite"), services()))


@blueprint.route("/setup", methods=["POST"], provide_automatic_options=False)
def set_up() -> Response:
    """Register what the form describes, or show the form again with what is wrong."""
    parameters = _entered()
    require_own_page()
    done = register_by_hand(parameters, services())
    if isinstance(done, SetupForm):
        return _setup_page(done)
    return make_response(render_template("setup_done.html", registered=done))


@blueprint.get("/canvas.json")
def canvas_json() -> Response:
    """The JSON from which Canvas makes a developer key; the same for everybody.

    Source: contracts/canvas.md 5.4.
    """
    response = jsonify(canvas_key(services().origin))
    response.headers["Cache-Control"] = f"public, max-age={_KEY_SECONDS}"
    return response


def _entered() -> Parameters:
    """The parameters of a request that passed the door; reading a page must not begin anything.

    Raises:
        MethodNotAllowed: For HEAD.
    """
    if request.method == "HEAD":
        raise MethodNotAllowed(["GET", "POST"])
    services().doors.enter(doors.REGISTER, request.remote_addr or "")
    return login_parameters(request)


def _setup_page(form: SetupForm) -> Response:
    allow_frames(())
    page = render_template("setup.html", form=form)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.problems else HTTPStatus.OK
    return make_response(page, status)
