"""What a completed read of a Canvas course hands on to the next one."""

from datetime import UTC, datetime, timedelta

import msgspec

from mapping.records import Cursor

OVERLAP = timedelta(minutes=10)
"""How far a read reaches back before the last one's first request: clocks differ, and rows are
written late."""


class CanvasCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How far a course was read.

    Attributes:
        updated_since: From where the next read goes on; aware, UTC, overlap included.
        lists: Digest of the course's lists (see ``connectors.canvas.lists``); empty where they
            could not be had whole, and then the course has to be read to know.
        is_by_rest: Whether GraphQL was refused, so that the next read does not ask for it.
    """

    updated_since: datetime
    lists: str = ""
    is_by_rest: bool = False


def cursor_from(moment: datetime, *, lists: str = "", is_by_rest: bool = False) -> Cursor:
    """The cursor of a read that began at a moment.

    Args:
        moment: When the first request was sent, aware.
        lists: The digest of the lists.
        is_by_rest: Whether GraphQL was refused.

    Returns:
        JSON that ``read_cursor`` reads.
    """
    # In UTC first: local time has hours that come twice.
    since = moment.astimezone(UTC) - OVERLAP
    made = CanvasCursor(updated_since=since, lists=lists, is_by_rest=is_by_rest)
    return Cursor(msgspec.json.encode(made).decode())


def read_cursor(cursor: Cursor | None) -> CanvasCursor | None:
    """What a cursor holds.

    Args:
        cursor: What ``cursor_from`` made, or anything else.

    Returns:
        Its members; None for no cursor and for a foreign one, which means to read everything:
        slow, never wrong.
    """
    if cursor is None:
        return None
    try:
        found = msgspec.json.decode(cursor, type=CanvasCursor)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    if found.updated_since.tzinfo is None:
        return None
    return msgspec.structs.replace(found, updated_since=found.updated_since.astimezone(UTC))


def wire(moment: datetime) -> str:
    """A moment in UTC in the one form that all parts of Canvas read."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
