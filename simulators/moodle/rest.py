"""The REST server: ``/webservice/rest/server.php``.

Errors are HTTP 200 with an exception in the body; the first use of an expired token deletes
it; without ``moodlewsrestformat=json`` everything is XML.

Source: moodle.md, sections 2 and 2.1.
"""

import codecs
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec
from flask import Blueprint, Response, request

from simulators.moodle.faults import doubled, tally
from simulators.moodle.parameters import InvalidParameterError, Shape, checked, nested
from simulators.moodle.site import Site, site

blueprint = Blueprint("rest", __name__)


Call = Callable[[Site, dict[str, Any]], Any]

OUTSIDE_SERVICE = frozenset(
    {
        "core_course_create_courses",
        "core_course_delete_courses",
        "core_user_create_users",
        "core_user_delete_users",
        "core_user_update_users",
        "core_enrol_unenrol_users",
        "enrol_manual_enrol_users",
    }
)
"""Functions that this Moodle has and that the token's service does not offer."""


class MoodleError(Exception):
    """An error as Moodle's web services send it."""

    def __init__(self, exception: str, errorcode: str, message: str) -> None:
        super().__init__(message)
        self.payload = {"exception": exception, "errorcode": errorcode, "message": message}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    call: Call
    fields: Mapping[str, Shape]


FUNCTIONS: dict[str, _Function] = {}


def function(name: str, fields: Mapping[str, Shape] | None = None) -> Callable[[Call], Call]:
    """Register what answers a web service function, with the parameters it takes."""

    def register(call: Call) -> Call:
        FUNCTIONS[name] = _Function(call=call, fields=fields or {})
        return call

    return register


def missing_record(table: str) -> MoodleError:
    """The error for an id that is not there."""
    message = f"Can't find data record in database table {table}."
    return MoodleError("dml_missing_record_exception", "invalidrecord", message)


def denied() -> MoodleError:
    """The error for everything that the token may not do, with no word why."""
    return MoodleError("webservice_access_exception", "accessexception", "Access control exception")


def no_permission(title: str) -> MoodleError:
    """The error for a missing right; Moodle names the right's title."""
    message = f"Sorry, but you do not currently have permissions to do that ({title})."
    return MoodleError("core\\exception\\required_capability_exception", "nopermissions", message)


@blueprint.route("/webservice/rest/server.php", methods=["GET", "POST"])
def server() -> Response:
    """Answer one web service call."""
    sent = nested([*request.args.items(multi=True), *request.form.items(multi=True)])
    is_json = sent.pop("moodlewsrestformat", "") == "json"
    try:
        answer = doubled(_answer(site(), sent))
    except MoodleError as error:
        answer = error.payload
    if is_json:
        return Response(as_json(answer), content_type="application/json; charset=utf-8")
    return Response(as_xml(answer), content_type="application/xml; charset=utf-8")


def _answer(here: Site, sent: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever a function sends
    _check_token(here, sent.pop("wstoken", ""))
    name = sent.pop("wsfunction", "")
    found = FUNCTIONS.get(name)
    if found is None and name not in OUTSIDE_SERVICE:
        raise missing_record("external_functions")
    if found is None or name in here.without:
        raise denied()
    try:
        arguments = checked(found.fields, sent)
    except InvalidParameterError as error:
        raise MoodleError(
            "core\\exception\\invalid_parameter_exception",
            "invalidparameter",
            "Invalid parameter value detected",
        ) from error
    return found.call(here, arguments)


def _check_token(here: Site, token: object) -> None:
    found = here.row("SELECT * FROM tokens WHERE token = ? AND kind = 'rest'", str(token))
    expiry = tally().token_expiry(str(token))
    if found is None or expiry == "deleted":
        message = "Invalid token - token not found"
        raise MoodleError("core\\exception\\moodle_exception", "invalidtoken", message)
    if expiry == "expired":
        raise denied()
    if found["expires_at"] is not None and found["expires_at"] <= here.now:
        here.write("DELETE FROM tokens WHERE token = ?", str(token))
        raise denied()
    if here.is_suspended:
        message = "Refused web service access for suspended username: wsuser"
        raise MoodleError("core\\exception\\moodle_exception", "wsaccessusersuspended", message)
    if here.lacks("webservice/rest:use"):
        raise denied()


def as_json(answer: Any) -> bytes:  # noqa: ANN401 - whatever a function sends
    """An answer, or an exception, as PHP writes JSON: whatever is not ASCII is escaped."""
    return msgspec.json.encode(answer).decode().encode("ascii", "json_escape")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("json_escape", _escaped)


def as_xml(answer: Any) -> str:  # noqa: ANN401 - whatever a function sends
    """An answer, or an exception, as Moodle's REST server writes XML."""
    if isinstance(answer, dict) and "exception" in answer:
        body = (
            f"<EXCEPTION class={quoteattr(answer['exception'])}>\n"
            f"<ERRORCODE>{escape(answer['errorcode'])}</ERRORCODE>\n"
            f"<MESSAGE>{escape(answer['message'])}</MESSAGE>\n</EXCEPTION>"
        )
    else:
        body = f"<RESPONSE>\n{_element(answer)}\n</RESPONSE>"
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n{body}\n'


def _element(value: Any) -> str:  # noqa: ANN401 - whatever a function sends
    if isinstance(value, dict):
        keys = (f"<KEY name={quoteattr(name)}>{_element(v)}</KEY>" for name, v in value.items())
        return "<SINGLE>\n" + "\n".join(keys) + "\n</SINGLE>"
    if isinstance(value, list):
        return "<MULTIPLE>\n" + "\n".join(_element(item) for item in value) + "\n</MULTIPLE>"
    if value is None:
        return '<VALUE null="null"/>'
    text = str(int(value)) if isinstance(value, bool) else str(value)
    return f"<VALUE>{escape(text)}</VALUE>"
