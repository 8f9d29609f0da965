"""How far schools and courses have come with Waymark, and who let their gradebooks be written.

What is changed here decides what leaves Waymark and who sees it. So every change is kept with
its author, and the courses it concerns are put down as due: another mode or a first yes may let
marks out that were held back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select, update

from mapping.records import CourseId, CourseState, Mode, PassbackWay, SchoolId, TenantId
from store import due
from store.courses import effective_mode
from store.policy_changes import Author, PolicyChange, PolicyKind, record_change
from store.session import chunks
from store.tables import courses, schools

AS_SCHOOL = "as its school"
"""What a course's mode or way is where it has none of its own, in the history of changes."""

_NO, _YES = "not agreed", "agreed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolMode:
    """A school as its administrators see it.

    ``agreed_at`` is since when the gradebooks of all its courses may be written to, those to
    come included; None where each course needs its own yes.
    """

    id: SchoolId
    name: str
    mode: Mode
    way: PassbackWay
    agreed_at: datetime | None
    agreed_by: str


def school_modes(connection: Connection, tenant: TenantId) -> tuple[SchoolMode, ...]:
    """The schools of a tenant, by name."""
    rows = connection.execute(
        select(schools).where(schools.c.tenant_id == tenant).order_by(schools.c.name)
    )
    return tuple(
        SchoolMode(
            id=SchoolId(row.id),
            name=row.name,
            mode=Mode(row.mode),
            way=PassbackWay(row.passback_way),
            agreed_at=row.agreed_at,
            agreed_by=row.agreed_by,
        )
        for row in rows
    )


def set_school_mode(
    connection: Connection, tenant: TenantId, school: str, *, mode: Mode, author: Author
) -> bool:
    """Choose a school's mode; False where the tenant has none of this name."""
    row = find_school(connection, tenant, school)
    if row is None:
        return False
    if row.mode != mode.value:
        change = author.change(PolicyKind.MODE, row.mode, mode.value, school=row.id)
        change_school(connection, tenant, {"mode": mode.value}, change=change)
    return True


def set_course_mode(
    connection: Connection, tenant: TenantId, course: CourseId, *, mode: Mode | None, author: Author
) -> bool:
    """Choose a course's mode, or with None give the choice back to its school.

    False where the tenant has no such course.
    """
    found = connection.execute(
        select(courses.c.mode).where(courses.c.id == course, courses.c.tenant_id == tenant)
    ).one_or_none()
    if found is None:
        return False
    chosen = None if mode is None else mode.value
    if found.mode != chosen:
        before, after = found.mode or AS_SCHOOL, chosen or AS_SCHOOL
        change = author.change(PolicyKind.MODE, before, after, course=course)
        change_course(connection, tenant, {"mode": chosen}, change=change)
    return True


def agree(
    connection: Connection, tenant: TenantId, course_ids: Collection[CourseId], *, author: Author
) -> tuple[CourseId, ...]:
    """Let the gradebooks of courses be written to for the first time.

    Args:
        connection: A writing transaction.
        tenant: Whose courses; others are passed over.
        course_ids: Which; those agreed to already stay as they are.
        author: Who agrees.

    Returns:
        The courses that were agreed to now.
    """
    agreed: list[CourseId] = []
    for part in chunks(sorted(course_ids)):
        rows = connection.execute(
            _of_schools(courses.c.id).where(
                courses.c.tenant_id == tenant, courses.c.id.in_(part), _is_not_agreed()
            )
        )
        agreed.extend(CourseId(row[0]) for row in rows)
    values = {"agreed_at": author.at, "agreed_by": author.by}
    for course in agreed:
        change = author.change(PolicyKind.FIRST_YES, _NO, _YES, course=course)
        change_course(connection, tenant, values, change=change)
    return tuple(agreed)


def agree_for_school(
    connection: Connection, tenant: TenantId, school: str, *, author: Author
) -> bool:
    """Let the gradebooks of all courses of a school be written to, those to come included.

    False where the tenant has no school of this name.
    """
    row = find_school(connection, tenant, school)
    if row is None:
        return False
    if row.agreed_at is None:
        values = {"agreed_at": author.at, "agreed_by": author.by}
        change = author.change(PolicyKind.FIRST_YES, _NO, _YES, school=row.id)
        change_school(connection, tenant, values, change=change)
    return True


def courses_waiting(
    connection: Connection, tenant: TenantId, *, school: str = ""
) -> tuple[CourseId, ...]:
    """Courses whose gradebooks would be written to if somebody agreed, by title.

    Args:
        connection: A transaction.
        tenant: Whose courses.
        school: Keeps those of the school of this name; empty keeps all.
    """
    way = func.coalesce(courses.c.passback_way, schools.c.passback_way, PassbackWay.NONE.value)
    query = _of_schools(courses.c.id).where(
        courses.c.tenant_id == tenant,
        courses.c.state == CourseState.ACTIVE.value,
        courses.c.synced_at.is_not(None),
        effective_mode() == Mode.OFFICIAL.value,
        way != PassbackWay.NONE.value,
        _is_not_agreed(),
    )
    if school:
        query = query.where(schools.c.name == school)
    rows = connection.execute(query.order_by(courses.c.title, courses.c.id))
    return tuple(CourseId(row[0]) for row in rows)


def find_school(connection: Connection, tenant: TenantId, name: str) -> "Row[Any] | None":
    """A school's row by its name, for the rooms of this package."""
    return connection.execute(
        select(schools).where(schools.c.tenant_id == tenant, schools.c.name == name)
    ).one_or_none()


def schools_of(
    connection: Connection, tenant: TenantId, course_ids: Collection[CourseId]
) -> frozenset[int | None]:
    """The schools of courses of the tenant by their ids; None for courses of no school."""
    found: set[int | None] = set()
    for part in chunks(sorted(course_ids)):
        rows = connection.execute(
            select(courses.c.school_id).where(courses.c.tenant_id == tenant, courses.c.id.in_(part))
        )
        found.update(rows.scalars())
    return frozenset(found)


def change_school(
    connection: Connection, tenant: TenantId, values: dict[str, Any], *, change: PolicyChange
) -> None:
    """Change what a school's marks depend on: kept with its author, its courses put down."""
    connection.execute(update(schools).where(schools.c.id == change.school).values(values))
    record_change(connection, tenant, change)
    rows = connection.execute(select(courses.c.id).where(courses.c.school_id == change.school))
    due.put_down_courses(connection, (CourseId(row[0]) for row in rows), now=change.at)


def change_course(
    connection: Connection, tenant: TenantId, values: dict[str, Any], *, change: PolicyChange
) -> None:
    """Change what a course's marks depend on: kept with its author, the course put down."""
    assert change.course is not None  # noqa: S101 - a change of a course names it
    connection.execute(update(courses).where(courses.c.id == change.course).values(values))
    record_change(connection, tenant, change)
    due.put_down_courses(connection, [change.course], now=change.at)


def _of_schools(*columns: ColumnElement[Any]) -> Select[Any]:
    query: Select[Any] = select(*columns)
    return query.select_from(courses.outerjoin(schools, schools.c.id == courses.c.school_id))


def _is_not_agreed() -> ColumnElement[bool]:
    return and_(courses.c.agreed_at.is_(None), schools.c.agreed_at.is_(None))
