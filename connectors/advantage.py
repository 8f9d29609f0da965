"""LTI Advantage: the line items, scores and results that Waymark owns in a course (AGS 2.0).

The same words for every LMS; what differs between them is an argument. Moodle compares media
types letter by letter, so they stand here exactly as it wants them.
"""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

import msgspec

from connectors.bearer import BearerCalls, with_path, with_query
from connectors.errors import GiveUp
from connectors.http import HttpClient, Reply, Request
from connectors.platform import PlatformAccess
from connectors.scores import OwnScore, Result, score_payload
from connectors.tokens import ServiceTokens

__all__ = [
    "LINE_ITEM",
    "LINE_ITEM_READ",
    "RESULT_READ",
    "SCORE",
    "LineItems",
    "OwnLineItem",
    "OwnScore",
    "Result",
    "with_path",
    "with_query",
]

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
_FIXED = frozenset({"id", "scoreMaximum"})


class OwnLineItem(msgspec.Struct, frozen=True, rename="camel"):
    """A line item of Waymark as the platform describes it; ``id`` is its URL."""

    id: str
    label: str = ""
    score_maximum: float = 0.0
    resource_id: str | None = None
    tag: str | None = None
    resource_link_id: str | None = None
    start_date_time: str | None = None
    end_date_time: str | None = None
    grades_released: bool | None = None
    submission_review: dict[str, Any] | None = None


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
        self._calls = BearerCalls(http, tokens, access=access)
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
        for reply in self._calls.pages(first, self._reading, accept=_LINE_ITEMS_TYPE):
            for item in reply.decode(list[OwnLineItem]):
                found.setdefault(item.id, item)
        return list(found.values())

    def find(self, container: str, tag: str, *, link: str | None = None) -> OwnLineItem | None:
        """The line item that carries a tag as its ``resourceId``.

        Args:
            container: The URL of the course's line items.
            tag: What it was created with. The platform's own filter is not trusted alone.
            link: A resource link that it must belong to, which may have several.

        Returns:
            The one with the first URL where there are several, so that every run finds the
            same.
        """
        filters = [("resource_id", tag)]
        if link is not None:
            filters.append(("resource_link_id", link))
        mine = [
            item
            for item in self.all(container, filters=filters)
            if item.resource_id == tag and link in (None, item.resource_link_id)
        ]
        return min(mine, key=lambda item: (len(item.id), item.id), default=None)

    def get(self, item: str) -> OwnLineItem:
        """A line item by its URL; one that was deleted raises ``Gone``.

        Source: LTI AGS 2.0 section 3.2.3.
        """
        return self._send(self._reading_of(item), self._reading).decode(OwnLineItem)

    def create(
        self,
        container: str,
        *,
        label: str,
        maximum: float,
        tag: str,
        extra: Mapping[str, object] | None = None,
        has_no_points: bool = False,
    ) -> OwnLineItem:
        """Make a line item; look for it first, because no platform refuses a second one.

        Args:
            container: The URL of the course's line items.
            label: The column's title, not empty; cut at 255 characters (Moodle breaks on
                longer ones).
            maximum: In points, above 0.
            tag: Becomes ``resourceId`` and ``tag``, and finds the line item again.
            extra: Further members: ``resourceLinkId``, ``submissionReview``, dates, and the
                platform's own.
            has_no_points: Whether 0 is the maximum that is meant. AGS forbids it; in Moodle
                such a column has no weight, and only that makes it harmless.

        Returns:
            The line item as the platform echoes it.

        Raises:
            GiveUp: Label or maximum is none.

        Source: LTI AGS 2.0 section 3.2.5.
        """
        if not (_is_maximum(maximum) or (has_no_points and maximum == 0)):
            raise GiveUp(
                f"A column out of {maximum} points was not made: it must be out of more than 0.",
                cause="bad_line_item",
            )
        payload = {
            **(extra or {}),
            "label": _label(label),
            "scoreMaximum": maximum,
            "resourceId": tag,
            "tag": tag,
        }
        request = _sent("POST", container, payload=payload, media_type=_LINE_ITEM_TYPE)
        return self._send(request, LINE_ITEM).decode(OwnLineItem)

    def update(
        self, item: str, *, label: str | None = None, changes: Mapping[str, object] | None = None
    ) -> OwnLineItem:
        """Change a line item; whatever is not named stays as the platform has it.

        The maximum cannot be changed: Moodle would rescale every grade and write 0 for
        learners who have none. What is not sent a platform clears, so it is read first.

        Args:
            item: The line item's URL.
            label: A new title, not empty; cut at 255 characters.
            changes: Other members with their new values, for example ``endDateTime``.

        Returns:
            The line item as the platform echoes it.

        Raises:
            GiveUp: The label is none, or the maximum was to be changed.

        Source: LTI AGS 2.0 section 3.2.6; Moodle 4.5 ``mod/lti/service/gradebookservices``.
        """
        wanted = dict(changes or {})
        if label is not None:
            wanted["label"] = _label(label)
        if _FIXED & set(wanted):
            raise GiveUp(
                "The maximum of a column is never changed: the LMS would change grades.",
                cause="bad_line_item",
            )
        present = self._send(self._reading_of(item), self._reading).decode(dict[str, Any])
        payload = {**present, **wanted}
        request = _sent("PUT", item, payload=payload, media_type=_LINE_ITEM_TYPE)
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
        return self._results(with_query(with_path(item, "results"), self._limit))

    def result(self, item: str, user_id: str) -> Result | None:
        """What the gradebook holds for one learner; None for nothing.

        Args:
            item: The line item's URL.
            user_id: The learner. The platform's own filter is not trusted alone.
        """
        url = with_query(with_path(item, "results"), [("user_id", user_id)])
        return next((one for one in self._results(url) if one.user_id == user_id), None)

    def score(self, item: str, score: OwnScore, *, passes: AbstractSet[int]) -> Reply:
        """Send a score. A 2xx answer is no proof that it is in the gradebook: read it back.

        Args:
            item: The line item's URL.
            score: What to send; one that makes no sense is refused as ``score_payload`` says.
            passes: Statuses that speak of this learner only, for the caller to judge.

        Returns:
            The answer; its body may be empty.

        Source: LTI AGS 2.0 section 3.4.
        """
        payload = score_payload(score)
        url = with_path(item, "scores")
        request = _sent("POST", url, payload=payload, media_type=_SCORE_TYPE)
        return self._send(replace(request, passes=passes), SCORE)

    def _results(self, url: str) -> Sequence[Result]:
        found: dict[str, Result] = {}
        for reply in self._calls.pages(url, RESULT_READ, accept=_RESULTS_TYPE):
            for result in reply.decode(list[Result]):
                found[result.user_id] = result
        return list(found.values())

    def _reading_of(self, item: str) -> Request:
        return Request(method="GET", url=item, headers={"Accept": _LINE_ITEM_TYPE})

    def _send(self, request: Request, scope: str) -> Reply:
        return self._calls.send(request, scope)


def _label(text: str) -> str:
    label = text.strip()[:_LONGEST_LABEL]
    if not label:
        raise GiveUp("A column without a title was not made.", cause="bad_line_item")
    return label


def _is_maximum(value: float) -> bool:
    return not isinstance(value, bool) and math.isfinite(value) and value > 0


def _sent(method: str, url: str, *, payload: Mapping[str, object], media_type: str) -> Request:
    headers = {"Content-Type": media_type, "Accept": media_type}
    return Request(method=method, url=url, headers=headers, body=msgspec.json.encode(payload))
