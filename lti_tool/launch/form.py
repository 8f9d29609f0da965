"""Parameters of a login or launch, read strictly: capped, once each, from where they belong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Request

from lti_tool.launch.refusals import RequestRefused, RequestTooLarge, WrongMediaType

FORM_TYPE = "application/x-www-form-urlencoded"
LOGIN_TOTAL = 16_384
LAUNCH_TOTAL = 131_072
PARAMETER_LENGTH = 4_096
TOKEN_LENGTH = 65_536
"""Characters; Canvas's largest real tokens have about 8,000."""

_NOT_PLAIN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_IDENTIFIERS = ("iss", "client_id", "state")
_IDENTIFIER_LENGTH = 512
_MOST_FIELDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a request said, each name at most once."""

    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """A parameter's text, empty where it is absent."""
        return self.values.get(name, "")

    def require(self, name: str) -> str:
        """A parameter's text.

        Raises:
            RequestRefused: It is absent or empty.
        """
        if not self.get(name):
            raise RequestRefused(f"no_{name}")
        return self.get(name)


def login_parameters(request: Request) -> Parameters:
    """The parameters of a login initiation, from the query of a GET or the form of a POST.

    Args:
        request: The request.

    Returns:
        Its parameters, at most 4,096 characters each.

    Raises:
        RequestTooLarge: More than 16 kB in all, or a parameter is too long.
        WrongMediaType: A POST is no form.
        RequestRefused: A parameter is given twice, or an identifier is no plain text.

    Source: LTI Security Framework 1.0, 5.1.1.1; RFC 6749, 3.1 (no parameter twice).
    """  # noqa: DOC502 - the refusals come from the functions below
    if request.method == "POST":
        return _parameters(_form(request, LOGIN_TOTAL))
    if len(request.query_string) > LOGIN_TOTAL:
        raise RequestTooLarge("query_too_large")
    return _parameters(request.query_string)


def launch_parameters(request: Request) -> Parameters:
    """The parameters of a launch; the query is not looked at, since addresses get into logs.

    Args:
        request: A POST.

    Returns:
        Its parameters, ``id_token`` at most 65,536 characters, others 4,096.

    Raises:
        RequestTooLarge: More than 128 kB in all, or a parameter is too long.
        WrongMediaType: It is no form.
        RequestRefused: A parameter is given twice, or an identifier is no plain text.

    Source: OpenID Connect Core 1.0, 3.2.2.5; OAuth 2.0 Form Post Response Mode, 2.
    """  # noqa: DOC502 - the refusals come from the functions below
    return _parameters(_form(request, LAUNCH_TOTAL))


def is_plain(text: str) -> bool:
    """Whether a text can be kept and compared: no control characters, encodable as UTF-8."""
    return _NOT_PLAIN.search(text) is None


def _form(request: Request, most_bytes: int) -> bytes:
    if request.mimetype != FORM_TYPE:
        raise WrongMediaType("not_a_form")
    # A body in chunks does not say how long it is; the app stops reading it at its own limit.
    if (request.content_length or 0) > most_bytes:
        raise RequestTooLarge("form_too_large")
    data = request.get_data(cache=False)
    if len(data) > most_bytes:
        raise RequestTooLarge("form_too_large")
    return data


def _parameters(encoded: bytes) -> Parameters:
    try:
        pairs = parse_qsl(
            encoded.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise RequestTooLarge("too_many_parameters") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise RequestRefused("parameter_twice")
        values[name] = _checked(name, value)
    return Parameters(values=values)


def _checked(name: str, value: str) -> str:
    is_identifier = name in _IDENTIFIERS
    longest = TOKEN_LENGTH if name == "id_token" else PARAMETER_LENGTH
    if len(value) > (_IDENTIFIER_LENGTH if is_identifier else longest):
        raise RequestTooLarge("parameter_too_large")
    if is_identifier and not is_plain(value):
        raise RequestRefused("parameter_not_plain")
    return value
