"""Moodle's grade report: the one call that tells what a gradebook really holds.

Only raw numbers are read. Everything "formatted" is for people: percentages, letters, a decimal
comma, or HTML with an icon in it, by the site's settings.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from connectors.moodle.assignments import AssignmentFacts
from connectors.moodle.moments import moment
from mapping.passback import OWN_TITLE
from mapping.records import (
    Cursor,
    Grading,
    LearnerRef,
    LineItem,
    LineItemRef,
    Score,
    ScoreState,
)

_FIRST_OUTCOME = 1000
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?\s*%?")
_DASH = "\u2013"


class GradeRow(msgspec.Struct):
    """One cell of the gradebook with its column; ``categoryid`` is None for totals."""

    id: int
    itemtype: str
    grademin: float
    grademax: float
    itemname: str | None = None
    itemmodule: str | None = None
    iteminstance: int | None = None
    itemnumber: int | None = None
    categoryid: int | None = None
    graderaw: float | None = None
    gradedatesubmitted: int | None = None
    gradedategraded: int | None = None
    gradeishidden: bool | None = None
    gradeisoverridden: bool | None = None
    rangeformatted: str | None = None
    status: str | None = None

    @property
    def assignment(self) -> int | None:
        """The instance id of the assignment whose column it is."""
        return self.iteminstance if self.itemmodule == "assign" else None

    @property
    def is_column(self) -> bool:
        """Whether it is a column that somebody marks: no total and no outcome."""
        return self.itemtype in ("mod", "manual") and (self.itemnumber or 0) < _FIRST_OUTCOME


class UserGrades(msgspec.Struct):
    """All cells of one learner."""

    userid: int
    gradeitems: list[GradeRow]
    useridnumber: str | None = None


class GradeReport(msgspec.Struct):
    """gradereport_user_get_grade_items of a course: active learners only, all at once."""

    usergrades: list[UserGrades]


def columns_of(
    report: GradeReport,
    *,
    own: frozenset[str],
    categories: Mapping[str, str],
    facts: AssignmentFacts,
) -> Sequence[LineItem]:
    """The columns of a report, in its order.

    Args:
        report: The whole course.
        own: Grade item ids of Waymark's own columns.
        categories: Names of grade categories by grade item id.
        facts: What the course's assignments say.

    Returns:
        One line item for each column; a scale's points are the index of its level, from 1.

    Source: Moodle 4.5, gradereport_user_get_grade_items.
    """
    cells: dict[int, list[GradeRow]] = {}
    for user in report.usergrades:
        for row in user.gradeitems:
            if row.is_column:
                cells.setdefault(row.id, []).append(row)
    return [
        LineItem(
            ref=LineItemRef(str(ref)),
            title=html.unescape(rows[0].itemname or ""),
            category=categories.get(str(ref), ""),
            minimum=rows[0].grademin,
            maximum=rows[0].grademax,
            grading=_grading(rows),
            due_at=_due(rows[0], facts),
            is_own=str(ref) in own or _looks_own(rows[0]),
            criteria=facts.criteria.get(rows[0].assignment or 0, ()),
        )
        for ref, rows in cells.items()
    ]


def _looks_own(row: GradeRow) -> bool:
    """Whether a column is one of Waymark's that LTI no longer tells of, as in a copied course."""
    return row.itemtype == "manual" and (row.itemname or "").startswith(OWN_TITLE)


def _due(row: GradeRow, facts: AssignmentFacts) -> datetime | None:
    return facts.due.get(row.assignment or 0)


def _grading(rows: Sequence[GradeRow]) -> Grading:
    """How a column is marked, by its range: ``scaleid`` is wrong in Moodle 4.5.

    "0-100" are points, "Not yet-Exemplary" is a scale, a lone dash is no grade at all. Where
    letters are shown for points the range is words as well; but a scale begins at 1 and holds
    whole numbers only.
    """
    row = rows[0]
    shown = html.unescape(row.rangeformatted or "").strip()
    if shown in ("", _DASH) or row.grademax <= row.grademin:
        return Grading.NOT_GRADED
    if row.grademin != 1 or all(_NUMBER.fullmatch(end.strip()) for end in shown.split(_DASH)):
        return Grading.POINTS
    is_whole = all(one.graderaw is None or one.graderaw.is_integer() for one in rows)
    return Grading.SCALE if is_whole else Grading.POINTS


