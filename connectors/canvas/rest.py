"""Canvas's own API: how it is addressed, authorised and paged."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

import msgspec

from connectors.advantage import with_query
from connectors.canvas.oauth import is_token_refused, refused_user
from connectors.errors import Unauthorized
from connectors.http import HttpClient, Reply, Request, refusal
from connectors.lms_clock import LmsClock
from connectors.paging import follow
from connectors.platform import PlatformAccess

T = TypeVar("T")

# More is silently clamped; the default is 10.
_PAGE_SIZE = ("per_page", "100")
_JSON = {"Content-Type": "application/json"}
REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""How Canvas says that a token may not do something; see ``is_refused``."""


class GraphqlRefused(Unauthorized):
    """The token may use Canvas's API, but not GraphQL.

    A scoped token without GraphQL's scope is answered 401 without a challenge.
    """

    def __init__(self, platform: str, status: int) -> None:
        super().__init__(
            f"{platform} refuses GraphQL ({status}). Add the scope url:POST|/api/graphql to the "
            "developer key, or use a token without scopes.",
            cause="graphql_refused",
            platform=platform,
        )


class CanvasRest:
    """Asks Canvas's REST and GraphQL API with the service user's token.

    Source: Canvas LMS REST API documentation, basics, pagination, object ids.
    """

    def __init__(
        self, http: HttpClient, access: PlatformAccess, clock: LmsClock | None = None
    ) -> None:
        self.http = http
        self._access = access
        self._clock = clock

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
        """Ask the GraphQL API.

        Args:
            text: The query.
            variables: Its variables.
            shape: Of the answer.

        Returns:
            The answer, which may hold errors.

        Raises:
            GraphqlRefused: The token may not use GraphQL, or there is none.
            ConnectorError: Anything else that ``HttpClient.send`` raises.
        """  # noqa: DOC502 - the second comes from HttpClient
        request = Request(
            method="POST",
            url=f"{self._access.api_url}/api/graphql",
            headers=_JSON,
            body=msgspec.json.encode({"query": text, "variables": variables}),
            passes=REFUSALS,
            only_asks=not text.lstrip().startswith("mutation"),
        )
        reply = self._send(request)
        if not is_refused(reply):
            return reply.decode(shape)
        raise GraphqlRefused(self.platform, reply.status)

    def _post(self, method: str, url: str, payload: object) -> Reply:
        body = msgspec.json.encode(payload)
        return self._send(Request(method=method, url=url, headers=_JSON, body=body))

    def _send(self, request: Request) -> Reply:
        tokens = self._access.user_tokens
        if tokens is None:
            return self._send_with(self._pasted_token(), request)
        token = tokens.get(self.http)
        noticing = replace(request, passes=request.passes | {HTTPStatus.UNAUTHORIZED})
        reply = self._send_with(token, noticing)
        if is_token_refused(reply):
            reply = self._send_with(tokens.renewed(self.http, refused=token), noticing)
        if reply.status == HTTPStatus.UNAUTHORIZED and reply.status not in request.passes:
            raise refused_user(request, reply)
        return reply

    def _pasted_token(self) -> str:
        if not self._access.api_token:
            raise Unauthorized(
                f"{self.platform} has no access token. Authorise Waymark in the browser (waymark "
                "platform access), or enter a token of a service user who may view all grades and "
                "manage grades.",
                cause="no_token",
                platform=self.platform,
            )
        return self._access.api_token

    def _send_with(self, token: str, request: Request) -> Reply:
        headers = {
            **request.headers,
            "Authorization": f"Bearer {token}",
            "Accept": "application/json+canvas-string-ids",
        }
        reply = self.http.send(replace(request, headers=headers))
        if self._clock is not None:
            self._clock.hear(reply)
        return reply

    def at_canvas(self, moment: datetime) -> datetime:
        """A moment of ours, as early as it can have been by Canvas's own clock."""
        return moment if self._clock is None else self._clock.at_lms(moment)

    def _url(self, path: str) -> str:
        return f"{self._access.api_url}/api/v1/{path}"


def is_refused(reply: Reply) -> bool:
    """Whether Canvas refuses something to a token that is good for other things.

    Args:
        reply: An answer of which ``REFUSALS`` were let pass.

    Returns:
        False for an answer with data.

    Raises:
        Unauthorized: The token itself is bad: Canvas says so by a challenge.
    """  # noqa: DOC502 - made by refusal()
    if reply.status not in REFUSALS:
        return False
    if reply.status == HTTPStatus.UNAUTHORIZED and "WWW-Authenticate" in reply.headers:
        error = refusal(Request(method="GET", url=reply.url), reply)
        raise error
    return True
