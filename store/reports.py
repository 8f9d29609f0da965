"""What the pages show, one question each, asked of one tenant.

Every function takes the tenant and finds nothing of another: an id from an address is no proof
of anything. Who may ask is decided above.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    or_,
    select,
    true,
)

from mapping.evidence.tables import View
from mapping.records import (
    CompetencyId,
    CourseId,
    EnrolmentState,
    LearnerId,
    LearnerRef,
    LineItemId,
    PlatformId,
    TenantId,
)
from mapping.status import NO_LEVEL, OverrideState, Status
from store.score_blocks import read_blocks
from store.session import chunks
from store.tables import (
    alignments,
    competencies,
    courses,
    enrolments,
    frameworks,
    guardianships,
    learner_accounts,
    learners,
    line_items,
    schools,
    score_blocks,
    standings,
)

_STANDING = (
    "status",
    "estimate",
    "evidence_count",
    "mastered_count",
    "level",
    "override",
    "effective_rule_id",
)
"""What a line tells of a standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetencyLine:
    """A competency and its place in its framework; ``strand`` is what it is part of."""

    id: CompetencyId
    code: str
    statement: str
    indicator: str
    strand: CompetencyId | None
    is_strand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingLine:
    """Where one learner stands in one competency; as ``store.standings.Standing`` has it."""

    competency: CompetencyLine
    status: Status
    estimate: float | None
    evidence_count: int
    mastered_count: int
    level: int = NO_LEVEL
    override: OverrideState = OverrideState.NONE
    rule: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerLine:
    """A learner by name.

    ``read_at`` is when the least recently read of their courses was read, but for those that
    their LMS lists no longer.
    """

    id: LearnerId
    name: str
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """A line item as a person knows it; ``criterion`` is empty but for a row of a rubric."""

    title: str
    criterion: str
    course: str
    is_published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseLine:
    """A course; ``read_at`` is None until its gradebook was read to the end once."""

    id: CourseId
    title: str
    code: str
    school: str
    read_at: datetime | None
    learners: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLine:
    """One cell of a class table; as ``store.standings.Standing`` has it."""

    status: Status
    estimate: float | None
    evidence_count: int
    level: int = NO_LEVEL
    override: OverrideState = OverrideState.NONE
    rule: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTable:
    """Learners in rows by sort name, competencies in columns by strand; absent cells are blank."""

    course: CourseLine
    learners: Sequence[LearnerLine]
    competencies: Sequence[CompetencyLine]
    cells: Mapping[tuple[LearnerId, CompetencyId], CellLine]


def learner_line(
    connection: Connection, tenant: TenantId, learner: LearnerId
) -> LearnerLine | None:
    """A learner of the tenant, with how old what is known of them is."""
    row = connection.execute(
        select(learners.c.id, learners.c.name, func.min(courses.c.synced_at).label("read_at"))
        .outerjoin(enrolments, _is_active_enrolment(learners.c.id))
        .outerjoin(
            courses, and_(courses.c.id == enrolments.c.course_id, courses.c.gone_at.is_(None))
        )
        .where(learners.c.tenant_id == tenant, learners.c.id == learner)
        .group_by(learners.c.id, learners.c.name)
    ).first()
    if row is None:
        return None
    return LearnerLine(id=LearnerId(row.id), name=row.name, read_at=row.read_at)


def learner_standings(
    connection: Connection,
    tenant: TenantId,
    learner: LearnerId,
    *,
    view: View,
    course: CourseId | None = None,
) -> tuple[StandingLine, ...]:
    """Where a learner stands, in everything their courses can give evidence of.

    Args:
        connection: A transaction.
        tenant: Whose learner it must be.
        learner: The learner.
        view: Whose eyes it is for.
        course: Only what this course's line items speak for; None for all their courses and
            whatever else there is a standing in.

    Returns:
        Competencies and their strands in framework order; those without a standing are "no
        evidence yet".
    """
    theirs = _aligned_in_courses_of(learner, course)
    is_shown: ColumnElement[bool] = competencies.c.id.in_(_with_strands(theirs))
    if course is None:
        is_shown = or_(is_shown, standings.c.status.is_not(None))
    rows = connection.execute(
        _competency_query(*(standings.c[name] for name in _STANDING))
        .join(
            learners, and_(learners.c.tenant_id == frameworks.c.tenant_id, learners.c.id == learner)
        )
        .outerjoin(
            standings,
            and_(
                standings.c.learner_id == learners.c.id,
                standings.c.competency_id == competencies.c.id,
                standings.c.view == int(view),
            ),
        )
        .where(frameworks.c.tenant_id == tenant, is_shown)
    )
    return tuple(_standing_line(row) for row in rows)


