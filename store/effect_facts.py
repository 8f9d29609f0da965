"""What is asked beside standings to say what a change would do: schools and gradebooks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, and_, func, select

from mapping.columns import IntArray
from mapping.effects import NO_SCHOOL, Columns
from mapping.evidence.tables import NOT_BRIDGED
from mapping.pairs import NOWHERE, joined
from mapping.records import EnrolmentState, LearnerId, PassbackWay, TenantId
from store.columns import one_of, read_columns
from store.frameworks import competencies_of
from store.grounds import Policy
from store.session import chunks
from store.standings import assessed_competencies
from store.tables import courses, enrolments
from store.ways import course_ways


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """Which competencies each course's gradebook shows, courses ascending."""

    course: IntArray
    competency: IntArray


def shown_in_gradebooks(connection: Connection, tenant: TenantId, policy: Policy) -> Shown:
    """What the gradebooks that are written to show under a policy.

    Args:
        connection: A transaction.
        tenant: Whose gradebooks.
        policy: With ``items``: which line items speak for what.
    """
    ways = {
        int(one.id): one.way
        for one in course_ways(connection, tenant)
        if one.is_written and one.agreed_at is not None
    }
    table, items = policy.alignments, policy.items
    assert items is not None  # noqa: S101 - the caller's promise
    place = items.find(table.line_item)
    is_meant = (place != NOWHERE) & (table.via == NOT_BRIDGED)
    course, competency = items.course[place[is_meant]], table.competency[is_meant]
    is_written = np.isin(course, np.fromiter(ways, dtype=np.int64))
    parents = {
        int(one.id): int(one.parent or one.id) for one in competencies_of(connection, tenant)
    }
    found = {
        (at, one if ways[at] is PassbackWay.COMPETENCY else parents[one])
        for at, one in {
            *zip(course[is_written].tolist(), competency[is_written].tolist(), strict=True)
        }
        if one in parents
    }
    columns = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return Shown(course=columns[:, 0].copy(), competency=columns[:, 1].copy())


def recounted(connection: Connection, tenant: TenantId, policy: Policy) -> IntArray:
    """Strands of which line items speak for another number of competencies under a policy."""
    now = {int(one): count for one, count in assessed_competencies(connection, tenant).items()}
    table = policy.alignments
    parents = {
        int(one.id): int(one.parent or one.id) for one in competencies_of(connection, tenant)
    }
    direct = np.unique(table.competency[table.via == NOT_BRIDGED]).tolist()
    then = Counter(parents[one] for one in direct if one in parents)
    others = [one for one in now.keys() | then.keys() if now.get(one, 0) != then[one]]
    return np.array(sorted(others), dtype=np.int64)


def cells_of(connection: Connection, shown: Shown, learners: Sequence[LearnerId]) -> Columns:
    """The cells that gradebooks have for some learners.

    Args:
        connection: A transaction.
        shown: What each gradebook shows.
        learners: Whose.
    """
    if shown.course.size == 0:
        return Columns.none()
    learner, course = _enrolled(connection, learners)
    row, at = joined(course, shown.course)
    learner, competency = learner[row], shown.competency[at]
    order = np.argsort(learner, kind="stable")
    return Columns(learner=learner[order], competency=competency[order])


def schools_of(connection: Connection, learners: Sequence[LearnerId]) -> IntArray:
    """The school of each learner, ``NO_SCHOOL`` for none; of several the one that came first.

    Args:
        connection: A transaction.
        learners: Whose, ascending.
    """
    parts = [
        read_columns(
            connection,
            select(
                enrolments.c.learner_id,
                func.min(func.coalesce(courses.c.school_id, NO_SCHOOL)).label("school"),
            )
            .join(courses, courses.c.id == enrolments.c.course_id)
            .where(
                one_of(connection, enrolments.c.learner_id, part),
                enrolments.c.state == EnrolmentState.ACTIVE.value,
            )
            .group_by(enrolments.c.learner_id),
        )
        for part in chunks(learners)
    ]
    found = np.full(len(learners), NO_SCHOOL, dtype=np.int64)
    if parts:
        learner, school = (np.concatenate(one) for one in zip(*parts, strict=True))
        found[np.searchsorted(np.array(learners, dtype=np.int64), learner)] = school
    return found


def _enrolled(connection: Connection, learners: Sequence[LearnerId]) -> tuple[IntArray, IntArray]:
    parts = [
        read_columns(
            connection,
            select(enrolments.c.learner_id, enrolments.c.course_id).where(
                and_(
                    one_of(connection, enrolments.c.learner_id, part),
                    enrolments.c.state == EnrolmentState.ACTIVE.value,
                )
            ),
        )
        for part in chunks(learners)
    ]
    learner, course = (np.concatenate(one) for one in zip(*parts, strict=True))
    return learner, course
