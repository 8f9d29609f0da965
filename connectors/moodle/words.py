"""The way "words" on Moodle: a column out of 0 points, with the status as its feedback.

A line item with a maximum of 0 has no weight, so the course total stays as it is; the learner
sees an empty cell and the words beside it. A number could not be kept out of Moodle's total by
a tool, so "mark, not counted" is written as words, too.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from connectors.advantage import LineItems, OwnScore, Result
from connectors.errors import GiveUp
from connectors.platform import PlatformAccess
from mapping.records import (
    ColumnRef,
    ColumnSpec,
    CourseRef,
    FoundMark,
    LearnerRef,
    Mark,
    WriteOutcome,
    WriteState,
)

_REASONS = {
    HTTPStatus.BAD_REQUEST: "Moodle does not know this person as a learner of the course.",
    HTTPStatus.CONFLICT: "Moodle holds a newer entry than this one.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Moodle could not store it; the column or the cell is "
    "probably locked.",
}
_STATES = {
    HTTPStatus.BAD_REQUEST: WriteState.REFUSED,
    HTTPStatus.CONFLICT: WriteState.UNCONFIRMED,
    HTTPStatus.INTERNAL_SERVER_ERROR: WriteState.REFUSED,
}


class FeedbackColumn:
    """Line items of Waymark on one Moodle.

    Source: LTI AGS 2.0; Moodle 4.5, ``mod/lti/service/gradebookservices``.
    """

    def __init__(self, items: LineItems, access: PlatformAccess) -> None:
        self._items = items
        self._access = access

    def own_ids(self, course: CourseRef) -> frozenset[str]:
        """The grade item ids of Waymark's columns; none where LTI is not set up."""
        if not self._access.has_services:
            return frozenset()
        return frozenset(_grade_item(item.id) for item in self._items.all(self._container(course)))

    def ensure(self, course: CourseRef, spec: ColumnSpec) -> ColumnRef:
        """The line item with the tag, made where there is none, and read back.

        Args:
            course: The course.
            spec: The column.

        Returns:
            The line item's URL.

        Raises:
            GiveUp: LTI is not set up, or the column would count in the course total.
        """
        if not self._access.has_services:
            raise GiveUp(
                f"{self._access.name} is not connected by LTI, so Waymark cannot write there. "
                "Register Waymark as a tool first.",
                cause="no_services",
                platform=self._access.name,
            )
        container = self._container(course)
        item = self._items.find(container, spec.tag)
        if item is None:
            self._items.create(
                container, label=spec.title, maximum=0.0, tag=spec.tag, has_no_points=True
            )
            item = self._items.find(container, spec.tag)
        if item is None or item.score_maximum != 0:
            raise GiveUp(
                f'The column "{spec.title}" on {self._access.name} is missing or has a maximum '
                "above 0, so it would count in the course total. Delete it there; Waymark makes "
                "it anew.",
                cause="would_count",
                platform=self._access.name,
            )
        return ColumnRef(item.id)

    def read(self, column: ColumnRef) -> Mapping[LearnerRef, FoundMark]:
        """The words in the column; Moodle does not say who wrote them."""
        return {
            LearnerRef(result.user_id): FoundMark(words=result.comment)
            for result in self._items.results(column)
            if result.comment
        }

    def write(
        self, column: ColumnRef, marks: Sequence[Mark], *, now: datetime
    ) -> Sequence[WriteOutcome]:
        """Send words one by one, then read the column and compare.

        Args:
            column: What ``ensure`` returned.
            marks: Their points, if any, are not written.
            now: Becomes the timestamp, in whole seconds.

        Returns:
            One outcome for each mark.
        """
        statuses = {mark.learner_ref: self._send(column, mark, now) for mark in marks}
        refused = {who: status for who, status in statuses.items() if status in _STATES}
        results = {result.user_id: result for result in self._items.results(column)}
        if self._repeat_conflicts(column, marks, refused=refused, results=results, now=now):
            results = {result.user_id: result for result in self._items.results(column)}
        return [
            _outcome(mark, refused.get(mark.learner_ref), results.get(mark.learner_ref))
            for mark in marks
        ]

    def _repeat_conflicts(
        self,
        column: ColumnRef,
        marks: Sequence[Mark],
        *,
        refused: dict[LearnerRef, int],
        results: Mapping[str, Result],
        now: datetime,
    ) -> bool:
        """Send once more what lost against an entry of the very same second.

        Moodle compares whole seconds and refuses equal ones. An entry that is truly newer is
        left alone: somebody wrote it after this run began.
        """
        has_sent = False
        for mark in marks:
            entry = results.get(mark.learner_ref)
            is_conflict = refused.get(mark.learner_ref) == HTTPStatus.CONFLICT
            if not is_conflict or entry is None or entry.comment == mark.words:
                continue
            if entry.timestamp is not None and entry.timestamp <= _whole(now):
                status = self._send(column, mark, now + timedelta(seconds=1))
                has_sent = True
                if status not in _STATES:
                    del refused[mark.learner_ref]
        return has_sent

    def _send(self, column: ColumnRef, mark: Mark, moment: datetime) -> int:
        score = OwnScore(
            user_id=mark.learner_ref,
            given=0.0,
            # With a maximum of 0 here Moodle would take the number as it is.
            maximum=1.0,
            comment=mark.words,
            timestamp=_whole(moment).isoformat(),
        )
        return self._items.score(column, score, passes=_STATES.keys()).status

    def _container(self, course: CourseRef) -> str:
        return (
            f"{self._access.api_url}/mod/lti/services.php/{course}/lineitems"
            f"?type_id={self._access.deployment_ref}"
        )


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _grade_item(url: str) -> str:
    """The number in ``.../lineitems/454/lineitem?type_id=1``, which is a grade item's id."""
    return url.partition("/lineitems/")[2].partition("/")[0]


def _outcome(mark: Mark, status: int | None, entry: Result | None) -> WriteOutcome:
    if entry is not None and _plain(entry.comment) == _plain(mark.words):
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.CONFIRMED)
    if status is None:
        return WriteOutcome(
            learner_ref=mark.learner_ref,
            state=WriteState.UNCONFIRMED,
            reason="Moodle took the words, but the gradebook does not show them.",
        )
    known = HTTPStatus(status)
    return WriteOutcome(learner_ref=mark.learner_ref, state=_STATES[known], reason=_REASONS[known])


def _plain(words: str | None) -> str:
    """Words without regard to how Moodle breaks lines."""
    return " ".join((words or "").split())
