"""What a course's gradebook shall say, put together from what Waymark knows; nothing is sent.

A night looks at those marks alone that may be out of date (``due_desk``); what may be is kept by
``store.due``. ``set_desk`` looks at all of a course, to show what would be written.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from mapping import passback
from mapping.evidence.tables import View
from mapping.passback import Plan, Wanted
from mapping.records import (
    ColumnId,
    ColumnRef,
    ColumnSpec,
    CompetencyId,
    CourseId,
    LearnerId,
    LearnerRef,
    Mark,
    PassbackWay,
)
from mapping.rules.mastery_rule import MasteryRule
from store import courses, due, frameworks, outbox, rules, standings, totals
from store.courses import StoredCourse
from store.due import Due
from store.frameworks import StoredCompetency
from store.outbox import Letter, OutboxState, StandingMark
from store.standings import NOWHERE, Place, Standing
from workers.recompute import current_rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A course with everything that decides what its gradebook shall say.

    A column is made for each strand; for ratings it is the competency itself, and "strand"
    stands for that, too.

    Attributes:
        course: The course.
        way: How its marks go.
        refs: What the platform calls the learners.
        desired: Standings as learners may see them, by strand.
        recorded: What is known to stand in the columns of this way.
        specs: The column of each strand.
        columns: Where those are that were had before.
        letters: What is wanted already, or was sent and never seen, oldest first.
        due: What of the course may be out of date; nothing where all was looked at for itself.
    """

    course: StoredCourse
    way: PassbackWay
    refs: Mapping[LearnerId, LearnerRef]
    desired: Mapping[CompetencyId, Mapping[LearnerId, Wanted]]
    recorded: Mapping[tuple[CompetencyId, LearnerId], StandingMark]
    specs: Mapping[CompetencyId, ColumnSpec]
    columns: Mapping[CompetencyId, tuple[ColumnId, ColumnRef]]
    letters: Sequence[Letter]
    due: Due = field(default_factory=Due)

    @property
    def unsettled(self) -> tuple[Letter, ...]:
        """What was sent and never seen."""
        return tuple(one for one in self.letters if one.state is OutboxState.SENT)

    def plan(self, strand: CompetencyId) -> Plan:
        """The marks wanted in a strand's column, less those that stand there."""
        desired = self.desired[strand]
        return passback.plan(
            {self.refs[learner]: one for learner, one in desired.items() if learner in self.refs},
            self.marks_in(strand),
            self.way,
        )

    def marks_in(self, strand: CompetencyId) -> dict[LearnerRef, Mark]:
        """What is known to stand in a strand's column."""
        return {
            self.refs[learner]: mark_of(self.refs[learner], mark)
            for (place, learner), mark in self.recorded.items()
            if place == strand and learner in self.refs
        }


def effective_way(kind: str, way: PassbackWay) -> PassbackWay:
    """The way that a platform goes where it cannot go the chosen one without harm.

    A number cannot be kept out of Moodle's course total by a tool, so words are written there.
    """
    if kind == "moodle" and way is PassbackWay.MARK_NOT_COUNTED:
        return PassbackWay.WORDS
    return way


def set_desk(
    connection: Connection,
    course_id: CourseId,
    *,
    now: datetime,
    way: PassbackWay | None = None,
) -> Desk:
    """Put together what a course's gradebook shall say.

    Args:
        connection: A transaction.
        course_id: The course.
        now: The moment, at which the district's rule is asked for.
        way: Another way than the one chosen for the course, to see what it would do.
    """
    course = courses.course(connection, course_id)
    chosen = effective_way(course.kind, way or course.way)
    letters = outbox.open_letters(connection, course_id, chosen)
    return _desk(connection, course, chosen, letters=letters, scope=_Scope(now=now))


