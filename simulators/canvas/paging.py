"""Pages of a list and the Link header that joins them.

Source: canvas.md 1.3 (lib/api.rb and bookmarked_collection).
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request

from simulators.canvas.wire import JSON, NOT_FOUND, answer, refuse
from simulators.faults import AGAIN, turned

DEFAULT_PAGE = 10
LARGEST_PAGE = 100
LARGEST_LINK_BYTES = 6 * 1024
WIRE_ORDER = ("current", "next", "prev", "first", "last")
KEPT_FIRST = ("next", "last", "prev", "current", "first")
NOT_ECHOED = {"page", "per_page", "access_token", "api_key"}
BOOKMARK = "bookmark:"

Row = TypeVar("Row")


def page_size(*, largest: int = LARGEST_PAGE, default: int = DEFAULT_PAGE) -> int:
    """How many rows a page has; asking for more is clamped without a word."""
    asked = request.args.get("limit") or request.args.get("per_page") or ""
    return max(1, min(int(asked), largest)) if asked.isdigit() else default


def paged(
    rows: Sequence[Row],
    shape: Callable[[Row], object],
    *,
    size: int | None = None,
    wrap: Callable[[list[object]], object] | None = None,
    content_type: str = JSON,
) -> Response:
    """Answer with one page of a list of known length; a page past the end is empty."""
    per_page = size or page_size()
    page = _page_number()
    last = max(1, -(-len(rows) // per_page))
    shown = [shape(row) for row in shown_rows(rows, size)]
    targets = {"current": str(page), "first": "1", "last": str(last)}
    following = turned(request.args.get("page", "1"), str(page + 1) if page < last else None)
    if following:
        targets["next"] = following
    if page > 1:
        targets["prev"] = str(page - 1)
    payload = wrap(shown) if wrap else shown
    return answer(
        payload, headers={"Link": link_header(targets, per_page)}, content_type=content_type
    )


def shown_rows(rows: Sequence[Row], size: int | None = None) -> Sequence[Row]:
    """The rows of a list that are on the page asked for."""
    per_page = size or page_size()
    first = (_page_number() - 1) * per_page
    return rows[first : first + per_page]


def _page_number() -> int:
    text = _asked("1")
    if text == "first":
        return 1
    if not text.isdigit() or int(text) < 1:
        refuse(404, NOT_FOUND)
    return int(text)


def _asked(first: str) -> str:
    """The token of the page that is asked for, the first one's where none is."""
    return request.args.get("page", first).removesuffix(AGAIN)


def bookmark_of(values: Sequence[object]) -> str:
    """The page token that continues behind a row."""
    token = json.dumps(list(values), separators=(",", ":")).encode()
    return BOOKMARK + base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def current_bookmark(length: int) -> list[Any] | None:
    """The row to continue behind; None for the first page.

    A token that cannot be read is taken for the first page, not refused: a client that
    mangles it starts over, for ever.

    Args:
        length: How many numbers a token of this list holds.
    """
    text = _asked("first")
    if not text.startswith(BOOKMARK):
        return None
    raw = text.removeprefix(BOOKMARK)
    try:
        values = json.loads(base64.b64decode(raw + "=" * (-len(raw) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    is_ours = isinstance(values, list) and len(values) == length
    return values if is_ours and all(isinstance(value, int) for value in values) else None


def bookmark_links(next_token: str | None) -> dict[str, str]:
    """The pages that a list of unknown length can name."""
    current = request.args.get("page", "first")
    targets = {"current": current, "first": "first"}
    following = turned(current, next_token)
    if following:
        targets["next"] = following
    return targets


def link_header(targets: Mapping[str, str], per_page: int) -> str:
    """The Link header; what does not fit into 6 KB is left out, next last of all."""
    kept = sorted(
        (key, value) for key, value in request.args.items(multi=True) if key not in NOT_ECHOED
    )
    links: dict[str, str] = {}
    room = LARGEST_LINK_BYTES
    for rel in (rel for rel in KEPT_FIRST if rel in targets):
        query = urlencode([*kept, ("page", targets[rel]), ("per_page", str(per_page))])
        link = f'<{request.base_url}?{query}>; rel="{rel}"'
        room -= len(link) + 1
        if room < 0:
            break
        links[rel] = link
    return ",".join(links[rel] for rel in WIRE_ORDER if rel in links)
