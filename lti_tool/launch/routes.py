"""The three addresses an LMS knows: login, launch and key set."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import MethodNotAllowed

from lti_tool.launch.form import launch_parameters, login_parameters
from lti_tool.launch.login import Login
from lti_tool.launch.message import MessageLaunch
from lti_tool.launch.services import services
from lti_tool.launch.sessions import open_session
from lti_tool.launch.tool_keys import MAX_AGE_SECONDS

LAUNCH_PATH = "/lti/launch"
blueprint = Blueprint("launch", __name__, url_prefix="/lti")


@blueprint.route("/login", methods=["GET", "POST"], provide_automatic_options=False)
def login() -> Response:
    """Send the browser back to the LMS, to be authenticated there.

    Raises:
        MethodNotAllowed: For HEAD, which must not begin a login.

    Source: LTI Security Framework 1.0, 5.1.1.
    """
    if request.method == "HEAD":
        raise MethodNotAllowed(["GET", "POST"])
    at = services()
    begun = Login(login_parameters(request), at, sent_cookies=request.cookies)
    begun.require_own_target()
    response: Response = begun.redirect(at.origin + LAUNCH_PATH)
    return response


@blueprint.route("/launch", methods=["POST"], provide_automatic_options=False)
def launch() -> Response:
    """Check what the LMS posts, open a session and go to its page.

    Source: LTI Security Framework 1.0, 5.1.1.3 and 5.1.3.
    """
    at = services()
    parameters = launch_parameters(request)
    message = MessageLaunch(parameters, at, sent_cookies=request.cookies)
    message.validate()
    return open_session(message, at, sent_cookies=request.cookies, state=parameters.get("state"))


@blueprint.get("/jwks")
def jwks() -> Response:
    """Waymark's public keys.

    Source: LTI Security Framework 1.0, 6.3; RFC 7517, 5.
    """
    response = jsonify(services().tool_keys.key_set())
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    return response
