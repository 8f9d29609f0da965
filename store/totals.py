"""Out of how many competencies a strand's marks count: "3 of 4 competencies mastered".

That follows from what the line items of all courses speak for, so a course read tonight may
change what the marks of another say. It is looked at once in a run, when nothing is read any
more, and kept, so that every mark of a run says the same and a change is seen.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from mapping.records import CompetencyId, CourseId, TenantId
from store import due
from store.columns import one_of
from store.session import chunks, upsert
from store.standings import assessed_competencies
from store.tables import (
    alignments,
    competencies,
    courses,
    frameworks,
    line_items,
    passback_totals,
)


def totals_of(
    connection: Connection, strands: Collection[CompetencyId]
) -> Mapping[CompetencyId, int]:
    """How many competencies of some strands were assessed when that was last looked at."""
    rows = connection.execute(
        select(passback_totals).where(
            one_of(connection, passback_totals.c.competency_id, sorted(strands))
        )
    )
    return {CompetencyId(row.competency_id): row.total for row in rows}


def refresh_totals(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Look at what is assessed, and put down the courses whose marks say something else now.

    Args:
        connection: A writing transaction, while nothing is read.
        tenant: Whose strands.
        now: When.
    """
    before, after = _kept(connection, tenant), assessed_competencies(connection, tenant)
    changed = {one for one in before.keys() | after.keys() if before.get(one) != after.get(one)}
    if not changed:
        return
    gone = sorted(changed - after.keys())
    connection.execute(delete(passback_totals).where(passback_totals.c.competency_id.in_(gone)))
    upsert(
        connection,
        passback_totals,
        [{"competency_id": one, "total": after[one]} for one in sorted(changed & after.keys())],
        keys=("competency_id",),
    )
    due.put_down_courses(connection, _courses_speaking_for(connection, changed), now=now)


def _kept(connection: Connection, tenant: TenantId) -> dict[CompetencyId, int]:
    rows = connection.execute(
        select(passback_totals)
        .join(competencies, competencies.c.id == passback_totals.c.competency_id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant)
    )
    return {CompetencyId(row.competency_id): row.total for row in rows}


def _courses_speaking_for(
    connection: Connection, strands: Collection[CompetencyId]
) -> set[CourseId]:
    found: set[CourseId] = set()
    for part in chunks(sorted(strands)):
        rows = connection.execute(
            select(courses.c.id)
            .distinct()
            .select_from(alignments)
            .join(line_items, line_items.c.id == alignments.c.line_item_id)
            .join(courses, courses.c.id == line_items.c.course_id)
            .join(competencies, competencies.c.id == alignments.c.competency_id)
            .where(func.coalesce(competencies.c.parent_id, competencies.c.id).in_(part))
        )
        found.update(CourseId(row[0]) for row in rows)
    return found
