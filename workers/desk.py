"""What a course's gradebook shall say, put together from what Waymark knows; nothing is sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mapping import passback
from mapping.evidence import View
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
from mapping.status import Status
from store import courses, frameworks, outbox, standings
from store.courses import StoredCourse
from store.frameworks import StoredCompetency
from store.outbox import Letter, StandingMark
from store.standings import Standing
from workers.recompute import current_rule

_UNSEEN = Standing(status=Status.NO_EVIDENCE, estimate=None, evidence_count=0, mastered_count=0)


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
    connection: Connection, course_id: CourseId, *, way: PassbackWay | None = None
) -> Desk:
    """Put together what a course's gradebook shall say.

    Args:
        connection: A transaction.
        course_id: The course.
        way: Another way than the one chosen for the course, to see what it would do.
    """
    course = courses.course(connection, course_id)
    way = effective_way(course.kind, way or course.way)
    learners = courses.active_learners(connection, course_id)
    known = {c.id: c for c in frameworks.competencies_of(connection, course.tenant)}
    strands = _strands(connection, course_id, way)
    top = current_rule(connection, course.tenant)[1].scale.top
    return Desk(
        course=course,
        way=way,
        refs=courses.learner_refs_in(connection, course_id),
        desired=_desired(
            connection, course, learners=learners, strands=[known[s] for s in strands]
        ),
        recorded=outbox.standing_marks(connection, course_id, way),
        specs=_specs([known[strand] for strand in strands], way, maximum=top),
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


def _desired(
    connection: Connection,
    course: StoredCourse,
    *,
    learners: Sequence[LearnerId],
    strands: Sequence[StoredCompetency],
) -> dict[CompetencyId, dict[LearnerId, Wanted]]:
    ids = [strand.id for strand in strands]
    totals = standings.assessed_competencies(connection, course.tenant)
    now_standing = standings.standings_of(connection, learners, competency_ids=ids)
    return {
        strand.id: {
            learner: _wanted(
                now_standing.get((learner, strand.id, View.LEARNER), _UNSEEN),
                total=totals.get(strand.id, 0) if strand.is_strand else 0,
            )
            for learner in learners
        }
        for strand in strands
    }


def _wanted(standing: Standing, *, total: int) -> Wanted:
    return Wanted(
        status=standing.status,
        estimate=standing.estimate,
        mastered_count=min(standing.mastered_count, total),
        competency_total=total,
    )


def _specs(
    strands: Sequence[StoredCompetency], way: PassbackWay, *, maximum: float
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
            maximum=float(len(passback.LEVELS)) if way is PassbackWay.COMPETENCY else maximum,
            code=strand.code,
            identifier=strand.identifier,
        )
        for strand in strands
    }
