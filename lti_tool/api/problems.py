"""Errors of the API as a program and its author read them.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from flask import Response

MOST_PROBLEMS = 200
"""So many of what is wrong are told."""
_MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong: ``title`` is the same for all of its kind, ``detail`` says what to do.

    ``problems`` are the first of many, a sentence each, where a file or a rule has several.
    """

    title: str
    status: int
    detail: str
    problems: Sequence[str] = ()


class Refused(Exception):  # noqa: N818 - named for what happened
    """A request cannot be answered as asked.

    Attributes:
        status: Of the answer.
        detail: What is wrong and what to do.
        headers: That go with it.
        problems: All that is wrong, a sentence each, where that is several things.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.problems = tuple(problems[:MOST_PROBLEMS])


def told(refused: Refused) -> Response:
    """A refusal as an answer."""
    status = refused.status
    body = Problem(
        title=status.phrase,
        status=status.value,
        detail=refused.detail,
        problems=refused.problems,
    )
    response = Response(msgspec.json.encode(body), status=status, mimetype=_MEDIA_TYPE)
    response.headers.extend(refused.headers)
    return response


class NotHere(Refused):
    """What is asked for is not there, or another district's, which is the same."""

    def __init__(self, what: str) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, f"There is no such {what} in this district.")


class Unusable(Refused):
    """What was sent is as described, and cannot be used; nothing was changed."""

    def __init__(self, detail: str, problems: Sequence[str] = ()) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, detail, problems=problems)


class ChangedSince(Refused):
    """Somebody changed the thing since the caller looked at it; nothing was changed."""

    def __init__(self, what: str, look: str) -> None:
        detail = f"{what} Look once more ({look}), and send the seen of that."
        super().__init__(HTTPStatus.CONFLICT, detail)
