"""What a run did to courses, classes and platforms, counted so that it can be judged.

Nothing here grows with the history: what is asked is found by the run's own parts, by the cells
of a course that lost all scores, and by the newest changes of standings.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true

from mapping import alarms
from mapping.alarms import (
    ClassMove,
    ClearedCourse,
    MappingEffect,
    PlatformCourses,
    PlatformVolume,
)
from mapping.evidence.tables import View
from mapping.records import CourseId, CourseState, EnrolmentState, RunId, TenantId
from mapping.status import Status
from store.sync_state import ItemState, Phase, Run
from store.tables import alignments as aligned
from store.tables import (
    competencies,
    courses,
    enrolments,
    learners,
    line_items,
    mapping_sets,
    platforms,
    runs,
    score_blocks,
    score_events,
    standing_changes,
    standings,
    work_items,
)

_NIGHTS = alarms.USUAL.least_nights
_LEAST_FALLEN = alarms.USUAL.least_learners * alarms.USUAL.drop_share
_KNOWN = (ItemState.DONE.value, ItemState.UNCHANGED.value)
# Changes are numbered as their transactions begin and dated as their batches are written.
_SLACK = timedelta(hours=1)


def cleared(connection: Connection, run: Run, *, most: int) -> tuple[ClearedCourse, ...]:
    """Courses in which this run changed scores and no score is left."""
    is_graded = (
        select(score_blocks.c.learner_id)
        .where(score_blocks.c.course_id == courses.c.id, score_blocks.c.graded > 0)
        .correlate(courses)
        .exists()
    )
    rows = connection.execute(
        select(courses.c.id, courses.c.title)
        .join(work_items, work_items.c.course_id == courses.c.id)
        .where(
            work_items.c.run_id == run.id,
            work_items.c.phase == Phase.PULL.value,
            work_items.c.state == ItemState.DONE.value,
            work_items.c.scores_changed > 0,
            ~is_graded,
        )
        .limit(most)
    ).all()
    return tuple(
        ClearedCourse(
            course=CourseId(row.id),
            title=row.title,
            lost=_taken_away(connection, run, CourseId(row.id)),
        )
        for row in rows
    )


def _taken_away(connection: Connection, run: Run, course: CourseId) -> int:
    """How many cells of a course had a score that this run found taken away."""
    now, before = score_events.alias(), score_events.alias()
    had_points = (
        select(before.c.id)
        .where(
            before.c.learner_id == now.c.learner_id,
            before.c.line_item_id == now.c.line_item_id,
            before.c.points.is_not(None),
        )
        .correlate(now)
        .exists()
    )
    # By way of who has cells, and of what columns there are: so events are found by an index.
    cells = (
        select(now.c.line_item_id, now.c.learner_id)
        .join(score_blocks, score_blocks.c.learner_id == now.c.learner_id)
        .join(line_items, line_items.c.id == now.c.line_item_id)
        .where(
            score_blocks.c.course_id == course,
            line_items.c.course_id == course,
            now.c.run_id == run.id,
            now.c.points.is_(None),
            had_points,
        )
        .distinct()
    ).subquery()
    return connection.execute(select(func.count()).select_from(cells)).scalar_one()


def moves(connection: Connection, run: Run, *, most: int) -> tuple[ClassMove, ...]:
    """How classes moved in which competencies, where enough learners fell to look closer."""
    changed = standing_changes.c
    fell = case((_is_fall(changed.previous_status, changed.status), 1), else_=0)
    rose = case((_is_fall(changed.status, changed.previous_status), 1), else_=0)
    speaks = (
        select(line_items.c.course_id, aligned.c.competency_id)
        .join(aligned, aligned.c.line_item_id == line_items.c.id)
        .distinct()
        .subquery()
    )
    rows = connection.execute(
        select(
            enrolments.c.course_id,
            changed.competency_id,
            func.sum(fell).label("fell"),
            func.sum(rose).label("rose"),
        )
        .join(enrolments, enrolments.c.learner_id == changed.learner_id)
        .join(
            speaks,
            and_(
                speaks.c.course_id == enrolments.c.course_id,
                speaks.c.competency_id == changed.competency_id,
            ),
        )
        .where(
            changed.id >= _first_change(connection, run.started_at - _SLACK),
            changed.run_id == run.id,
            changed.view == int(View.TEACHER),
            changed.previous_status.is_not(None),
            enrolments.c.state == EnrolmentState.ACTIVE.value,
        )
        .group_by(enrolments.c.course_id, changed.competency_id)
        .having(func.sum(fell) - func.sum(rose) >= _LEAST_FALLEN)
    ).all()
    return tuple(_move(connection, row) for row in rows[:most])


def _move(connection: Connection, row: Any) -> ClassMove:  # noqa: ANN401 - a row
    title, code, statement = connection.execute(
        select(courses.c.title, competencies.c.code, competencies.c.statement)
        .join(competencies, true())
        .where(courses.c.id == row.course_id, competencies.c.id == row.competency_id)
    ).one()
    standing_now = connection.execute(
        select(func.count())
        .select_from(enrolments)
        .join(standings, standings.c.learner_id == enrolments.c.learner_id)
        .where(
            enrolments.c.course_id == row.course_id,
            enrolments.c.state == EnrolmentState.ACTIVE.value,
            standings.c.competency_id == row.competency_id,
            standings.c.view == int(View.TEACHER),
            standings.c.status >= int(Status.INSUFFICIENT),
        )
    ).scalar_one()
    return ClassMove(
        course=CourseId(row.course_id),
        title=title,
        competency=code or statement,
        learners=max(standing_now, row.fell + row.rose),
        fell=row.fell,
        rose=row.rose,
    )


def _is_fall(before: Any, after: Any) -> ColumnElement[bool]:  # noqa: ANN401 - columns
    return or_(
        *(
            and_(before == int(old), after == int(new))
            for old, new in product(Status, Status)
            if alarms.has_fallen(old, new)
        )
    )


def _first_change(connection: Connection, moment: datetime) -> int:
    """The first change of a standing at or after a moment, found by halving: there is no index."""
    low, high = 0, (connection.execute(select(func.max(standing_changes.c.id))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = connection.execute(
            select(standing_changes.c.at)
            .where(standing_changes.c.id >= middle)
            .order_by(standing_changes.c.id)
            .limit(1)
        ).scalar()
        if at is not None and at < moment:
            low = middle + 1
        else:
            high = middle
    return low


def listed(connection: Connection, run: Run) -> tuple[PlatformCourses, ...]:
    """Running courses of each LMS that planning found, and that it missed for the first time."""
    is_gone = work_items.c.cause == "gone"
    is_running = and_(
        courses.c.state == CourseState.ACTIVE.value,
        or_(courses.c.ends_at.is_(None), courses.c.ends_at > run.started_at),
    )
    rows = connection.execute(
        select(
            platforms.c.name,
            func.sum(case((is_gone, 1), else_=0)).label("gone"),
            func.sum(case((is_gone, 0), else_=1)).label("listed"),
        )
        .select_from(work_items)
        .join(courses, courses.c.id == work_items.c.course_id)
        .join(platforms, platforms.c.id == courses.c.platform_id)
        .where(work_items.c.run_id == run.id, work_items.c.phase == Phase.PULL.value, is_running)
        .group_by(platforms.c.name)
    )
    return tuple(
        PlatformCourses(platform=row.name, gone=row.gone, listed=row.listed) for row in rows
    )


def volumes(connection: Connection, run: Run) -> tuple[PlatformVolume, ...]:
    """Scores read tonight and in the nights before, in the courses that all of them had.

    Courses that began or ended meanwhile do not count: a term's first nights are no loss.
    """
    before = _nights_before(connection, run)
    if len(before) < _NIGHTS:
        return ()
    nights = (run.id, *before)
    known = [_courses_known(night) for night in nights]
    rows = connection.execute(
        select(
            platforms.c.name,
            work_items.c.run_id,
            func.sum(work_items.c.scores_pulled).label("pulled"),
        )
        .select_from(work_items)
        .join(courses, courses.c.id == work_items.c.course_id)
        .join(platforms, platforms.c.id == courses.c.platform_id)
        .where(
            work_items.c.run_id.in_(nights),
            work_items.c.phase == Phase.PULL.value,
            *(work_items.c.course_id.in_(one) for one in (known[0], known[-1])),
        )
        .group_by(platforms.c.name, work_items.c.run_id)
    ).all()
    pulled: dict[str, dict[int, int]] = {}
    for row in rows:
        pulled.setdefault(row.name, {})[row.run_id] = int(row.pulled)
    return tuple(
        PlatformVolume(
            platform=name,
            tonight=of.get(run.id, 0),
            before=[of.get(night, 0) for night in before],
        )
        for name, of in pulled.items()
    )


def _nights_before(connection: Connection, run: Run) -> Sequence[RunId]:
    """The nights before a night that were not told to read everything, the newest first."""
    rows = connection.execute(
        select(runs.c.id)
        .where(
            runs.c.tenant_id == run.tenant,
            runs.c.id < run.id,
            runs.c.cause == run.cause,
            runs.c.is_full.is_(False),
            runs.c.is_dry.is_(False),
            runs.c.finished_at.is_not(None),
        )
        .order_by(runs.c.id.desc())
        .limit(_NIGHTS)
    )
    return [RunId(row[0]) for row in rows]


def _courses_known(run: RunId) -> Any:  # noqa: ANN401 - a select
    return select(work_items.c.course_id).where(
        work_items.c.run_id == run,
        work_items.c.phase == Phase.PULL.value,
        work_items.c.state.in_(_KNOWN),
    )


def mapping_effects(connection: Connection, run: Run) -> tuple[MappingEffect, ...]:
    """What a mapping changed that was published since the run before; never the first one."""
    before = connection.execute(
        select(func.max(runs.c.started_at)).where(
            runs.c.tenant_id == run.tenant, runs.c.id < run.id
        )
    ).scalar()
    newest = connection.execute(
        select(mapping_sets)
        .where(
            mapping_sets.c.tenant_id == run.tenant, mapping_sets.c.published_at <= run.started_at
        )
        .order_by(mapping_sets.c.version.desc())
        .limit(1)
    ).one_or_none()
    if before is None or newest is None or newest.version <= 1 or newest.published_at < before:
        return ()
    changed = connection.execute(
        select(func.coalesce(func.sum(work_items.c.statuses_changed), 0)).where(
            work_items.c.run_id == run.id
        )
    ).scalar_one()
    if changed < alarms.USUAL.least_statuses:
        return ()
    return (
        MappingEffect(
            version=newest.version,
            changed=int(changed),
            statuses=_statuses(connection, run.tenant),
        ),
    )


def _statuses(connection: Connection, tenant: TenantId) -> int:
    return connection.execute(
        select(func.count())
        .select_from(standings)
        .join(learners, learners.c.id == standings.c.learner_id)
        .where(
            learners.c.tenant_id == tenant,
            standings.c.view == int(View.TEACHER),
            standings.c.status >= int(Status.INSUFFICIENT),
        )
    ).scalar_one()
