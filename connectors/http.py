"""The one caller of requests: every byte from or to an LMS passes here.

Knows statuses, sizes, addresses and secrets; knows nothing of any LMS's payloads. What may
succeed in a moment is sent again a few times (``connectors.retries``); everything else the
caller decides (``connectors.errors``).
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import requests

from connectors.addresses import Guard, Network
from connectors.deadlines import Deadline
from connectors.errors import THROTTLED, ConnectorError, GiveUp, RetryLater
from connectors.exchange import MAXIMUM_BYTES, READ_SECONDS, Reply, Request
from connectors.limiter import Limiter, News
from connectors.preparing import Preparation
from connectors.transport import GuardedTransport, TooLargeError, read_body
from connectors.urls import origin_of, redacted
from connectors.verdicts import (
    failure,
    is_throttled,
    late,
    refusal,
    remaining_quota,
    retry_after_seconds,
)

if TYPE_CHECKING:
    from connectors.retries import Retries

__all__ = [
    "MAXIMUM_BYTES",
    "READ_SECONDS",
    "HttpClient",
    "PackageNotFoundError",
    "Reply",
    "Request",
    "origin_of",
    "redacted",
    "refusal",
    "retry_after_seconds",
    "user_agent",
]

CONNECT_SECONDS = 3.0
THROTTLE_SECONDS = 10.0
"""How long to pause where a throttling LMS does not say: Canvas names no time."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class HttpClient:
    """Sends requests to the addresses of one platform, one at a time.

    Attributes:
        calls: Requests sent, those that failed and those sent again included.
        quota: The least that an answer said was left of the allowance; None where none did.
        retries: How what may succeed in a moment is sent again; None sends everything once, for
            somebody who waits in a browser.
    """

    def __init__(
        self,
        *,
        platform: str,
        addresses: Iterable[str],
        limiter: Limiter,
        public_url: str,
        private_networks: Sequence[Network] = (),
        is_open_door: bool = False,
    ) -> None:
        """Prepare a session without proxies, cookies or credentials from the environment.

        Args:
            platform: The platform's name, for messages.
            addresses: URLs whose origins may be asked; requests elsewhere are refused, so that
                no token follows a foreign link.
            limiter: Asked before each request, and told what came of it.
            public_url: Where Waymark is, for the administrator who reads the LMS's logs.
            private_networks: Networks that may be asked although they are not public.
            is_open_door: Whether the addresses came with a request, not from an administrator.
        """
        self.calls = 0
        self.quota: float | None = None
        self.retries: Retries | None = None
        self._platform = platform
        self._origins = frozenset(map(origin_of, addresses)) - {""}
        self._limiter = limiter
        self._guard = Guard(
            platform=platform, private_networks=private_networks, is_open_door=is_open_door
        )
        self._transport = GuardedTransport(self._guard)
        self._verify: bool | str = True
        headers = {
            # Hosted Canvas answers 403 to whoever does not say who they are.
            "User-Agent": user_agent(public_url),
            "Accept-Encoding": "gzip",
            "Accept": "*/*",
        }
        self._preparation = Preparation(headers)

    def send(self, request: Request) -> Reply:
        """Wait for the platform's turn, send, and judge the status.

        A throttled request, and one that only asks and met a hiccup, is sent again a few times.

        Args:
            request: What to ask.

        Returns:
            A 2xx answer, or one of the statuses in ``request.passes``. Everything else comes as
            an error: ``RetryLater`` when the platform is unreachable, slow, throttling, in
            maintenance or broken for now; ``Unauthorized`` on 401 and 403; ``Gone`` on 404 and
            410; ``GiveUp`` on any other refusal, a redirect, a foreign address or an oversized
            answer.
        """
        self._refuse_foreign(request.url)
        if self.retries is None:
            return self._send_once(request)
        return self.retries.sent(request, self._send_believing)

    def _send_believing(self, request: Request) -> Reply:
        """Send once; a 2xx that cannot be what was asked for is an error already here."""
        reply = self._send_once(request)
        doubt = _doubt(request, reply)
        if doubt is not None:
            raise doubt
        return reply

    def _send_once(self, request: Request) -> Reply:
        place = self._limiter.begin(request.total_seconds)
        news = News(is_up=False)
        try:
            self.calls += 1
            reply = self._exchange(request)
            news = _news_of(reply)
            self._note_quota(reply)
        except GiveUp:
            news = News()
            raise
        finally:
            self._limiter.end(place, news)
        error = self._judged(request, reply)
        if error is not None:
            raise error
        return reply

    def _note_quota(self, reply: Reply) -> None:
        left = remaining_quota(reply)
        if left is not None:
            self.quota = left if self.quota is None else min(self.quota, left)

    def _judged(self, request: Request, reply: Reply) -> ConnectorError | None:
        if is_throttled(reply):
            return self._throttled(reply)
        is_fine = HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
        if is_fine or reply.status in request.passes:
            return None
        return refusal(request, reply)

    def _throttled(self, reply: Reply) -> RetryLater:
        after_seconds = retry_after_seconds(reply) or THROTTLE_SECONDS
        self._limiter.pause(after_seconds)
        return RetryLater(
            f"{self._platform} asks Waymark to slow down; it pauses for "
            f"{after_seconds:.0f} seconds.",
            cause=THROTTLED,
            platform=self._platform,
            after_seconds=after_seconds,
        )

    def _refuse_foreign(self, url: str) -> None:
        origin = origin_of(url)
        if origin not in self._origins:
            raise GiveUp(
                f"{self._platform} points to another site ({origin}); Waymark does not follow, "
                "so that its access is not given away. Check the platform's addresses.",
                cause="foreign_address",
                platform=self._platform,
            )
        scheme, _, place = origin.partition("://")
        if scheme != "https" and not self._is_near(place.rpartition(":")[0]):
            raise GiveUp(
                f"The address of {self._platform} begins with http: the access token would "
                "travel unprotected. Enter its https address.",
                cause="not_https",
                platform=self._platform,
            )

    def _is_near(self, host: str) -> bool:
        return host in _LOOPBACK or self._guard.allows(host)

    def _exchange(self, request: Request) -> Reply:
        with Deadline(request.total_seconds) as bound:
            try:
                reply = self._sent(request)
            except requests.RequestException as error:
                if bound.has_passed:
                    raise late(request, self._platform) from None
                # The cause is named, not chained: its text holds the address with its query.
                raise failure(request, error, self._platform) from None
            except TooLargeError:
                raise self._too_large(request) from None
            if bound.has_passed:
                # An answer without a length looks whole where it was broken off.
                raise late(request, self._platform)
            return reply

    def _sent(self, request: Request) -> Reply:
        prepared = self._preparation.prepared(request)
        answer = self._transport.send(
            prepared,
            stream=True,
            timeout=(CONNECT_SECONDS, request.read_seconds),
            verify=self._verify,
        )
        return Reply(
            platform=self._platform,
            status=answer.status_code,
            url=prepared.url or "",
            headers=answer.headers,
            body=read_body(answer.raw, request.most_bytes),
        )

    def _too_large(self, request: Request) -> GiveUp:
        return GiveUp(
            f"{self._platform} sent more than {request.most_bytes >> 10} kB for "
            f"{redacted(request.url)}; Waymark stopped reading.",
            cause="too_large",
            platform=self._platform,
        )


def user_agent(public_url: str) -> str:
    """What every request says of its sender: name, version and address."""
    try:
        number = version("waymark")
    except PackageNotFoundError:
        number = "unreleased"
    return f"Waymark/{number} (+{public_url})"


def _news_of(reply: Reply) -> News:
    """What an answer says of how the platform does."""
    if is_throttled(reply):
        # Canvas shows a remaining allowance even where it refused for want of one.
        return News()
    is_up = reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return News(is_up=is_up, remaining=remaining_quota(reply))


def _doubt(request: Request, reply: Reply) -> RetryLater | None:
    """What to say of a body that cannot be what was asked for."""
    if not request.may_repeat or reply.status in request.passes:
        return None
    if reply.is_page and request.wants_data:
        return reply.page_error()
    return reply.broken_error() if reply.is_cut_off else None
