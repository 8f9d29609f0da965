"""Classes that can be compared by methods: courses whose work is mapped, and who is in them."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from mapping.records import CourseId, EnrolmentState, TenantId
from store.reports import CompetencyLine, LearnerLine, class_table
from store.tables import alignments, courses, enrolments, line_items, schools

MOST_COURSES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedCourse:
    """A course whose work speaks for competencies; ``learners`` counts active ones."""

    id: CourseId
    title: str
    code: str
    school: str
    learners: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCourse:
    """A course, its active learners by sort name, and what its line items speak for themselves."""

    title: str
    learners: tuple[LearnerLine, ...]
    competencies: tuple[CompetencyLine, ...]


def mapped_courses(
    connection: Connection, tenant: TenantId, sought: str = ""
) -> tuple[MappedCourse, ...]:
    """Courses with learners and mapped work, the first ``MOST_COURSES`` by title.

    Args:
        connection: A transaction.
        tenant: Whose.
        sought: A part of the title or code; empty for any.
    """
    is_active = and_(
        enrolments.c.course_id == courses.c.id,
        enrolments.c.state == EnrolmentState.ACTIVE.value,
    )
    mapped = (
        select(line_items.c.course_id)
        .join(alignments, alignments.c.line_item_id == line_items.c.id)
        .where(line_items.c.is_removed.is_(False))
    )
    query = (
        select(
            *(courses.c.id, courses.c.title, courses.c.code),
            func.coalesce(func.min(schools.c.name), "").label("school"),
            func.count(enrolments.c.learner_id).label("learners"),
        )
        .join(enrolments, is_active)
        .outerjoin(schools, schools.c.id == courses.c.school_id)
        .where(
            courses.c.tenant_id == tenant,
            courses.c.id.in_(mapped),
            or_(
                courses.c.title.icontains(sought, autoescape=True),
                courses.c.code.icontains(sought, autoescape=True),
            ),
        )
        .group_by(courses.c.id, courses.c.title, courses.c.code)
        .order_by(courses.c.title, courses.c.id)
        .limit(MOST_COURSES)
    )
    return tuple(
        MappedCourse(
            id=CourseId(row.id),
            title=row.title,
            code=row.code,
            school=row.school,
            learners=row.learners,
        )
        for row in connection.execute(query)
    )


def compared_course(
    connection: Connection, tenant: TenantId, course: CourseId
) -> ComparedCourse | None:
    """A course of the tenant as its class table has it, without what only parts make up.

    Args:
        connection: A transaction.
        tenant: Whose course it must be.
        course: The course.

    Returns:
        None where the tenant has no such course.
    """
    table = class_table(connection, tenant, course)
    if table is None:
        return None
    query = (
        select(alignments.c.competency_id)
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .where(line_items.c.course_id == course, line_items.c.is_removed.is_(False))
    )
    direct = set(connection.execute(query).scalars())
    return ComparedCourse(
        title=table.course.title,
        learners=tuple(table.learners),
        competencies=tuple(one for one in table.competencies if one.id in direct),
    )
