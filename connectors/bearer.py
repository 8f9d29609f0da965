"""Asking a service of LTI Advantage: with a token for one scope, at the platform's own site.

Every address of a service comes from the platform, in a launch or an answer. The token goes to
the platform's own origin only; for another none is even asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit, urlunsplit

from connectors.errors import GiveUp, Unauthorized
from connectors.http import HttpClient, Reply, Request, origin_of
from connectors.paging import follow
from connectors.platform import PlatformAccess
from connectors.tokens import ServiceTokens


class BearerCalls:
    """Requests to the services of one platform."""

    def __init__(self, http: HttpClient, tokens: ServiceTokens, *, access: PlatformAccess) -> None:
        self._http = http
        self._tokens = tokens
        self.access = access

    def send(self, request: Request, scope: str) -> Reply:
        """Send a request with a token; a refused token is renewed, once.

        Args:
            request: Without a token.
            scope: The one scope that the request needs.

        Returns:
            The answer, judged as ``HttpClient.send`` does.

        Raises:
            Unauthorized: A fresh token is refused, too.
            GiveUp: The address is on another site, or there is none.
        """  # noqa: DOC502 - raised by _refuse_foreign()
        self._refuse_foreign(request.url)
        token = self._tokens.get(self._http, self.access, [scope])
        reply = self._send_with(token, request)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            # A token may be revoked before its time.
            self._tokens.drop(self.access, [scope], refused=token)
            token = self._tokens.get(self._http, self.access, [scope])
            reply = self._send_with(token, request)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            raise Unauthorized(
                f"{self.access.name} refuses Waymark's service token. Check that the tool is "
                "installed in this course and may use this service (grades, or names and roles).",
                cause="service_refused",
                platform=self.access.name,
            )
        return reply

    def pages(self, first: str, scope: str, *, accept: str) -> Iterator[Reply]:
        """All pages of an answer, each asked for when the one before is used up.

        Args:
            first: The first page's address.
            scope: The scope that reading needs.
            accept: The one media type; Moodle compares it letter by letter.

        Yields:
            One answer for each page.
        """

        def fetch(url: str) -> Reply:
            return self.send(Request(method="GET", url=url, headers={"Accept": accept}), scope)

        yield from follow(first, fetch)

    def _send_with(self, token: str, request: Request) -> Reply:
        headers = {**request.headers, "Authorization": f"Bearer {token}"}
        passes = request.passes | {HTTPStatus.UNAUTHORIZED}
        return self._http.send(replace(request, headers=headers, passes=passes))

    def _refuse_foreign(self, url: str) -> None:
        if not url:
            raise GiveUp(
                f"{self.access.name} names no address for this service in this course. Check "
                "that the tool may use it there.",
                cause="no_service",
                platform=self.access.name,
            )
        if origin_of(url) != origin_of(self.access.api_url):
            raise GiveUp(
                f"{self.access.name} names a service on another site ({origin_of(url)}); "
                "Waymark does not follow.",
                cause="foreign_address",
                platform=self.access.name,
            )


def with_path(url: str, ending: str) -> str:
    """A URL with a segment added to its path; its query stays behind it.

    Moodle's ``.../lineitem?type_id=1`` becomes ``.../lineitem/scores?type_id=1``. No URL stays
    none: a course may name no place for a service.
    """
    if not url:
        return ""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{ending}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def with_query(url: str, added: Sequence[tuple[str, str]]) -> str:
    """A URL with query parameters added; those it has are kept as they are, also repeated ones.

    No URL stays none.
    """
    if not url:
        return ""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(added)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
