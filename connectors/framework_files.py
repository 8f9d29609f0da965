"""A framework's file from an address: only what changed since, and only from where it may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from connectors.addresses import Network
from connectors.exchange import Request
from connectors.http import HttpClient
from connectors.limiter import UnpacedLimiter

LARGEST_BYTES = 32 * 1024 * 1024
TOTAL_SECONDS = 120.0
_LONGEST_MARKS = {"etag": 255, "last-modified": 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """By what a server knows again what it sent; empty where it said nothing.

    Source: RFC 9110, 8.8 and 13.1.
    """

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """A file, and by what its server knows it again."""

    content: bytes
    marks: Marks


def fetch_file(
    url: str, known: Marks, *, public_url: str, private_networks: Sequence[Network] = ()
) -> FetchedFile | None:
    """Get a file: at most 32 MB in at most two minutes, from a public address, not redirected.

    Args:
        url: Where it is.
        known: Of the last answer; a server that has nothing newer says so in a word.
        public_url: Where Waymark is.
        private_networks: Networks that may be asked although they are not public.

    Returns:
        The file, or None where it is what it was. Failures come as the errors of
        ``connectors.errors``.
    """
    client = HttpClient(
        platform="The framework's address",
        addresses=(url,),
        limiter=UnpacedLimiter(),
        public_url=public_url,
        private_networks=private_networks,
    )
    said = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    request = Request(
        method="GET",
        url=url,
        headers={name: value for name, value in said.items() if value},
        passes=frozenset((HTTPStatus.NOT_MODIFIED,)),
        total_seconds=TOTAL_SECONDS,
        most_bytes=LARGEST_BYTES,
    )
    reply = client.send(request)
    if reply.status == HTTPStatus.NOT_MODIFIED:
        return None
    marks = {
        name: value if len(value) <= most else ""
        for name, most in _LONGEST_MARKS.items()
        for value in (reply.headers.get(name, ""),)
    }
    return FetchedFile(
        content=reply.body,
        marks=Marks(etag=marks["etag"], last_modified=marks["last-modified"]),
    )