def course_standings(
    connection: Connection,
    tenant: TenantId,
    course: CourseId,
    *,
    after: LearnerId | None,
    most: int,
) -> tuple[tuple[LearnerLine, tuple[StandingLine, ...]], ...]:
    """Where some active learners of a course stand in what its line items speak for, by one query.

    Args:
        connection: A transaction.
        tenant: Whose course it must be.
        course: The course.
        after: Only learners of higher ids; None from the first.
        most: How many learners at most.

    Returns:
        By learner's id, each as ``learner_standings`` tells it to teachers.
    """
    part = (
        select(learners.c.id, learners.c.name)
        .join(enrolments, _is_active_enrolment(learners.c.id))
        .where(learners.c.tenant_id == tenant, enrolments.c.course_id == course)
        .order_by(learners.c.id)
        .limit(most)
    )
    someone = (part if after is None else part.where(learners.c.id > after)).subquery()
    aligned = _aligned().where(line_items.c.course_id == course)
    asked = (
        _competency_query()
        .add_columns(frameworks.c.id.label("of_framework"))
        .where(frameworks.c.tenant_id == tenant, competencies.c.id.in_(_with_strands(aligned)))
        .order_by(None)
        .subquery()
    )
    rows = connection.execute(
        select(
            someone.c.id.label("learner"),
            someone.c.name.label("learner_name"),
            asked,
            *(standings.c[name] for name in _STANDING),
        )
        .select_from(someone)
        .outerjoin(asked, true())
        .outerjoin(
            standings,
            and_(
                standings.c.learner_id == someone.c.id,
                standings.c.competency_id == asked.c.id,
                standings.c.view == int(View.TEACHER),
            ),
        )
        .order_by(someone.c.id, asked.c.of_framework, asked.c.position, asked.c.id)
    )
    return tuple(
        (
            LearnerLine(id=LearnerId(learner), name=name),
            # Where a course speaks for nothing, a learner is one row without a competency.
            tuple(_standing_line(row) for row in theirs if row.id is not None),
        )
        for (learner, name), theirs in groupby(
            rows, key=lambda row: (row.learner, row.learner_name)
        )
    )


def item_lines(
    connection: Connection, tenant: TenantId, learner: LearnerId
) -> dict[LineItemId, ItemLine]:
    """The line items a learner has anything in."""
    query = (
        select(
            line_items.c.id,
            line_items.c.title,
            line_items.c.criterion,
            line_items.c.is_published,
            courses.c.title.label("course"),
        )
        .join(courses, courses.c.id == line_items.c.course_id)
        .where(courses.c.tenant_id == tenant)
    )
    blocks = read_blocks(connection, score_blocks.c.learner_id == learner)
    return {
        LineItemId(row.id): ItemLine(
            title=row.title,
            criterion=row.criterion,
            course=row.course,
            is_published=row.is_published,
        )
        for part in chunks(blocks.cells["line_item_id"].tolist())
        for row in connection.execute(query.where(line_items.c.id.in_(part)))
    }


def class_table(connection: Connection, tenant: TenantId, course: CourseId) -> ClassTable | None:
    """A course's active learners against the competencies its line items speak for.

    Args:
        connection: A transaction.
        tenant: Whose course it must be.
        course: The course.

    Returns:
        The table in the teacher's view, or None where the tenant has no such course.
    """
    found = course_lines(connection, tenant, course=course)
    if not found:
        return None
    is_there = and_(
        enrolments.c.course_id == course, enrolments.c.state == EnrolmentState.ACTIVE.value
    )
    aligned = _aligned().where(line_items.c.course_id == course)
    return ClassTable(
        course=found[0],
        learners=_class_learners(connection, is_there),
        competencies=tuple(
            _competency_line(row)
            for row in connection.execute(
                _competency_query().where(
                    frameworks.c.tenant_id == tenant, competencies.c.id.in_(_with_strands(aligned))
                )
            )
        ),
        cells=_cells(connection, is_there, aligned),
    )


def course_lines(
    connection: Connection, tenant: TenantId, *, course: CourseId | None = None
) -> tuple[CourseLine, ...]:
    """The tenant's courses by school and title, or the one asked for."""
    query = (
        select(
            courses,
            func.coalesce(schools.c.name, "").label("school"),
            func.count(enrolments.c.learner_id).label("learners"),
        )
        .outerjoin(schools, schools.c.id == courses.c.school_id)
        .outerjoin(
            enrolments,
            and_(
                enrolments.c.course_id == courses.c.id,
                enrolments.c.state == EnrolmentState.ACTIVE.value,
            ),
        )
        .where(courses.c.tenant_id == tenant)
        .group_by(courses.c.id, schools.c.name)
        .order_by("school", courses.c.title, courses.c.id)
    )
    if course is not None:
        query = query.where(courses.c.id == course)
    return tuple(
        CourseLine(
            id=CourseId(row.id),
            title=row.title,
            code=row.code,
            school=row.school,
            read_at=row.synced_at,
            learners=row.learners,
        )
        for row in connection.execute(query)
    )


def children_of(
    connection: Connection, tenant: TenantId, course: CourseId, *, guardian: LearnerRef
) -> tuple[LearnerLine, ...]:
    """The learners whom the LMS lets a guardian observe in a course, by sort name."""
    rows = connection.execute(
        select(learners.c.id, learners.c.name)
        .join(guardianships, guardianships.c.learner_id == learners.c.id)
        .where(
            learners.c.tenant_id == tenant,
            guardianships.c.course_id == course,
            guardianships.c.guardian_ref == guardian,
        )
        .order_by(learners.c.sort_name, learners.c.id)
    )
    return tuple(LearnerLine(id=LearnerId(row.id), name=row.name) for row in rows)


