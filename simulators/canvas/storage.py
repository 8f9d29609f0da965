"""What Canvas keeps for tools whose browser keeps no cookies, and how that fails.

A tool in a frame asks a frame beside it, or the page around it, to keep values. The table
``config`` may hold ``storage_target`` (``_parent``, else the frame's name) and ``storage_mode``,
which ``POST /_control/storage`` changes:

- ``on``: as Canvas does,
- ``silent``: nothing is answered, as in the mobile apps,
- ``unlisted``: only ``lti.capabilities`` is answered, and lists nothing but itself,
- ``error``: every question about data is answered with an error,
- ``forgetful``: what was kept is gone when it is asked for,
- ``tampered``: another value is given than was kept,
- ``wrong_id``: the answer belongs to another message,
- ``elsewhere``: the frame is of another origin than the login.

Source: canvas.md 5.10.
"""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.canvas.wire import answer, refuse
from simulators.canvas.world import config, db

blueprint = Blueprint("storage", __name__)

FRAME = "post_message_forwarding"
MODES = (
    "on",
    "silent",
    "unlisted",
    "error",
    "forgetful",
    "tampered",
    "wrong_id",
    "elsewhere",
)
_OTHER_HOST = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


def storage_target() -> str:
    """The window that tools are told to ask."""
    return config().get("storage_target", FRAME)


@blueprint.get(f"/{FRAME}")
def frame() -> AnyResponse:
    """The frame that keeps values for tools."""
    host, _, port = request.host.partition(":")
    if _mode() == "elsewhere" and request.args.get("moved") is None and host in _OTHER_HOST:
        return redirect(f"http://{_OTHER_HOST[host]}:{port}/{FRAME}?moved=1")
    return make_response(render_template("canvas_storage.html"))


@blueprint.get(f"/{FRAME}.js")
def script() -> Response:
    """What answers tools, in the frame and in the page around it."""
    response = make_response(render_template("canvas_storage.js", mode=_mode()))
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/_control/storage")
def change() -> Response:
    """Choose how storing goes (``mode``), and whom tools are told to ask (``target``)."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or sent.get("mode") not in MODES:
        refuse(400, {"error": f"mode is one of {', '.join(MODES)}"})
    target = sent.get("target", FRAME)
    if target not in {FRAME, "_parent"}:
        refuse(400, {"error": f"target is {FRAME} or _parent"})
    db().executemany(
        "INSERT OR REPLACE INTO config VALUES (?, ?)",
        (("storage_mode", sent["mode"]), ("storage_target", target)),
    )
    return answer({"mode": sent["mode"], "target": target})


def _mode() -> str:
    return config().get("storage_mode", "on")
