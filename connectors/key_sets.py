"""A platform's public keys, over the network."""

import re
from collections.abc import Mapping
from typing import Any

from connectors.errors import GiveUp
from connectors.http import HttpClient, Request
from connectors.limiter import UnpacedLimiter

READ_SECONDS = 5.0
LARGEST_BYTES = 1 << 20
_MAX_AGE = re.compile(r"max-age\s*=\s*(\d{1,9})")


def fetch_key_set(url: str, *, public_url: str) -> tuple[Mapping[str, Any], int | None]:
    """Get a key set.

    Args:
        url: Where the platform publishes it.
        public_url: Where Waymark is.

    Returns:
        The document and the seconds it may be kept, where the platform says so. Failures come
        as the errors of ``connectors.errors``.

    Raises:
        GiveUp: The answer is larger than any key set.

    Source: RFC 7517; contracts/lti.md 6.2 and 6.3.
    """
    client = HttpClient(
        platform="The platform", addresses=(url,), limiter=UnpacedLimiter(), public_url=public_url
    )
    reply = client.send(Request(method="GET", url=url, read_seconds=READ_SECONDS))
    if len(reply.body) > LARGEST_BYTES:
        raise GiveUp("The platform's key set is larger than 1 MB.", cause="too_large")
    found = _MAX_AGE.search(reply.headers.get("Cache-Control", ""))
    return reply.decode(dict[str, Any]), int(found[1]) if found else None