def learners_among(
    connection: Connection,
    tenant: TenantId,
    course: CourseId,
    *,
    platform: PlatformId,
    refs: Sequence[LearnerRef],
) -> tuple[LearnerLine, ...]:
    """Those of some people of an LMS who are active learners of a course, by sort name."""
    rows = connection.execute(
        select(learners.c.id, learners.c.name)
        .join(learner_accounts, learner_accounts.c.learner_id == learners.c.id)
        .join(enrolments, _is_active_enrolment(learners.c.id))
        .where(
            learners.c.tenant_id == tenant,
            enrolments.c.course_id == course,
            learner_accounts.c.platform_id == platform,
            learner_accounts.c.ref.in_(refs),
        )
        .order_by(learners.c.sort_name, learners.c.id)
    )
    return tuple(LearnerLine(id=LearnerId(row.id), name=row.name) for row in rows)


def is_enrolled(
    connection: Connection, tenant: TenantId, course: CourseId, *, learner: LearnerId
) -> bool:
    """Whether a learner is active in a course of the tenant."""
    found = connection.execute(
        select(courses.c.id)
        .join(enrolments, enrolments.c.course_id == courses.c.id)
        .where(
            courses.c.tenant_id == tenant,
            courses.c.id == course,
            enrolments.c.learner_id == learner,
            enrolments.c.state == EnrolmentState.ACTIVE.value,
        )
    )
    return found.first() is not None


def _is_active_enrolment(learner: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(
        enrolments.c.learner_id == learner, enrolments.c.state == EnrolmentState.ACTIVE.value
    )


def _aligned() -> Select[Any]:
    """Ids of competencies that line items still there speak for."""
    return (
        select(alignments.c.competency_id)
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .where(line_items.c.is_removed.is_(False))
    )


def _aligned_in_courses_of(learner: LearnerId, course: CourseId | None) -> Select[Any]:
    aligned = (
        _aligned()
        .join(enrolments, enrolments.c.course_id == line_items.c.course_id)
        .where(
            enrolments.c.learner_id == learner, enrolments.c.state == EnrolmentState.ACTIVE.value
        )
    )
    return aligned if course is None else aligned.where(line_items.c.course_id == course)


def _with_strands(ids: Select[Any]) -> Select[Any]:
    """The same ids and those of their strands."""
    found: CTE = ids.distinct().cte()
    strands = select(competencies.c.parent_id).where(
        competencies.c.id.in_(select(found.c.competency_id)), competencies.c.parent_id.is_not(None)
    )
    both = select(found.c.competency_id).union(strands).subquery()
    return select(both.c[0])


def _competency_query(*more: ColumnElement[Any]) -> Select[Any]:
    return (
        select(competencies, *more)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(competencies.c.is_archived.is_(False))
        .order_by(frameworks.c.id, competencies.c.position, competencies.c.id)
    )


def _competency_line(row: "Row[Any]") -> CompetencyLine:
    return CompetencyLine(
        id=CompetencyId(row.id),
        code=row.code,
        statement=row.statement,
        indicator=row.indicator,
        strand=None if row.parent_id is None else CompetencyId(row.parent_id),
        is_strand=row.is_strand,
    )


def _standing_line(row: "Row[Any]") -> StandingLine:
    return StandingLine(
        competency=_competency_line(row),
        status=Status(row.status or 0),
        estimate=row.estimate,
        evidence_count=row.evidence_count or 0,
        mastered_count=row.mastered_count or 0,
        level=NO_LEVEL if row.level is None else row.level,
        override=OverrideState(row.override or 0),
        rule=row.effective_rule_id,
    )


def _class_learners(
    connection: Connection, is_there: ColumnElement[bool]
) -> tuple[LearnerLine, ...]:
    rows = connection.execute(
        select(learners.c.id, learners.c.name)
        .join(enrolments, enrolments.c.learner_id == learners.c.id)
        .where(is_there)
        .order_by(learners.c.sort_name, learners.c.id)
    )
    return tuple(LearnerLine(id=LearnerId(row.id), name=row.name) for row in rows)


def _cells(
    connection: Connection, is_there: ColumnElement[bool], aligned: Select[Any]
) -> dict[tuple[LearnerId, CompetencyId], CellLine]:
    rows = connection.execute(
        select(standings).where(
            standings.c.learner_id.in_(select(enrolments.c.learner_id).where(is_there)),
            standings.c.competency_id.in_(_with_strands(aligned)),
            standings.c.view == int(View.TEACHER),
        )
    )
    return {
        (LearnerId(row.learner_id), CompetencyId(row.competency_id)): CellLine(
            status=Status(row.status),
            estimate=row.estimate,
            evidence_count=row.evidence_count,
            level=row.level,
            override=OverrideState(row.override),
            rule=row.effective_rule_id,
        )
        for row in rows
    }
