"""Pages of an answer.

Follows ``Link`` headers as they are found in the field, not only as RFC 8288 wants them: Moodle
writes typographic quotes and ``&amp;``. A URL is otherwise opaque: Canvas takes a changed
bookmark for "first page", so a single lower-cased letter would loop for ever.
"""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urljoin

from connectors.errors import GiveUp
from connectors.http import Reply, origin_of

MOST_PAGES = 10_000
_QUOTES = "\"'\u201c\u201d\u201e\u2018\u2019"


def next_link(headers: Mapping[str, str], url: str) -> str | None:
    """The address of the next page.

    Args:
        headers: The answer's headers; several ``Link`` headers come joined by commas.
        url: Where the answer came from; relative links are resolved against it.

    Returns:
        An absolute URL, or None on the last page.

    Source: RFC 8288; Canvas, pagination; Moodle 4.5 mod/lti (quotes and ``&amp;``).
    """
    for target, parameters in _links(_as_unicode(headers.get("Link", ""))):
        if "next" in _relations(parameters):
            # Only this entity: an unescape of all would make a sign of "&copy=1".
            found = target.strip().replace("&amp;", "&")
            return found if found.startswith(("https://", "http://")) else urljoin(url, found)
    return None


def _as_unicode(header: str) -> str:
    """HTTP headers are read as Latin-1; Moodle sends UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _links(header: str) -> Iterator[tuple[str, str]]:
    """Each ``<target>`` with the parameters that follow it, up to the next ``<``."""
    for part in header.split("<")[1:]:
        target, closed, parameters = part.partition(">")
        if closed:
            yield target, parameters


def _relations(parameters: str) -> list[str]:
    for parameter in parameters.replace(",", ";").split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "rel":
            return value.strip().strip(_QUOTES).lower().split()
    return []


def follow(url: str, fetch: Callable[[str], Reply]) -> Iterator[Reply]:
    """All pages of an answer, from the first on.

    Gives up where a link leads to another site or to a page that was there before, and after
    10,000 pages.

    Args:
        url: The first page.
        fetch: Asks for one page.

    Yields:
        One answer for each page.
    """
    guard = LoopGuard()
    reply = fetch(url)
    guard.check(url, reply.platform)
    yield reply
    while (page := next_link(reply.headers, reply.url)) is not None:
        _refuse_other_origin(url, page, reply.platform)
        guard.check(page, reply.platform)
        reply = fetch(page)
        yield reply


def _refuse_other_origin(first: str, following: str, platform: str) -> None:
    if origin_of(following) != origin_of(first):
        raise GiveUp(
            f"{platform} names a next page on another site ({origin_of(following)}); Waymark "
            "does not follow.",
            cause="foreign_address",
            platform=platform,
        )


class LoopGuard:
    """Refuses to go in circles: a marker of a page may come once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def check(self, marker: str, platform: str) -> None:
        """Note the marker of a page.

        Args:
            marker: A page's address or cursor.
            platform: The platform's name.

        Raises:
            GiveUp: The marker was there before, or there are too many.
        """
        if marker in self._seen or len(self._seen) >= MOST_PAGES:
            raise GiveUp(
                f"{platform} sends the same page again and again; Waymark stopped reading.",
                cause="paging_loop",
                platform=platform,
            )
        self._seen.add(marker)
