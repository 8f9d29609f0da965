"""Canvas's own API: how it is addressed, authorised and paged."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TypeVar

import msgspec

from connectors.advantage import with_query
from connectors.errors import Unauthorized
from connectors.http import HttpClient, Reply, Request
from connectors.paging import follow
from connectors.platform import PlatformAccess

T = TypeVar("T")

# More is silently clamped; the default is 10.
_PAGE_SIZE = ("per_page", "100")


class CanvasRest:
    """Asks Canvas's REST and GraphQL API with the service user's token.

    Source: Canvas LMS REST API documentation, basics, pagination, object ids.
    """

    def __init__(self, http: HttpClient, access: PlatformAccess) -> None:
        self.http = http
        self._access = access

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self._access.name

    def rows(
        self, path: str, shape: type[T], params: Sequence[tuple[str, str]] = ()
    ) -> Iterator[T]:
        """All rows of a paged list.

        Args:
            path: Behind ``/api/v1/``.
            shape: Of one row.
            params: Query parameters beside the page size.

        Yields:
            Rows in Canvas's order.
        """
        for reply in self.pages(path, params):
            yield from reply.decode(list[shape])  # type: ignore[valid-type]

    def pages(
        self,
        path: str,
        params: Sequence[tuple[str, str]] = (),
        passes: AbstractSet[int] = frozenset(),
    ) -> Iterator[Reply]:
        """The answers of a paged list, undecoded.

        Args:
            path: Behind ``/api/v1/``.
            params: Query parameters beside the page size.
            passes: Statuses that the caller understands.

        Yields:
            One answer a page.
        """

        def fetch(url: str) -> Reply:
            return self._send(Request(method="GET", url=url, passes=passes))

        yield from follow(with_query(self._url(path), [*params, _PAGE_SIZE]), fetch)

    def get(self, path: str, shape: type[T]) -> T:
        """One object."""
        return self._send(Request(method="GET", url=self._url(path))).decode(shape)

    def write(self, method: str, path: str, *, payload: object, shape: type[T]) -> T:
        """Create or change something.

        Args:
            method: POST or PUT.
            path: Behind ``/api/v1/``.
            payload: Sent as JSON.
            shape: Of the answer.

        Returns:
            The answer.
        """
        return self._post(method, self._url(path), payload).decode(shape)

    def query(self, text: str, variables: object, shape: type[T]) -> T:
        """Ask the GraphQL API."""
        url = f"{self._access.api_url}/api/graphql"
        return self._post("POST", url, {"query": text, "variables": variables}).decode(shape)

    def _post(self, method: str, url: str, payload: object) -> Reply:
        headers = {"Content-Type": "application/json"}
        body = msgspec.json.encode(payload)
        return self._send(Request(method=method, url=url, headers=headers, body=body))

    def _send(self, request: Request) -> Reply:
        if not self._access.api_token:
            raise Unauthorized(
                f"{self.platform} has no access token. Enter one of a service user who may view "
                "all grades and manage grades.",
                cause="no_token",
                platform=self.platform,
            )
        headers = {
            **request.headers,
            "Authorization": f"Bearer {self._access.api_token}",
            "Accept": "application/json+canvas-string-ids",
        }
        return self.http.send(replace(request, headers=headers))

    def _url(self, path: str) -> str:
        return f"{self._access.api_url}/api/v1/{path}"
