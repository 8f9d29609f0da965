"""One request to an LMS and what it answered."""

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from connectors.errors import GiveUp, RetryLater
from connectors.urls import redacted

T = TypeVar("T")

READ_SECONDS = 30.0
TOTAL_SECONDS = 180.0
"""Of one exchange, unless the caller says otherwise: a place in flight is kept so long."""
MAXIMUM_BYTES = 64 * 1024 * 1024
"""Of a decoded answer: ten times the largest grade report that was seen."""

_SNIFFED_BYTES = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CLOSING = {b"{": b"}", b"[": b"]"}


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
            last byte.
        most_bytes: Of the decoded answer; reading stops there.
        only_asks: Whether nothing is changed, so that the request may be sent again after a
            hiccup; every GET only asks. The answer is data then, never a web page.
    """

    method: str
    url: str
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Sequence[tuple[str, str]] | None = None
    body: bytes | None = None
    passes: AbstractSet[int] = frozenset()
    read_seconds: float = READ_SECONDS
    total_seconds: float = TOTAL_SECONDS
    most_bytes: int = MAXIMUM_BYTES
    only_asks: bool = False

    @property
    def may_repeat(self) -> bool:
        """Whether sending it twice does no more than sending it once."""
        return self.only_asks or self.method == "GET"

    @property
    def wants_data(self) -> bool:
        """Whether a web page would not be an answer."""
        return self.only_asks or "json" in self.headers.get("Accept", "")


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
            GiveUp: It is JSON of another shape than the contract says; the message names the
                member that is missing or wrong.
        """  # noqa: DOC502 - the first is made by page_error() and broken_error()
        if self.is_page:
            raise self.page_error()
        try:
            return cast(
                "T",
                _decoder(cast("Hashable", shape)).decode(self.body.removeprefix(_BYTE_ORDER_MARK)),
            )
        except msgspec.ValidationError as error:
            raise GiveUp(
                f"{self.platform} answered {redacted(self.url)} in a form that Waymark does not "
                f"know ({error}). Its version may be newer than this Waymark.",
                cause="unexpected_answer",
                platform=self.platform,
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.broken_error() from error

    @property
    def is_cut_off(self) -> bool:
        """Whether the body begins as JSON does and does not end so."""
        start = self.body[:_SNIFFED_BYTES].removeprefix(_BYTE_ORDER_MARK).lstrip()[:1]
        if not start or start not in b"{[":
            return False
        return self.body[-_SNIFFED_BYTES:].rstrip()[-1:] != _CLOSING[start]

    def page_error(self) -> RetryLater:
        """What to say of a web page that came instead of data."""
        return RetryLater(
            f"{self.platform} answered {redacted(self.url)} with a web page instead of data. "
            "It is probably in maintenance, or a login page stands in front of it; the next "
            "run tries again.",
            cause="web_page",
            platform=self.platform,
            is_hiccup=True,
        )

    def broken_error(self) -> RetryLater:
        """What to say of data that is not whole."""
        return RetryLater(
            f"{self.platform} sent a broken answer for {redacted(self.url)}; the next run "
            "tries again.",
            cause="broken_answer",
            platform=self.platform,
            is_hiccup=True,
        )


@lru_cache(maxsize=256)
def _decoder(shape: Hashable) -> msgspec.json.Decoder[Any]:
    """Made once for a shape: working out its fields costs a third of decoding a page."""
    return msgspec.json.Decoder(cast("Any", shape))