def due_desk(connection: Connection, course_id: CourseId, *, now: datetime) -> Desk:
    """Put together what may be out of date in a course's gradebook, and what is on its way.

    What is due is read before what the marks are made of, so that a change in between is looked
    at, and stays due.

    Args:
        connection: A transaction.
        course_id: The course.
        now: The moment, at which the district's rule is asked for.
    """
    found = due.due_in(connection, course_id)
    course = courses.course(connection, course_id)
    way = effective_way(course.kind, course.way)
    letters = outbox.open_letters(connection, course_id, way)
    asked = None
    if found.whole is None:
        asked = found.learners.keys() | {letter.learner for letter in letters}
    scope = _Scope(now=now, asked=asked, due=found)
    return _desk(connection, course, way, letters=letters, scope=scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """Whose marks are looked at, None for everybody's; when, and what of them is due."""

    now: datetime
    asked: Collection[LearnerId] | None = None
    due: Due = field(default_factory=Due)


def _desk(
    connection: Connection,
    course: StoredCourse,
    way: PassbackWay,
    *,
    letters: Sequence[Letter],
    scope: _Scope,
) -> Desk:
    refs = courses.learner_refs_in(connection, course.id)
    if scope.asked is not None:
        refs = {learner: ref for learner, ref in refs.items() if learner in scope.asked}
    ids = _strands(connection, course.id, way) if refs or letters else ()
    known = frameworks.competencies_by_id(connection, ids)
    strands = [known[one] for one in ids if one in known]
    found = _found(connection, course, list(refs), strands=strands)
    return Desk(
        course=course,
        way=way,
        refs=refs,
        desired=_desired(found, _totals(connection, course, ids)),
        recorded=outbox.standing_marks(connection, course.id, way, learner_ids=list(refs)),
        specs=_specs(strands, way, tops=_tops(connection, course, found, now=scope.now)),
        columns=outbox.columns(connection, course.id, way),
        letters=letters,
        due=scope.due,
    )


def _totals(
    connection: Connection, course: StoredCourse, strands: Sequence[CompetencyId]
) -> Mapping[CompetencyId, int]:
    kept = totals.totals_of(connection, strands)
    if kept.keys() >= set(strands):
        return kept
    # No run has written since it is kept.
    return standings.assessed_competencies(connection, course.tenant)


def mark_of(ref: LearnerRef, mark: StandingMark | Letter) -> Mark:
    """A stored mark as the gradebook is asked for it."""
    return Mark(learner_ref=ref, words=mark.words, points=mark.points)


def _strands(
    connection: Connection, course_id: CourseId, way: PassbackWay
) -> tuple[CompetencyId, ...]:
    if way is PassbackWay.COMPETENCY:
        return standings.competencies_in_course(connection, course_id)
    return standings.strands_in_course(connection, course_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Where learners of a course stand in its strands, and the rules of all of its learners."""

    learners: Sequence[LearnerId]
    strands: Sequence[StoredCompetency]
    standing: Mapping[Place, Standing]
    judged_by: Mapping[CompetencyId, frozenset[int]]
    rules: Mapping[int, MasteryRule]

    def rule_of(self, standing: Standing) -> MasteryRule | None:
        """What a standing was judged by, None where that is not kept."""
        return None if standing.rule is None else self.rules[standing.rule]

    def shown(self, learner: LearnerId, strand: StoredCompetency) -> Standing:
        """Where a learner may see themselves."""
        return self.standing.get((learner, strand.id, View.LEARNER), NOWHERE)


def _found(
    connection: Connection,
    course: StoredCourse,
    learners: Sequence[LearnerId],
    *,
    strands: Sequence[StoredCompetency],
) -> _Found:
    ids = [strand.id for strand in strands]
    standing = standings.standings_of(connection, learners, competency_ids=ids)
    judged_by = standings.rules_in_course(connection, course.id, ids) if ids else {}
    named = {one.rule for one in standing.values() if one.rule is not None}
    return _Found(
        learners=learners,
        strands=strands,
        standing=standing,
        judged_by=judged_by,
        rules=rules.rules_by_id(connection, named.union(*judged_by.values())),
    )


def _desired(
    found: _Found, totals: Mapping[CompetencyId, int]
) -> dict[CompetencyId, dict[LearnerId, Wanted]]:
    return {
        strand.id: {
            learner: _wanted(
                standing := found.shown(learner, strand),
                found.rule_of(standing),
                total=totals.get(strand.id, 0) if strand.is_strand else 0,
            )
            for learner in found.learners
        }
        for strand in found.strands
    }


def _wanted(standing: Standing, rule: MasteryRule | None, *, total: int) -> Wanted:
    status = standing.status
    return Wanted(
        status=status,
        label=status.label if rule is None else rule.label(status, standing.level),
        estimate=standing.estimate,
        mastered_count=min(standing.mastered_count, total),
        competency_total=total,
    )


def _tops(
    connection: Connection, course: StoredCourse, found: _Found, *, now: datetime
) -> dict[CompetencyId, float]:
    """Out of how many points each strand's column is: the top of the scales of all learners.

    Also where a few of them are looked at: a column has one maximum.
    """
    tops = {
        competency: max(found.rules[one].scale.top for one in judged_by)
        for competency, judged_by in found.judged_by.items()
    }
    missing = [strand.id for strand in found.strands if strand.id not in tops]
    if not missing:
        return tops
    _, rule = current_rule(connection, course.tenant, now=now)
    return {**tops, **dict.fromkeys(missing, rule.scale.top)}


def _specs(
    strands: Sequence[StoredCompetency], way: PassbackWay, *, tops: Mapping[CompetencyId, float]
) -> dict[CompetencyId, ColumnSpec]:
    """One column for each strand; strands of one name are told apart by their code."""
    names = Counter(strand.statement for strand in strands)
    return {
        strand.id: ColumnSpec(
            tag=passback.column_tag(strand.code, way),
            title=passback.column_title(
                strand.statement
                if names[strand.statement] == 1
                else f"{strand.statement} ({strand.code})",
                way,
            ),
            way=way,
            maximum=(
                float(len(passback.LEVELS)) if way is PassbackWay.COMPETENCY else tops[strand.id]
            ),
            code=strand.code,
            identifier=strand.identifier,
        )
        for strand in strands
    }
