"""How Canvas puts an answer on the wire: JSON, ids, errors, times.

Source: canvas.md 1.1, 1.2 and 1.4.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import msgspec
from flask import Response, request

JSON = "application/json; charset=utf-8"
BEARER_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
NOT_FOUND = {"errors": [{"message": "The specified resource does not exist."}]}
FORBIDDEN = {
    "status": "unauthorized",
    "errors": [{"message": "user not authorized to perform that action"}],
}
_STRING_IDS = re.compile(r"application/json\+canvas-string-ids")
_ID_KEY = re.compile(r"(^|_)ids?$")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault of the simulator
    """An answer other than the one that was asked for; nothing is kept of the request."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def answer(
    payload: object,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
) -> Response:
    """An answer in JSON, with ids as text for a client that asked for them so."""
    if _STRING_IDS.search(request.headers.get("Accept", "")):
        payload = with_string_ids(payload)
    body = msgspec.json.encode(payload)
    return Response(body, status, headers=headers, content_type=content_type)


def with_string_ids(payload: object) -> object:
    """Turn the numbers under every id key of a payload into text, at all depths."""
    if isinstance(payload, Mapping):
        return {
            key: _stringified(value) if _ID_KEY.search(str(key)) else with_string_ids(value)
            for key, value in payload.items()
        }
    if isinstance(payload, list | tuple):
        return [with_string_ids(value) for value in payload]
    return payload


def _stringified(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_stringified(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def refuse(
    status: int,
    payload: object,
    *,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
) -> NoReturn:
    """Stop here and answer with an error."""
    raise Refused(answer(payload, status, headers=headers, content_type=content_type))


def refuse_lti(status: int, message: str, kind: str = "") -> NoReturn:
    """Stop here with the error shape of the LTI Advantage services.

    Source: canvas.md 1.4, last row; 412 is what Canvas uses unless it has a reason.
    """
    names = {
        400: "bad_request",
        401: "unauthorized",
        404: "not_found",
        412: "precondition_failed",
        422: "unprocessable_entity",
    }
    refuse(status, {"errors": {"type": kind or names[status], "message": message}})


def parameter(name: str) -> str | None:
    """A parameter of the query, the form or the JSON body, as text."""
    if name in request.values:
        return request.values[name]
    value = json_body().get(name)
    return None if value is None else str(value)


def parameters(name: str) -> Sequence[str]:
    """A repeated parameter, ``name[]`` or plain ``name``."""
    found = request.values.getlist(f"{name}[]") or request.values.getlist(name)
    inside = json_body().get(name)
    if not found and isinstance(inside, list):
        return [str(value) for value in inside]
    return found


def nested(name: str) -> dict[str, Any]:
    """A group of parameters: ``name[key]`` of a form or ``{name: {key: ...}}`` of JSON."""
    pattern = re.compile(rf"{re.escape(name)}\[(\w+)\]")
    found: dict[str, Any] = {}
    for key, value in request.values.items():
        match = pattern.fullmatch(key)
        if match:
            found[match[1]] = value
    inside = json_body().get(name)
    return found | inside if isinstance(inside, dict) else found


def json_body() -> dict[str, Any]:
    """The JSON object that was sent, empty where something else was."""
    if request.mimetype != "application/json":
        return {}
    payload = request.get_json(silent=True)
    return payload if isinstance(payload, dict) else {}


def is_true(value: object) -> bool:
    """What Rails takes for true."""
    return str(value).lower() in {"true", "1", "t", "on", "yes"}


def number(value: object, field: str) -> float:
    """A number of a request, or the refusal of a model that got none."""
    try:
        return float(str(value))
    except ValueError:
        details = [{"attribute": field, "type": "not_a_number", "message": "is not a number"}]
        refuse(400, {"errors": {field: details}})


def moment(text: str, field: str) -> float:
    """Seconds since 1970 of the one ISO 8601 form that Canvas reads.

    Source: canvas.md 1.1 (Api::ISO8601_REGEX).
    """
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            pass
    refuse(400, {"errors": {field: f"Invalid datetime for {field}"}})
