"""What requests with an idempotency key were answered, so that a repeated one is not done twice.

A key belongs to the token that sent it. Source: the IETF draft "The Idempotency-Key HTTP Header
Field".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from store.session import lock
from store.tables import api_answers

KEPT_FOR = timedelta(days=3)
"""How long a key is known."""
_WORKED_ON = timedelta(minutes=2)
"""After so long an unanswered request was given up by a process that died."""


class KeyOfAnother(Exception):  # noqa: N818 - named for what happened
    """The key was sent with another request before."""


class StillWorkedOn(Exception):  # noqa: N818 - named for what happened
    """The same request is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: by which token, under which key, and a digest of what it asks."""

    token: int
    key: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What it was answered."""

    status: int
    body: str


def begin(connection: Connection, asked: Asked, *, now: datetime) -> Answered | None:
    """Take a request up, unless it was answered before.

    Args:
        connection: A writing transaction, committed before the request is worked on.
        asked: The request.
        now: When.

    Returns:
        What it was answered before; None where it is to be worked on now.

    Raises:
        KeyOfAnother: The key was sent with another request.
        StillWorkedOn: The same one is under way.
    """
    lock(connection, "api", asked.token)
    connection.execute(delete(api_answers).where(api_answers.c.asked_at < now - KEPT_FOR))
    found = connection.execute(select(api_answers).where(_is(asked))).one_or_none()
    if found is not None:
        if found.request != asked.request:
            raise KeyOfAnother
        if found.status is not None:
            return Answered(status=found.status, body=found.body)
        if now - found.asked_at < _WORKED_ON:
            raise StillWorkedOn
        connection.execute(update(api_answers).where(_is(asked)).values(asked_at=now))
        return None
    connection.execute(
        insert(api_answers).values(
            token_id=asked.token, key=asked.key, request=asked.request, asked_at=now
        )
    )
    return None


def keep(connection: Connection, asked: Asked, answered: Answered) -> None:
    """Keep what a request was answered."""
    connection.execute(
        update(api_answers).where(_is(asked)).values(status=answered.status, body=answered.body)
    )


def forget(connection: Connection, asked: Asked) -> None:
    """Let a request that came to nothing be sent again under its key."""
    connection.execute(delete(api_answers).where(_is(asked)))


def _is(asked: Asked) -> ColumnElement[bool]:
    return and_(api_answers.c.token_id == asked.token, api_answers.c.key == asked.key)
