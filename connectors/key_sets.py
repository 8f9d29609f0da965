"""A platform's public keys, over the network."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.addresses import Network
from connectors.http import HttpClient, Request
from connectors.limiter import UnpacedLimiter

TOTAL_SECONDS = 5.0
LARGEST_BYTES = 1 << 20
_MAX_AGE = re.compile(r"""(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})""", re.IGNORECASE)


def fetch_key_set(
    url: str, *, public_url: str, private_networks: Sequence[Network] = ()
) -> tuple[Mapping[str, Any], int | None]:
    """Get a key set: at most 1 MB in at most 5 seconds, from a public address, not redirected.

    Args:
        url: Where the platform publishes it.
        public_url: Where Waymark is.
        private_networks: Networks that may be asked although they are not public.

    Returns:
        The document and the seconds it may be kept, where the platform says so. Failures come
        as the errors of ``connectors.errors``.

    Source: RFC 7517; contracts/lti.md 6.2 and 6.3.
    """
    client = HttpClient(
        platform="The platform",
        addresses=(url,),
        limiter=UnpacedLimiter(),
        public_url=public_url,
        private_networks=private_networks,
    )
    request = Request(
        method="GET",
        url=url,
        read_seconds=TOTAL_SECONDS,
        total_seconds=TOTAL_SECONDS,
        most_bytes=LARGEST_BYTES,
    )
    reply = client.send(request)
    found = _MAX_AGE.search(reply.headers.get("Cache-Control", ""))
    return reply.decode(dict[str, Any]), int(found[1]) if found else None
