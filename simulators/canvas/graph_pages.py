"""GraphQL: pages of a connection and the cursors between them.

Source: canvas.md 2.5.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from simulators.faults import AGAIN

DEFAULT_PAGE = 20
LARGEST_PAGE = 100


def window(wanted: Mapping[str, Any]) -> tuple[int, int]:
    """How many rows a page has, and how many come before it."""
    first = wanted.get("first")
    size = DEFAULT_PAGE if first is None else max(0, min(first, LARGEST_PAGE))
    return size, _offset(wanted.get("after"))


def page_info(offset: int, shown: int, *, has_more: bool) -> dict[str, object]:
    """What a page says of itself.

    Args:
        offset: How many rows come before it.
        shown: How many it has.
        has_more: Whether others follow.
    """
    return {
        "hasNextPage": has_more,
        "hasPreviousPage": offset > 0,
        "startCursor": cursor_of(offset + 1) if shown else None,
        "endCursor": cursor_of(offset + shown) if shown else None,
    }


def cursor_of(position: int) -> str:
    """The cursor of a row."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _offset(cursor: str | None) -> int:
    """The position behind which a page begins; a readable but senseless cursor is the start."""
    if not cursor:
        return 0
    cursor = cursor.removesuffix(AGAIN)
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise GraphQLError(f'Invalid cursor: "{cursor}"') from error
    return int(text) if text.isdigit() else 0
