"""What a course's gradebook shall say, put together from what Waymark knows; nothing is sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from store import courses, frameworks, outbox, rules, standings
from store.courses import StoredCourse
from store.frameworks import StoredCompetency
from store.outbox import Letter, StandingMark
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
        unsettled: What was sent and never seen.
    """

    course: StoredCourse
    way: PassbackWay
    refs: Mapping[LearnerId, LearnerRef]
    desired: Mapping[CompetencyId, Mapping[LearnerId, Wanted]]
    recorded: Mapping[tuple[CompetencyId, LearnerId], StandingMark]
    specs: Mapping[CompetencyId, ColumnSpec]
    columns: Mapping[CompetencyId, tuple[ColumnId, ColumnRef]]
    unsettled: Sequence[Letter]

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
    way = effective_way(course.kind, way or course.way)
    known = {c.id: c for c in frameworks.competencies_of(connection, course.tenant)}
    strands = [known[one] for one in _strands(connection, course_id, way)]
    found = _found(connection, courses.active_learners(connection, course_id), strands)
    _, rule = current_rule(connection, course.tenant, now=now)
    return Desk(
        course=course,
        way=way,
        refs=courses.learner_refs_in(connection, course_id),
        desired=_desired(found, standings.assessed_competencies(connection, course.tenant)),
        recorded=outbox.standing_marks(connection, course_id, way),
        specs=_specs(strands, way, tops=_tops(found, rule)),
        columns=outbox.columns(connection, course_id, way),
        unsettled=outbox.unsettled(connection, course_id, way),
    )


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
    """Where the learners of a course stand in its strands, and by which rules."""

    learners: Sequence[LearnerId]
    strands: Sequence[StoredCompetency]
    standing: Mapping[Place, Standing]
    rules: Mapping[int, MasteryRule]

    def rule_of(self, standing: Standing) -> MasteryRule | None:
        """What a standing was judged by, None where that is not kept."""
        return None if standing.rule is None else self.rules[standing.rule]

    def shown(self, learner: LearnerId, strand: StoredCompetency) -> Standing:
        """Where a learner may see themselves."""
        return self.standing.get((learner, strand.id, View.LEARNER), NOWHERE)


def _found(
    connection: Connection, learners: Sequence[LearnerId], strands: Sequence[StoredCompetency]
) -> _Found:
    standing = standings.standings_of(
        connection, learners, competency_ids=[strand.id for strand in strands]
    )
    ids = {one.rule for one in standing.values() if one.rule is not None}
    return _Found(
        learners=learners,
        strands=strands,
        standing=standing,
        rules=rules.rules_by_id(connection, ids),
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


def _tops(found: _Found, rule: MasteryRule) -> dict[CompetencyId, float]:
    """Out of how many points each strand's column is: the top of its rule's scale."""
    tops: dict[CompetencyId, float] = {}
    for (_, competency, _), standing in found.standing.items():
        if (judged_by := found.rule_of(standing)) is not None:
            tops[competency] = max(tops.get(competency, 0.0), judged_by.scale.top)
    return {strand.id: tops.get(strand.id, rule.scale.top) for strand in found.strands}


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
