"""Switching faults on and off: by address for stories and tests, by a page for people.

The two applications have the same address for it, ``/_control/faults``, and the same words
(``simulators.faults``).
"""

from pathlib import Path
from urllib.parse import unquote, urlencode

from flask import Blueprint, Flask, current_app, g, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from simulators.faults import (
    MODES,
    VARIANTS,
    Fault,
    Faults,
    UnknownFaultError,
    faults,
    parsed,
)
from simulators.lost_courses import lose, restore

ADDRESS = "/_control/faults"

blueprint = Blueprint("faults", __name__)


def install(app: Flask, path: Path, found: Faults) -> None:
    """Give an application its faults.

    Args:
        app: A simulator.
        path: Its state file.
        found: Its faults, with its clock.
    """
    app.extensions["faults"] = found
    app.extensions["faulty_state"] = path
    app.register_blueprint(blueprint)
    restore(path)


def suffered(line: str) -> Fault:
    """Count the request at hand and say what strikes it; a course may go lost by it.

    Args:
        line: As ``simulators.faults.Faults.strike`` wants it.

    Returns:
        The fault, or one of mode none.
    """
    fault = faults().strike(line)
    g.fault = fault
    if fault.mode == "course_deleted":
        lose(_state(), fault.course, unquote(f"{request.full_path} {_body()}"))
    elif faults().has_ended:
        restore(_state())
    return fault


@blueprint.post(ADDRESS)
def change() -> tuple[Response, int]:
    """Switch a fault on, or all off."""
    sent = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    try:
        fault = parsed(sent if isinstance(sent, dict) else {})
    except UnknownFaultError as error:
        return jsonify(error=str(error)), 400
    faults().set(fault)
    restore(_state())
    return (jsonify(ok=True, **faults().told()), 200) if request.is_json else _back()


@blueprint.get(ADDRESS)
def page() -> Response | str:
    """What is on, and a form to change it; what is on only, for who asks for JSON."""
    if request.accept_mimetypes.best == "application/json":
        return jsonify(faults().told())
    lms = current_app.name.rpartition(".")[2].capitalize()
    return render_template(
        "faults.html", told=faults().told(), modes=MODES, variants=VARIANTS, lms=lms
    )


def _body() -> str:
    """What was sent; a form may have been read already, and is then no body any more."""
    form = urlencode(list(request.form.items(multi=True)))
    return form or request.get_data(as_text=True)


def _back() -> tuple[Response, int]:
    return redirect(ADDRESS, 303), 303


def _state() -> Path:
    found: Path = current_app.extensions["faulty_state"]
    return found
