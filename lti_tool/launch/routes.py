"""The addresses an LMS knows, and the one that browsers without cookies need besides."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import MethodNotAllowed

from lti_tool.languages import told_by_the_lms
from lti_tool.launch import cookies, doors
from lti_tool.launch.claims import origin_of
from lti_tool.launch.form import Parameters, launch_parameters, login_parameters
from lti_tool.launch.login import Login
from lti_tool.launch.message import MessageLaunch
from lti_tool.launch.registry import RegistrationsChanged
from lti_tool.launch.services import services
from lti_tool.launch.sessions import await_proof, frame_origins, open_proven_session, open_session
from lti_tool.launch.state import StoragePlace
from lti_tool.launch.tool_keys import MAX_AGE_SECONDS
from lti_tool.pages.headers import allow_forms, allow_frames

LAUNCH_PATH = "/lti/launch"
_FRAMES = ("iframe", "frame", "embed", "object")
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
    services().doors.enter(doors.LOGIN, request.remote_addr or "")
    parameters = login_parameters(request)
    try:
        return _begun(parameters)
    except RegistrationsChanged:
        return _begun(parameters)


def _begun(parameters: Parameters) -> Response:
    at = services()
    begun = Login(parameters, at, sent_cookies=request.cookies)
    begun.require_own_target()
    response: Response = begun.redirect(at.origin + LAUNCH_PATH)
    if _may_keep_no_cookie(parameters):
        response = _ladder(begun, parameters)
        begun.set_cookies(response)
    if cookies.PROBE not in request.cookies:
        cookies.put_probe(response)
    return response


def _may_keep_no_cookie(parameters: Parameters) -> bool:
    """Whether the browser has yet to show that it keeps cookies where the LMS put Waymark."""
    if cookies.PROBE in request.cookies:
        return False
    is_framed = request.headers.get("Sec-Fetch-Dest", "") in _FRAMES
    return is_framed or bool(parameters.get("lti_storage_target"))


def _ladder(begun: Login, parameters: Parameters) -> Response:
    allow_frames(frame_origins(begun.platform))
    repeated = {
        name: value for name, value in parameters.values.items() if name != "lti_storage_target"
    }
    ladder = {
        "address": begun.address,
        "storage": begun.storage and {**_place(begun.storage), "value": begun.storage_secret},
        "parameters": repeated,
        "host": urlsplit(services().origin).netloc,
    }
    return make_response(render_template("login_ladder.html", ladder=ladder))


@blueprint.route("/launch", methods=["POST"], provide_automatic_options=False)
def launch() -> Response:
    """Check what the LMS posts, open a session and go to its page.

    Source: LTI Security Framework 1.0, 5.1.1.3 and 5.1.3.
    """
    at = services()
    at.doors.enter(doors.LAUNCH, request.remote_addr or "")
    parameters = launch_parameters(request)
    message = MessageLaunch(parameters, at, sent_cookies=request.cookies)
    message.validate()
    at.offers.note(message.claims, message.platform)
    if message.unproven is not None:
        return _proof_wanted(message, parameters.get("state"))
    return open_session(message, at, sent_cookies=request.cookies, state=parameters.get("state"))


def _proof_wanted(message: MessageLaunch, state: str) -> Response:
    """A page that shows nothing of the launch but gets the browser's secret from the LMS."""
    assert message.unproven is not None  # noqa: S101 - the caller's question
    assert message.unproven.storage is not None  # noqa: S101 - or it would have been refused
    allow_frames(frame_origins(message.platform))
    told_by_the_lms(message.claims.locale)
    if message.claims.deep_linking is not None:
        # The page stays while what is in it changes, up to the form that answers the LMS.
        allow_forms((origin_of(message.claims.deep_linking.return_url),))
    ladder = {
        "ticket": await_proof(message, services(), state=state),
        "storage": _place(message.unproven.storage),
        "host": urlsplit(services().origin).netloc,
    }
    return make_response(render_template("launch_ladder.html", ladder=ladder))


def _place(storage: StoragePlace) -> dict[str, str]:
    return {"target": storage.target, "origin": storage.origin, "key": storage.key}


@blueprint.route("/proof", methods=["POST"], provide_automatic_options=False)
def proof() -> Response:
    """Take the secret that the LMS kept for a browser without cookies, and open its session.

    Returns:
        ``bearer`` and ``page`` as JSON.

    Source: LTI OIDC Login with Client Side postMessages 0.1; contracts/lti.md 4.P.
    """
    at = services()
    at.doors.enter(doors.LAUNCH, request.remote_addr or "")
    parameters = launch_parameters(request)
    bearer, page = open_proven_session(
        parameters.require("ticket"), parameters.require("value"), at
    )
    return jsonify(bearer=bearer, page=page)


@blueprint.get("/jwks")
def jwks() -> Response:
    """Waymark's public keys.

    Source: LTI Security Framework 1.0, 6.3; RFC 7517, 5.
    """
    document = services().tool_keys.document()
    response = Response(document.body, mimetype="application/json")
    response.set_etag(document.etag)
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    response.make_conditional(request)
    return response
