"""The one caller of requests: every byte from or to an LMS passes here.

Knows statuses, sizes, addresses and secrets; knows nothing of any LMS's payloads. It never
repeats a request: the caller decides (``connectors.errors``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import requests

from connectors.addresses import Guard, Network
from connectors.errors import ConnectorError, GiveUp, Gone, RetryLater, Unauthorized
from connectors.limiter import Limiter
from connectors.transport import GuardedTransport, deadline

T = TypeVar("T")

CONNECT_SECONDS = 3.0
READ_SECONDS = 30.0
MAXIMUM_BYTES = 64 * 1024 * 1024
"""Of a decoded answer: ten times the largest grade report that was seen."""
LONGEST_RETRY_AFTER_SECONDS = 3600.0
THROTTLE_SECONDS = 10.0
"""How long to pause where a throttling LMS does not say: Canvas names no time."""

_CHUNK_BYTES = 1 << 20
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SHOWN_PARAMETERS = frozenset({"page", "per_page", "type_id", "limit", "from", "wsfunction"})
_SNIFFED_BYTES = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Parsers of addresses disagree about these, so one could be shown a site and ask another.
_AMBIGUOUS = re.compile(r"[\\\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to an LMS.

    Attributes:
        method: GET, POST, PUT or DELETE.
        url: Absolute; its query is kept, ``params`` are added to it.
        params: Query parameters in order; a name may repeat.
        headers: Beyond those that every request carries. Secrets belong here, never in the URL.
        form: A form-encoded body.
        body: A body that is encoded already; ``headers`` name its type.
        passes: Statuses beyond 2xx that the caller understands and wants to see.
        read_seconds: How long the LMS may be silent.
        total_seconds: How long the whole exchange may take, from looking up the name to the
            last byte; None sets no bound.
        most_bytes: Of the decoded answer; reading stops there.
    """

    method: str
    url: str
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Sequence[tuple[str, str]] | None = None
    body: bytes | None = None
    passes: AbstractSet[int] = frozenset()
    read_seconds: float = READ_SECONDS
    total_seconds: float | None = None
    most_bytes: int = MAXIMUM_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the LMS answered; ``headers`` are looked up without regard to case."""

    platform: str
    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether the body is a web page; Moodle labels even JSON as text/html."""
        start = self.body[:_SNIFFED_BYTES].removeprefix(_BYTE_ORDER_MARK)
        return start.lstrip().startswith(b"<")

    def decode(self, shape: type[T]) -> T:
        """The body as JSON of a given shape.

        Args:
            shape: What msgspec shall make of it; unknown members are ignored.

        Returns:
            The decoded body.

        Raises:
            RetryLater: A web page or broken JSON came instead: maintenance, or a proxy.
            GiveUp: It is JSON of another shape than the contract says.
        """
        if self.is_page:
            raise RetryLater(
                f"{self.platform} answered {redacted(self.url)} with a web page instead of data. "
                "It is probably in maintenance, or a login page stands in front of it; the next "
                "run tries again.",
                cause="web_page",
                platform=self.platform,
            )
        try:
            return msgspec.json.decode(self.body.removeprefix(_BYTE_ORDER_MARK), type=shape)
        except msgspec.ValidationError as error:
            raise GiveUp(
                f"{self.platform} answered {redacted(self.url)} in a form that Waymark does not "
                f"know ({error}). Its version may be newer than this Waymark.",
                cause="unexpected_answer",
                platform=self.platform,
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RetryLater(
                f"{self.platform} sent a broken answer for {redacted(self.url)}; the next run "
                "tries again.",
                cause="broken_answer",
                platform=self.platform,
            ) from error


class HttpClient:
    """Sends requests to the addresses of one platform, one at a time."""

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
            limiter: Asked before each request.
            public_url: Where Waymark is, for the administrator who reads the LMS's logs.
            private_networks: Networks that may be asked although they are not public.
            is_open_door: Whether the addresses came with a request, not from an administrator.
        """
        self.calls = 0
        self._platform = platform
        self._origins = frozenset(map(origin_of, addresses)) - {""}
        self._limiter = limiter
        self._guard = Guard(
            platform=platform, private_networks=private_networks, is_open_door=is_open_door
        )
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, GuardedTransport(self._guard))
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Hosted Canvas answers 403 to whoever does not say who they are.
        self._session.headers["User-Agent"] = user_agent(public_url)

    def send(self, request: Request) -> Reply:
        """Wait for the platform's turn, send, and judge the status.

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
        self._limiter.wait()
        self.calls += 1
        reply = self._exchange(request)
        error = self._judged(request, reply)
        if error is not None:
            raise error
        return reply

    def _judged(self, request: Request, reply: Reply) -> ConnectorError | None:
        if is_throttled(reply):
            after_seconds = retry_after_seconds(reply) or THROTTLE_SECONDS
            self._limiter.pause(after_seconds)
            return RetryLater(
                f"{self._platform} asks Waymark to slow down; it pauses for "
                f"{after_seconds:.0f} seconds.",
                cause="throttled",
                platform=self._platform,
                after_seconds=after_seconds,
            )
        is_fine = HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
        if is_fine or reply.status in request.passes:
            return None
        return refusal(request, reply)

    def _refuse_foreign(self, url: str) -> None:
        origin = origin_of(url)
        if origin not in self._origins:
            raise GiveUp(
                f"{self._platform} points to another site ({origin}); Waymark does not follow, "
                "so that its access is not given away. Check the platform's addresses.",
                cause="foreign_address",
                platform=self._platform,
            )
        parts = urlsplit(url)
        if parts.scheme != "https" and not self._is_near(parts.hostname or ""):
            raise GiveUp(
                f"The address of {self._platform} begins with http: the access token would "
                "travel unprotected. Enter its https address.",
                cause="not_https",
                platform=self._platform,
            )

    def _is_near(self, host: str) -> bool:
        return host in _LOOPBACK or self._guard.allows(host)

    def _exchange(self, request: Request) -> Reply:
        with deadline(request.total_seconds) as bound:
            try:
                reply = self._sent(request)
            except requests.RequestException as error:
                if bound is not None and bound.has_passed:
                    raise self._late(request) from None
                # The cause is named, not chained: its text holds the address with its query.
                raise self._broken(request, error) from None
            if bound is not None and bound.has_passed:
                # An answer without a length looks whole where it was broken off.
                raise self._late(request)
            return reply

    def _sent(self, request: Request) -> Reply:
        with self._session.request(
            request.method,
            request.url,
            params=list(request.params) or None,
            headers=dict(request.headers),
            data=list(request.form) if request.form is not None else request.body,
            timeout=(CONNECT_SECONDS, request.read_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            return Reply(
                platform=self._platform,
                status=response.status_code,
                url=response.url,
                headers=response.headers,
                body=self._read(response, request.most_bytes),
            )

    def _read(self, response: requests.Response, most_bytes: int) -> bytes:
        body = bytearray()
        # One byte more than allowed is enough to know; a packed answer is not unpacked further.
        for chunk in response.iter_content(min(_CHUNK_BYTES, most_bytes + 1)):
            body += chunk
            if len(body) > most_bytes:
                raise GiveUp(
                    f"{self._platform} sent more than {most_bytes >> 10} kB for "
                    f"{redacted(response.url)}; Waymark stopped reading.",
                    cause="too_large",
                    platform=self._platform,
                )
        return bytes(body)

    def _late(self, request: Request) -> RetryLater:
        message = f"{self._platform} did not answer in time ({redacted(request.url)})"
        return _later(message, "timeout", self._platform)

    def _broken(self, request: Request, error: requests.RequestException) -> ConnectorError:
        where = redacted(request.url)
        if isinstance(error, requests.exceptions.SSLError):
            return GiveUp(
                f"The certificate of {self._platform} cannot be trusted ({where}). Ask its "
                "administrator to renew it.",
                cause="certificate",
                platform=self._platform,
            )
        if isinstance(error, requests.Timeout):
            return self._late(request)
        if isinstance(error, requests.ConnectionError):
            message = f"{self._platform} cannot be reached ({where})"
            return _later(message, "unreachable", self._platform)
        if isinstance(error, ValueError):
            return GiveUp(
                f"The request to {self._platform} cannot be sent ({where}): its address or token "
                "holds a character that does not belong there. Enter it anew.",
                cause="bad_request",
                platform=self._platform,
            )
        message = f"The answer of {self._platform} broke off ({where}, {type(error).__name__})"
        return _later(message, "broken_answer", self._platform)


def refusal(request: Request, reply: Reply) -> ConnectorError:
    """The error that a status outside 2xx stands for.

    Args:
        request: What was asked.
        reply: The answer.

    Returns:
        An error whose message names the platform, the status and the redacted address.
    """
    what = f"{reply.platform} answered {reply.status} to {request.method} {redacted(reply.url)}"
    platform = reply.platform
    if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Unauthorized(
            f"{what}: Waymark's access is missing, expired, revoked or lacks a right. Renew the "
            "token or give its user the right.",
            cause="refused_access",
            platform=platform,
        )
    if reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return Gone(f"{what}: it is no longer there.", cause="not_found", platform=platform)
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        return GiveUp(
            f"{what}: it has moved. Enter the platform's present address.",
            cause="redirected",
            platform=platform,
        )
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in (
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
    ):
        is_closed = reply.status == HTTPStatus.SERVICE_UNAVAILABLE
        return RetryLater(
            f"{what}: it is in trouble or in maintenance; the next run tries again.",
            cause="maintenance" if is_closed else "server_error",
            platform=platform,
            after_seconds=retry_after_seconds(reply),
        )
    return GiveUp(
        f"{what}: it does not accept the request.", cause="refused_request", platform=platform
    )


def is_throttled(reply: Reply) -> bool:
    """Whether the LMS refused because of too many requests.

    Source: Canvas, throttling (older versions answer 403 with a sentence, newer ones 429).
    """
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return reply.status == HTTPStatus.FORBIDDEN and b"Rate Limit Exceeded" in reply.body


def retry_after_seconds(reply: Reply) -> float:
    """Seconds from 0 to an hour that ``Retry-After`` asks for; 0 where it does not.

    A date is compared with the answer's own ``Date``, so that no clock is needed.

    Source: RFC 9110 section 10.2.3.
    """
    text = reply.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,6}", text):
        seconds = float(text)
    else:
        seconds = _seconds_between(reply.headers.get("Date", ""), text)
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _seconds_between(earlier: str, later: str) -> float:
    try:
        return (parsedate_to_datetime(later) - parsedate_to_datetime(earlier)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in one spelling; empty where it is not surely one site."""
    if _AMBIGUOUS.search(url):
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return ""
    if not parts.hostname or port is None or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"


def redacted(url: str) -> str:
    """A URL that may be shown: no credentials, no query values but paging ones."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "(an unreadable address)"
    shown = [(name, value if name in _SHOWN_PARAMETERS else "***") for name, value in query]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(shown, safe="*:[]"), ""))


def user_agent(public_url: str) -> str:
    """What every request says of its sender: name, version and address."""
    try:
        number = version("waymark")
    except PackageNotFoundError:
        number = "unreleased"
    return f"Waymark/{number} (+{public_url})"


def _later(message: str, cause: str, platform: str) -> RetryLater:
    return RetryLater(f"{message}; the next run tries again.", cause=cause, platform=platform)
