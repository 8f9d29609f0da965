"""Errors of the API as a program and its author read them.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from http import HTTPStatus

import msgspec
from flask import Response

_MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong: ``title`` is the same for all of its kind, ``detail`` says what to do."""

    title: str
    status: int
    detail: str


class Refused(Exception):  # noqa: N818 - named for what happened
    """A request cannot be answered as asked.

    Attributes:
        status: Of the answer.
        detail: What is wrong and what to do.
        headers: That go with it.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def told(refused: Refused) -> Response:
    """A refusal as an answer."""
    status = refused.status
    body = Problem(title=status.phrase, status=status.value, detail=refused.detail)
    response = Response(msgspec.json.encode(body), status=status, mimetype=_MEDIA_TYPE)
    response.headers.extend(refused.headers)
    return response


class NotHere(Refused):
    """What is asked for is not there, or another district's, which is the same."""

    def __init__(self, what: str) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, f"There is no such {what} in this district.")
