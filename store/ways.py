"""Which way a status goes to a gradebook: chosen for a school, or for one course of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select, update

from mapping.records import CourseId, LearnerId, Mode, PassbackWay, TenantId
from store.courses import effective_mode
from store.modes import AS_SCHOOL, change_course, change_school, find_school
from store.policy_changes import Author, PolicyKind
from store.session import chunks
from store.tables import courses, learners, passback_columns, platforms, schools

PREVIEW_HOLDS = timedelta(days=1)
"""How old a dry run may be when somebody agrees to marks that count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseWay:
    """A course with its way and where that comes from.

    Attributes:
        id: Waymark's own.
        title: As the LMS has it.
        code: As the LMS has it.
        platform: The platform's name.
        school: The school's name, empty for none.
        own: What was chosen for this course alone, None for nothing.
        of_school: What its school goes by.
        counted_from: When somebody agreed to marks that count here.
        previewed_at: When marks that count were last tried dry.
        mode: How far it has come, by its own choice or its school's.
        own_mode: What was chosen for this course alone, None for nothing.
        agreed_at: Since when its gradebook may be written to at all, None for not yet.
        agreed_by: Who agreed to that.
    """

    id: CourseId
    title: str
    code: str
    platform: str
    school: str
    own: PassbackWay | None
    of_school: PassbackWay
    counted_from: datetime | None
    previewed_at: datetime | None
    mode: Mode = Mode.SHADOW
    own_mode: Mode | None = None
    agreed_at: datetime | None = None
    agreed_by: str = ""

    @property
    def is_written(self) -> bool:
        """Whether marks go to its gradebook at all."""
        return self.mode is Mode.OFFICIAL and self.way is not PassbackWay.NONE

    @property
    def way(self) -> PassbackWay:
        """The way that its marks go."""
        return self.own or self.of_school

    def is_previewed(self, now: datetime) -> bool:
        """Whether marks that count were tried dry a short while ago."""
        return self.previewed_at is not None and now - self.previewed_at <= PREVIEW_HOLDS


def course_ways(
    connection: Connection, tenant: TenantId, *, called: str = ""
) -> tuple[CourseWay, ...]:
    """The courses of a tenant with their ways, by title.

    Args:
        connection: A transaction.
        tenant: Whose courses.
        called: Keeps those with this number, title, code or SIS id; empty keeps all.
    """
    query = _query().where(courses.c.tenant_id == tenant)
    if called:
        is_named = [column == called for column in (courses.c.title, courses.c.code)]
        is_named.append(courses.c.sis_id == called)
        if called.isdecimal():
            is_named.append(courses.c.id == int(called))
        query = query.where(or_(*is_named))
    return tuple(_course_way(row) for row in connection.execute(query))


def course_way(connection: Connection, course: CourseId) -> CourseWay:
    """One course by its id."""
    return _course_way(connection.execute(_query().where(courses.c.id == course)).one())


def _query() -> Select[Any]:
    return (
        select(
            courses,
            platforms.c.name.label("platform"),
            func.coalesce(schools.c.name, "").label("school"),
            func.coalesce(schools.c.passback_way, PassbackWay.NONE.value).label("of_school"),
            effective_mode().label("effective_mode"),
            schools.c.agreed_at.label("school_agreed_at"),
            func.coalesce(schools.c.agreed_by, "").label("school_agreed_by"),
        )
        .select_from(
            courses.join(platforms, platforms.c.id == courses.c.platform_id).outerjoin(
                schools, schools.c.id == courses.c.school_id
            )
        )
        .order_by(courses.c.title, courses.c.id)
    )


def _course_way(row: "Row[Any]") -> CourseWay:
    return CourseWay(
        id=CourseId(row.id),
        title=row.title,
        code=row.code,
        platform=row.platform,
        school=row.school,
        own=None if row.passback_way is None else PassbackWay(row.passback_way),
        of_school=PassbackWay(row.of_school),
        counted_from=row.counted_from,
        previewed_at=row.previewed_at,
        mode=Mode(row.effective_mode),
        own_mode=None if row.mode is None else Mode(row.mode),
        agreed_at=row.agreed_at or row.school_agreed_at,
        agreed_by=row.agreed_by or row.school_agreed_by,
    )


def set_course_way(
    connection: Connection,
    course: CourseId,
    way: PassbackWay | None,
    *,
    counted_from: datetime | None = None,
    author: Author,
) -> None:
    """Choose a way for one course, or give the choice back to its school.

    Args:
        connection: A writing transaction.
        course: Which course.
        way: None for the school's.
        counted_from: When somebody agreed that marks count here; without it an earlier
            agreement ends.
        author: Who chooses.
    """
    row = connection.execute(
        select(courses.c.tenant_id, courses.c.passback_way).where(courses.c.id == course)
    ).one()
    chosen = None if way is None else way.value
    values = {"passback_way": chosen, "counted_from": counted_from, "previewed_at": None}
    before, after = row.passback_way or AS_SCHOOL, chosen or AS_SCHOOL
    change = author.change(PolicyKind.WAY, before, after, course=course)
    change_course(connection, TenantId(row.tenant_id), values, change=change)


def set_school_way(
    connection: Connection, tenant: TenantId, school: str, *, way: PassbackWay, author: Author
) -> bool:
    """Choose a way for a school; False where the tenant has none of this name."""
    row = find_school(connection, tenant, school)
    if row is None:
        return False
    if row.passback_way != way.value:
        change = author.change(PolicyKind.WAY, row.passback_way, way.value, school=row.id)
        change_school(connection, tenant, {"passback_way": way.value}, change=change)
    return True


def school_names(connection: Connection, tenant: TenantId) -> tuple[str, ...]:
    """The names of a tenant's schools, in order."""
    rows = connection.execute(
        select(schools.c.name).where(schools.c.tenant_id == tenant).order_by(schools.c.name)
    )
    return tuple(row[0] for row in rows)


def note_preview(connection: Connection, course: CourseId, now: datetime) -> None:
    """Record that marks that count were tried dry in a course."""
    connection.execute(update(courses).where(courses.c.id == course).values(previewed_at=now))


def column_counts(connection: Connection, course: CourseId) -> Mapping[PassbackWay, int]:
    """How many columns Waymark has in a course, by the way they were made for."""
    rows = connection.execute(
        select(passback_columns.c.way, func.count())
        .where(passback_columns.c.course_id == course)
        .group_by(passback_columns.c.way)
    )
    return {PassbackWay(row[0]): row[1] for row in rows}


def learner_names(connection: Connection, ids: Sequence[LearnerId]) -> Mapping[LearnerId, str]:
    """The names of some learners, for whoever looks over a dry run."""
    found: dict[LearnerId, str] = {}
    for part in chunks(ids):
        rows = connection.execute(
            select(learners.c.id, learners.c.name).where(learners.c.id.in_(part))
        )
        found.update({LearnerId(row[0]): row[1] for row in rows})
    return found
