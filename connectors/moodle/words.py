"""Line items of Waymark on Moodle: a column out of 0 points for words, out of more for marks.

A line item with a maximum of 0 has no weight, so the course total stays as it is; the learner
sees an empty cell and the words beside it. A number could not be kept out of Moodle's total by
a tool, so "mark, not counted" is written as words, too; a mark that counts has its own column.
A teacher who edits such a column leaves no trace but another content and a newer moment, and
what Waymark sends later takes its place: so whoever calls compares first what stands there with
what was written, and sends with the moment at which the column was read.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from connectors.advantage import LineItems, OwnLineItem, OwnScore, Result
from connectors.errors import GiveUp
from connectors.platform import PlatformAccess
from mapping.records import (
    ColumnMarks,
    ColumnRef,
    ColumnSpec,
    CourseRef,
    FoundMark,
    LearnerRef,
    Mark,
    PassbackWay,
    WriteOutcome,
    WriteState,
)

_REASONS = {
    HTTPStatus.BAD_REQUEST: "Moodle does not know this person as a learner of the course.",
    HTTPStatus.CONFLICT: "Moodle holds a newer entry than this one.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Moodle could not store it; the column or the cell is "
    "probably locked.",
}
_TOLERANCE = 0.005
"""In points: Moodle keeps five decimals, people see two."""
_STATES = {
    HTTPStatus.BAD_REQUEST: WriteState.REFUSED,
    HTTPStatus.CONFLICT: WriteState.UNCONFIRMED,
    HTTPStatus.INTERNAL_SERVER_ERROR: WriteState.REFUSED,
}


class LineItemColumns:
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
            GiveUp: LTI is not set up, or the column has another maximum than it was made with:
                it would count though it must not, or Moodle would scale what is written.
        """
        if not self._access.has_services:
            raise GiveUp(
                f"{self._access.name} is not connected by LTI, so Waymark cannot write there. "
                "Register Waymark as a tool first.",
                cause="no_services",
                platform=self._access.name,
            )
        container = self._container(course)
        maximum = spec.maximum if _counts(spec) else 0.0
        item = self._items.find(container, spec.tag)
        if item is None:
            self._items.create(
                container,
                label=spec.title,
                maximum=maximum,
                tag=spec.tag,
                has_no_points=not _counts(spec),
            )
            item = self._items.find(container, spec.tag)
        self._refuse_other(spec, item, maximum=maximum)
        assert item is not None  # noqa: S101 - refused otherwise
        return ColumnRef(item.id)

    def read(self, column: ColumnRef, spec: ColumnSpec) -> Mapping[LearnerRef, FoundMark]:
        """What the column says; Moodle does not tell who wrote it."""
        found = {
            LearnerRef(result.user_id): FoundMark(
                words=result.comment or None, points=result.result_score if _counts(spec) else None
            )
            for result in self._items.results(column)
        }
        return {who: mark for who, mark in found.items() if mark != FoundMark()}

    def write(self, write: ColumnMarks, *, now: datetime) -> Sequence[WriteOutcome]:
        """Send marks one by one, then read the column and compare.

        Args:
            write: The column that ``ensure`` returned, with its marks; in a column of words
                their points, if any, are not written.
            now: Becomes the timestamp, in whole seconds.

        Returns:
            One outcome for each mark.
        """
        column, marks = write.column, write.marks
        statuses = {mark.learner_ref: self._send(write, mark, now) for mark in marks}
        refused = {who: status for who, status in statuses.items() if status in _STATES}
        results = {result.user_id: result for result in self._items.results(column)}
        if self._repeat_conflicts(write, refused=refused, results=results, now=now):
            results = {result.user_id: result for result in self._items.results(column)}
        return [
            _outcome(
                mark,
                refused.get(mark.learner_ref),
                is_there=_says(results.get(mark.learner_ref), mark, write.spec),
            )
            for mark in marks
        ]

    def _refuse_other(self, spec: ColumnSpec, item: OwnLineItem | None, *, maximum: float) -> None:
        if item is not None and math.isclose(item.score_maximum, maximum):
            return
        name = self._access.name
        if _counts(spec):
            raise GiveUp(
                f'The column "{spec.title}" on {name} is missing or is no longer out of '
                f"{maximum:g} points: somebody changed it. Change it back there, or delete it; "
                "Waymark makes it anew.",
                cause="maximum_changed",
                platform=name,
            )
        raise GiveUp(
            f'The column "{spec.title}" on {name} is missing or has a maximum above 0, so it '
            "would count in the course total. Delete it there; Waymark makes it anew.",
            cause="would_count",
            platform=name,
        )

    def _repeat_conflicts(
        self,
        write: ColumnMarks,
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
        for mark in write.marks:
            entry = results.get(mark.learner_ref)
            is_conflict = refused.get(mark.learner_ref) == HTTPStatus.CONFLICT
            if not is_conflict or entry is None or _says(entry, mark, write.spec):
                continue
            if entry.timestamp is not None and entry.timestamp <= _whole(now):
                status = self._send(write, mark, now + timedelta(seconds=1))
                has_sent = True
                if status not in _STATES:
                    del refused[mark.learner_ref]
        return has_sent

    def _send(self, write: ColumnMarks, mark: Mark, moment: datetime) -> int:
        has_points = _counts(write.spec)
        score = OwnScore(
            user_id=mark.learner_ref,
            given=mark.points if has_points else 0.0,
            # With a maximum of 0 here Moodle would take the number as it is.
            maximum=write.spec.maximum if has_points else 1.0,
            # Each time: a score without one would take away what was said.
            comment=mark.words,
            timestamp=_whole(moment).isoformat(),
        )
        return self._items.score(write.column, score, passes=_STATES.keys()).status

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


def _counts(spec: ColumnSpec) -> bool:
    return spec.way is PassbackWay.MARK_COUNTED


def _says(entry: Result | None, mark: Mark, spec: ColumnSpec) -> bool:
    """Whether an entry is a mark; an emptied one has neither points nor words."""
    if _counts(spec) and mark.points is None:
        return entry is None or entry.result_score is None
    if entry is None or _plain(entry.comment) != _plain(mark.words):
        return False
    if not _counts(spec) or mark.points is None:
        return True
    points = entry.result_score
    return points is not None and math.isclose(points, mark.points, abs_tol=_TOLERANCE)


def _outcome(mark: Mark, status: int | None, *, is_there: bool) -> WriteOutcome:
    if is_there:
        return WriteOutcome(learner_ref=mark.learner_ref, state=WriteState.CONFIRMED)
    if status is None:
        return WriteOutcome(
            learner_ref=mark.learner_ref,
            state=WriteState.UNCONFIRMED,
            reason="Moodle took the mark, but the gradebook does not show it.",
        )
    known = HTTPStatus(status)
    return WriteOutcome(learner_ref=mark.learner_ref, state=_STATES[known], reason=_REASONS[known])


def _plain(words: str | None) -> str:
    """Words without regard to how Moodle breaks lines."""
    return " ".join((words or "").split())
