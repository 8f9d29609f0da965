"""What a course's first push would write, counted for many courses at once."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, case, func, select

from mapping.evidence.tables import View
from mapping.records import CourseId, EnrolmentState, PassbackWay
from mapping.status import Status
from store.session import chunks
from store.tables import (
    alignments,
    competencies,
    courses,
    enrolments,
    line_items,
    schools,
    standings,
)

_WRITTEN = [int(status) for status in Status if status.is_evidenced]


def first_marks(connection: Connection, course_ids: Sequence[CourseId]) -> Mapping[CourseId, int]:
    """How many marks the first push of some courses would write.

    Nothing of ours stands there, so these are the active learners' statuses, in what the course
    speaks for, that may be written: as ``workers.desk`` and ``mapping.passback`` plan them, for
    all courses in one question.
    """
    way = func.coalesce(courses.c.passback_way, schools.c.passback_way)
    place = case(
        (way == PassbackWay.COMPETENCY.value, competencies.c.id),
        else_=func.coalesce(competencies.c.parent_id, competencies.c.id),
    )
    found: dict[CourseId, int] = dict.fromkeys(course_ids, 0)
    for part in chunks(course_ids):
        spoken_for = (
            select(line_items.c.course_id, place.label("place"))
            .distinct()
            .select_from(alignments)
            .join(line_items, line_items.c.id == alignments.c.line_item_id)
            .join(competencies, competencies.c.id == alignments.c.competency_id)
            .join(courses, courses.c.id == line_items.c.course_id)
            .outerjoin(schools, schools.c.id == courses.c.school_id)
            .where(courses.c.id.in_(part), competencies.c.is_archived.is_(False))
            .subquery()
        )
        rows = connection.execute(
            select(spoken_for.c.course_id, func.count())
            .join(enrolments, enrolments.c.course_id == spoken_for.c.course_id)
            .join(
                standings,
                and_(
                    standings.c.learner_id == enrolments.c.learner_id,
                    standings.c.competency_id == spoken_for.c.place,
                ),
            )
            .where(
                enrolments.c.state == EnrolmentState.ACTIVE.value,
                enrolments.c.account_ref.is_not(None),
                standings.c.view == int(View.LEARNER),
                standings.c.status.in_(_WRITTEN),
            )
            .group_by(spoken_for.c.course_id)
        )
        found.update({CourseId(row[0]): row[1] for row in rows})
    return found
