"""LTI Advantage: the line items, scores and results that Waymark owns in a course (AGS 2.0).

The same words for every LMS; what differs between them is an argument. Moodle compares media
types letter by letter, so they stand here exactly as it wants them.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from connectors.errors import GiveUp, Unauthorized
from connectors.http import HttpClient, Reply, Request, origin_of
from connectors.paging import follow
from connectors.platform import PlatformAccess
from connectors.tokens import ServiceTokens

_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINE_ITEM = _SCOPE + "lineitem"
LINE_ITEM_READ = _SCOPE + "lineitem.readonly"
RESULT_READ = _SCOPE + "result.readonly"
SCORE = _SCOPE + "score"

_LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
_LINE_ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
_SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
_LONGEST_LABEL = 255


class OwnLineItem(msgspec.Struct, frozen=True, rename="camel"):
    """A line item of Waymark as the platform describes it; ``id`` is its URL."""

    id: str
    label: str = ""
    score_maximum: float = 0.0
    resource_id: str | None = None
    tag: str | None = None
    resource_link_id: str | None = None


class Result(msgspec.Struct, frozen=True, rename="camel"):
    """What the gradebook holds for a learner; an emptied cell has neither score nor comment."""

    user_id: str
    result_score: float | None = None
    result_maximum: float | None = None
    comment: str | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScore:
    """A score to send; ``timestamp`` (ISO 8601 with zone) must be newer than the platform's.

    ``given`` None takes back what was given before.
    """

    user_id: str
    given: float | None
    maximum: float
    comment: str
    timestamp: str
    extra: Mapping[str, object] = field(default_factory=dict)


class LineItems:
    """Waymark's line items on one platform."""

    def __init__(
        self,
        http: HttpClient,
        tokens: ServiceTokens,
        *,
        access: PlatformAccess,
        reading: str = LINE_ITEM,
        page_size: int | None = None,
    ) -> None:
        """Take the platform.

        Args:
            http: The platform's client.
            tokens: Where bearer tokens come from.
            access: The platform.
            reading: The scope that the platform wants for reading line items.
            page_size: Rows a page; None sends no ``limit``: Moodle's paging is broken, and
                without a limit it sends everything at once.
        """
        self._http = http
        self._tokens = tokens
        self._access = access
        self._reading = reading
        self._limit = [] if page_size is None else [("limit", str(page_size))]

    def all(
        self, container: str, *, filters: Sequence[tuple[str, str]] = ()
    ) -> Sequence[OwnLineItem]:
        """Every line item of ours in a course, each once.

        Args:
            container: The URL of the course's line items; its query is kept.
            filters: Query parameters that narrow the answer.

        Returns:
            The line items in the platform's order.

        Source: LTI AGS 2.0 section 3.2.4.
        """
        first = with_query(container, [*filters, *self._limit])
        found: dict[str, OwnLineItem] = {}
        for reply in self._pages(first, self._reading, _LINE_ITEMS_TYPE):
            for item in reply.decode(list[OwnLineItem]):
                found.setdefault(item.id, item)
        return list(found.values())

    def find(self, container: str, tag: str) -> OwnLineItem | None:
        """The line item that carries a tag as its ``resourceId``.

        Args:
            container: The URL of the course's line items.
            tag: What it was created with. The platform's own filter is not trusted alone.

        Returns:
            The one with the first URL where there are several, so that every run finds the
            same.
        """
        mine = [
            item
            for item in self.all(container, filters=[("resource_id", tag)])
            if item.resource_id == tag
        ]
        return min(mine, key=lambda item: (len(item.id), item.id), default=None)

    def create(
        self,
        container: str,
        *,
        label: str,
        maximum: float,
        tag: str,
        extra: Mapping[str, object] | None = None,
    ) -> OwnLineItem:
        """Make a line item; look for it first, because no platform refuses a second one.

        Args:
            container: The URL of the course's line items.
            label: The column's title; cut at 255 characters (Moodle breaks on longer ones).
            maximum: In points.
            tag: Becomes ``resourceId`` and ``tag``, and finds the line item again.
            extra: The platform's own members.

        Returns:
            The line item as the platform echoes it.

        Source: LTI AGS 2.0 section 3.2.5.
        """
        payload = {
            "label": label[:_LONGEST_LABEL],
            "scoreMaximum": maximum,
            "resourceId": tag,
            "tag": tag,
            **(extra or {}),
        }
        request = _posted(container, payload, media_type=_LINE_ITEM_TYPE)
        return self._send(request, LINE_ITEM).decode(OwnLineItem)

    def delete(self, item: str) -> None:
        """Delete a line item; one that is gone already raises ``Gone``."""
        self._send(Request(method="DELETE", url=item), LINE_ITEM)

    def results(self, item: str) -> Sequence[Result]:
        """What the gradebook holds in a line item, in no order.

        Args:
            item: The line item's URL.

        Returns:
            One result for each learner who ever had something there.

        Source: LTI AGS 2.0 section 3.3.
        """
        found: dict[str, Result] = {}
        for reply in self._pages(with_path(item, "results"), RESULT_READ, _RESULTS_TYPE):
            for result in reply.decode(list[Result]):
                found[result.user_id] = result
        return list(found.values())

    def score(self, item: str, score: OwnScore, *, passes: AbstractSet[int]) -> Reply:
        """Send a score. A 2xx answer is no proof that it is in the gradebook: read it back.

        Args:
            item: The line item's URL.
            score: What to send. Points always go out as "FullyGraded": anything else empties
                the cell, and so it is emptied.
            passes: Statuses that speak of this learner only, for the caller to judge.

        Returns:
            The answer.

        Source: LTI AGS 2.0 section 3.4.
        """
        payload = {
            "userId": score.user_id,
            "comment": score.comment,
            "timestamp": score.timestamp,
            **_progress(score),
            **score.extra,
        }
        request = _posted(with_path(item, "scores"), payload, media_type=_SCORE_TYPE)
        return self._send(replace(request, passes=passes), SCORE)

    def _pages(self, first: str, scope: str, accept: str) -> Iterator[Reply]:
        def fetch(url: str) -> Reply:
            return self._send(Request(method="GET", url=url, headers={"Accept": accept}), scope)

        yield from follow(first, fetch)

    def _send(self, request: Request, scope: str) -> Reply:
        # A token may be revoked before its time, so a refused one is renewed: once.
        self._refuse_foreign(request.url)
        reply = self._send_once(request, scope)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.drop(self._access, [scope])
            reply = self._send_once(request, scope)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            raise Unauthorized(
                f"{self._access.name} refuses Waymark's service token. Check that the tool is "
                "installed in this course and may sync grades.",
                cause="service_refused",
                platform=self._access.name,
            )
        return reply

    def _send_once(self, request: Request, scope: str) -> Reply:
        token = self._tokens.get(self._http, self._access, [scope])
        headers = {**request.headers, "Authorization": f"Bearer {token}"}
        passes = request.passes | {HTTPStatus.UNAUTHORIZED}
        return self._http.send(replace(request, headers=headers, passes=passes))

    def _refuse_foreign(self, url: str) -> None:
        # A line item's URL comes from the platform: the token goes to its own site only.
        if origin_of(url) != origin_of(self._access.api_url):
            raise GiveUp(
                f"{self._access.name} names a line item on another site ({origin_of(url)}); "
                "Waymark does not follow.",
                cause="foreign_address",
                platform=self._access.name,
            )


def _progress(score: OwnScore) -> Mapping[str, object]:
    if score.given is None:
        return {"activityProgress": "Initialized", "gradingProgress": "NotReady"}
    return {
        "scoreGiven": score.given,
        "scoreMaximum": score.maximum,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }


def _posted(url: str, payload: Mapping[str, object], *, media_type: str) -> Request:
    headers = {"Content-Type": media_type, "Accept": media_type}
    return Request(method="POST", url=url, headers=headers, body=msgspec.json.encode(payload))


def with_path(url: str, ending: str) -> str:
    """A URL with a segment added to its path; its query stays behind it.

    Moodle's ``.../lineitem?type_id=1`` becomes ``.../lineitem/scores?type_id=1``.
    """
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{ending}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def with_query(url: str, added: Sequence[tuple[str, str]]) -> str:
    """A URL with query parameters added; those it has are kept, also repeated ones."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