def scores_by_learner(
    report: GradeReport, items: Sequence[LineItem], *, facts: AssignmentFacts
) -> Mapping[LearnerRef, Sequence[Score]]:
    """What each learner of a report holds in the columns that are evidence.

    Args:
        report: The whole course.
        items: Its columns; Waymark's own and those that carry no grade give nothing.
        facts: What the course's assignments say: which attempt was marked, and how a rubric
            was filled.

    Returns:
        A score for every learner and column, also where there is nothing yet, and one for
        every criterion of a rubric that could be read.
    """
    counted = {
        item.ref for item in items if not item.is_own and item.grading is not Grading.NOT_GRADED
    }
    return {
        LearnerRef(str(user.userid)): [
            score
            for row in user.gradeitems
            if row.is_column and LineItemRef(str(row.id)) in counted
            for score in _scores(row, user.userid, facts)
        ]
        for user in report.usergrades
    }


def _scores(row: GradeRow, user: int, facts: AssignmentFacts) -> Iterator[Score]:
    cell = (row.assignment or 0, user)
    whole = _score(row, LearnerRef(str(user)), attempt=facts.attempts.get(cell, 0))
    yield whole
    if row.assignment not in facts.filled:
        return
    points = facts.points.get(cell, {})
    for criterion in facts.criteria[cell[0]]:
        found = points.get(criterion.ref) if whole.state is ScoreState.GRADED else None
        state = ScoreState.GRADED if found is not None else ScoreState.NOT_GRADED
        yield whole._replace(criterion_ref=criterion.ref, state=state, points=found)


def _score(row: GradeRow, learner: LearnerRef, *, attempt: int) -> Score:
    state = _state(row)
    return Score(
        line_item_ref=LineItemRef(str(row.id)),
        learner_ref=learner,
        state=state,
        attempt=attempt,
        points=row.graderaw if state is ScoreState.GRADED else None,
        is_visible=not row.gradeishidden,
        is_overridden=bool(row.gradeisoverridden),
        submitted_at=moment(row.gradedatesubmitted),
        graded_at=moment(row.gradedategraded),
    )


def _state(row: GradeRow) -> ScoreState:
    # There is no flag for an excluded grade; this is what the report shows of it.
    if row.status == "dropped":
        return ScoreState.EXCUSED
    if row.graderaw is not None:
        return ScoreState.GRADED
    return ScoreState.CLEARED if row.gradedategraded else ScoreState.NOT_GRADED


class _Digests(msgspec.Struct, forbid_unknown_fields=True):
    digests: dict[str, str]


def changed_since(
    scores: Mapping[LearnerRef, Sequence[Score]], since: Cursor | None
) -> Iterator[Score]:
    """Scores that are news.

    Moodle has no feed that sees overrides, manual columns and scores of tools; the only sure
    way is to read the report and compare. A cursor therefore holds a digest of each learner's
    row: an unchanged row gives nothing, a changed one gives all of its scores.

    Args:
        scores: What ``scores_by_learner`` made.
        since: The cursor of an earlier read; None, or a foreign one, reads everything. Then
            cells that say nothing are left out.

    Yields:
        Scores, learner by learner.
    """
    known = _digests(since)
    for learner, row in scores.items():
        if known is None:
            yield from (score for score in row if not _says_nothing(score))
        elif known.get(learner) != _digest(row):
            yield from row


def next_cursor(scores: Mapping[LearnerRef, Sequence[Score]], since: Cursor | None) -> Cursor:
    """The cursor after a read; a learner who is not in the report keeps the digest."""
    digests = dict(_digests(since) or {})
    digests.update({learner: _digest(row) for learner, row in scores.items()})
    return Cursor(msgspec.json.encode(_Digests(digests)).decode())


def _digests(cursor: Cursor | None) -> Mapping[str, str] | None:
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(cursor, type=_Digests).digests
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def _digest(row: Sequence[Score]) -> str:
    ordered = sorted(row, key=lambda score: (score.line_item_ref, score.criterion_ref or ""))
    return hashlib.blake2b(msgspec.json.encode(ordered), digest_size=8).hexdigest()


def _says_nothing(score: Score) -> bool:
    return score.state is ScoreState.NOT_GRADED and score.submitted_at is None
