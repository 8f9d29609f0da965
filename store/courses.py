"""Courses and who is in them; a person is one learner across courses, years and LMSs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from mapping.records import (
    Course,
    CourseId,
    CourseRef,
    CourseState,
    Cursor,
    Enrolment,
    EnrolmentState,
    LearnerId,
    LearnerRef,
    Mode,
    PassbackWay,
    PlatformId,
    Role,
    SchoolId,
    SchoolRef,
    TenantId,
)
from store.people import known_people, save_people
from store.session import chunks, upsert
from store.tables import (
    courses,
    enrolments,
    guardianships,
    passback_columns,
    passback_marks,
    platforms,
    school_refs,
    schools,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCourse:
    """A course as Waymark knows it.

    ``way`` is its own passback way or else its school's, ``kind`` the platform's: canvas or
    moodle. ``swept_at`` is when it was last read whole, ``gone_at`` since when its LMS lists it
    no longer, ``aligned_to`` what its alignments were made of when it was last read to the end,
    None since another reading began (``store.readings``).
    ``counted_from`` is when the district agreed to marks that count in this course. ``mode`` is
    its own or else its school's, and that of a shadow where there is neither; ``agreed_at`` is
    since when its gradebook may be written to at all, None for not yet.
    """

    id: CourseId
    tenant: TenantId
    platform: PlatformId
    kind: str
    school: SchoolId | None
    record: Course
    way: PassbackWay
    cursor: Cursor | None
    synced_at: datetime | None = None
    swept_at: datetime | None = None
    gone_at: datetime | None = None
    aligned_to: str | None = None
    counted_from: datetime | None = None
    mode: Mode = Mode.SHADOW
    agreed_at: datetime | None = None


def save_courses(
    connection: Connection, platform: PlatformId, found: Sequence[Course], *, tenant: TenantId
) -> frozenset[CourseId]:
    """Keep what an LMS says of its courses, and forget nothing of those it no longer lists.

    Returns:
        Those known already that are of another school or in another state now.
    """
    before = _school_and_state(connection, platform)
    known = dict(
        connection.execute(
            select(school_refs.c.ref, school_refs.c.school_id).where(
                school_refs.c.platform_id == platform
            )
        ).all()
    )
    upsert(
        connection,
        courses,
        [_course_row(course, platform, tenant=tenant, known_schools=known) for course in found],
        keys=("platform_id", "ref"),
    )
    after = _school_and_state(connection, platform)
    moved = [one for one, (school, _) in before.items() if after[one][0] != school]
    _forget_alignment(connection, moved)
    return frozenset(one for one, place in before.items() if after[one] != place)


def _forget_alignment(connection: Connection, moved: Sequence[CourseId]) -> None:
    """Have courses read that are of another school now: a mapping may go by it."""
    for part in chunks(sorted(moved)):
        connection.execute(update(courses).where(courses.c.id.in_(part)).values(aligned_to=None))


def _school_and_state(
    connection: Connection, platform: PlatformId
) -> dict[CourseId, tuple[int | None, str]]:
    rows = connection.execute(
        select(courses.c.id, courses.c.school_id, courses.c.state).where(
            courses.c.platform_id == platform
        )
    )
    return {CourseId(row.id): (row.school_id, row.state) for row in rows}


def courses_of(
    connection: Connection, tenant: TenantId, *, platform: PlatformId | None = None
) -> tuple[StoredCourse, ...]:
    """The tenant's courses, in the order of their ids."""
    condition = courses.c.tenant_id == tenant
    if platform is not None:
        condition = and_(condition, courses.c.platform_id == platform)
    rows = connection.execute(_course_query().where(condition).order_by(courses.c.id))
    return tuple(_stored_course(row) for row in rows)


def course(connection: Connection, course_id: CourseId) -> StoredCourse:
    """One course by its id."""
    return _stored_course(
        connection.execute(_course_query().where(courses.c.id == course_id)).one()
    )


def save_enrolments(
    connection: Connection, course_id: CourseId, found: Sequence[Enrolment]
) -> Mapping[LearnerRef, LearnerId]:
    """Keep who is in a course now.

    A person new to the platform is the learner with the same SIS id in the tenant, if there is
    one, else a new learner; never matched by name or address. Who left the course is kept as
    concluded, since their evidence stays theirs.

    Args:
        connection: A writing transaction.
        course_id: The course.
        found: Everybody in it.

    Returns:
        The learner behind each learner reference.
    """
    stored = course(connection, course_id)
    pupils = {e.person.ref: e for e in found if e.role is Role.LEARNER}
    people = [e.person for e in pupils.values()]
    known = save_people(connection, stored.platform, people, tenant=stored.tenant)
    ids = _one_account_each(pupils, known)
    _save_learner_enrolments(
        connection, course_id, {learner: (pupils[ref].state, ref) for ref, learner in ids.items()}
    )
    observed = {e.observes for e in found if e.observes is not None} - known.keys()
    others = known_people(connection, stored.platform, observed)
    known |= {ref: one.learner for ref, one in others.items()}
    _save_guardianships(connection, course_id, found, known=known)
    return ids


def has_newcomers(connection: Connection, course_id: CourseId, found: Sequence[Enrolment]) -> bool:
    """Whether somebody is active in a course who was not when it was read last.

    Their older scores were passed over until now, and no cursor tells of them again.

    Args:
        connection: A transaction.
        course_id: The course, its enrolments not saved yet.
        found: Everybody in it now.
    """
    rows = connection.execute(
        select(enrolments.c.account_ref).where(
            enrolments.c.course_id == course_id,
            enrolments.c.state == EnrolmentState.ACTIVE.value,
        )
    )
    known = {row[0] for row in rows}
    return any(
        e.role is Role.LEARNER and e.state is EnrolmentState.ACTIVE and e.person.ref not in known
        for e in found
    )


def learner_refs_in(connection: Connection, course_id: CourseId) -> dict[LearnerId, LearnerRef]:
    """What a course's active learners are called there.

    A learner with two accounts on a platform has one of them in each course.
    """
    rows = connection.execute(
        select(enrolments.c.learner_id, enrolments.c.account_ref)
        .where(
            enrolments.c.course_id == course_id,
            enrolments.c.state == EnrolmentState.ACTIVE.value,
            enrolments.c.account_ref.is_not(None),
        )
        .order_by(enrolments.c.learner_id)
    )
    return {LearnerId(row[0]): LearnerRef(row[1]) for row in rows}


def active_learners(connection: Connection, course_id: CourseId) -> tuple[LearnerId, ...]:
    """Learners whose enrolment in a course is active."""
    rows = connection.execute(
        select(enrolments.c.learner_id)
        .where(
            enrolments.c.course_id == course_id,
            enrolments.c.state == EnrolmentState.ACTIVE.value,
        )
        .order_by(enrolments.c.learner_id)
    )
    return tuple(LearnerId(row[0]) for row in rows)


def effective_mode() -> ColumnElement[str]:
    """A course's own mode, or its school's; a course of no school is a shadow."""
    return func.coalesce(courses.c.mode, schools.c.mode, Mode.SHADOW.value)


def mode_of(connection: Connection, course_id: CourseId) -> Mode:
    """How far a course has come with Waymark."""
    found = connection.execute(
        select(effective_mode())
        .select_from(courses.outerjoin(schools, schools.c.id == courses.c.school_id))
        .where(courses.c.id == course_id)
    )
    return Mode(found.scalar_one())


def _course_query() -> Select[Any]:
    return select(
        courses,
        func.coalesce(courses.c.passback_way, schools.c.passback_way, PassbackWay.NONE.value).label(
            "way"
        ),
        effective_mode().label("effective_mode"),
        func.coalesce(courses.c.agreed_at, schools.c.agreed_at).label("effective_agreed_at"),
        platforms.c.kind,
        func.coalesce(schools.c.name, "").label("school_name"),
    ).select_from(
        courses.join(platforms, platforms.c.id == courses.c.platform_id).outerjoin(
            schools, schools.c.id == courses.c.school_id
        )
    )


def _course_row(
    found: Course, platform: PlatformId, *, tenant: TenantId, known_schools: Mapping[str, int]
) -> dict[str, object]:
    return {
        "tenant_id": tenant,
        "platform_id": platform,
        "ref": found.ref,
        "school_id": known_schools.get(found.school_ref),
        "school_ref": found.school_ref,
        "title": found.title,
        "code": found.code,
        "sis_id": found.sis_id,
        "state": found.state.value,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
    }


def _stored_course(row: "Row[Any]") -> StoredCourse:
    return StoredCourse(
        id=CourseId(row.id),
        tenant=TenantId(row.tenant_id),
        platform=PlatformId(row.platform_id),
        kind=row.kind,
        school=None if row.school_id is None else SchoolId(row.school_id),
        record=Course(
            ref=CourseRef(row.ref),
            title=row.title,
            code=row.code,
            school_ref=SchoolRef(row.school_ref),
            sis_id=row.sis_id,
            state=CourseState(row.state),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            school=row.school_name,
        ),
        way=PassbackWay(row.way),
        cursor=None if row.cursor is None else Cursor(row.cursor),
        synced_at=row.synced_at,
        swept_at=row.swept_at,
        gone_at=row.gone_at,
        aligned_to=row.aligned_to,
        counted_from=row.counted_from,
        mode=Mode(row.effective_mode),
        agreed_at=row.effective_agreed_at,
    )


def _one_account_each(
    pupils: Mapping[LearnerRef, Enrolment], known: Mapping[LearnerRef, LearnerId]
) -> dict[LearnerRef, LearnerId]:
    """One account for each learner: of two with one SIS id the active one, else the newest."""
    best = {
        known[ref]: ref
        for ref in sorted(
            pupils, key=lambda ref: (pupils[ref].state is EnrolmentState.ACTIVE, len(ref), ref)
        )
    }
    return {ref: learner for learner, ref in best.items()}


def _save_learner_enrolments(
    connection: Connection,
    course_id: CourseId,
    now_there: Mapping[LearnerId, tuple[EnrolmentState, LearnerRef]],
) -> None:
    before = {
        LearnerId(row.learner_id): (EnrolmentState(row.state), row.account_ref)
        for row in connection.execute(select(enrolments).where(enrolments.c.course_id == course_id))
    }
    _forget_marks(
        connection,
        course_id,
        [one for one, (_, ref) in now_there.items() if one in before and before[one][1] != ref],
    )
    left = {learner: (EnrolmentState.CONCLUDED, ref) for learner, (_, ref) in before.items()}
    upsert(
        connection,
        enrolments,
        [
            {
                "course_id": course_id,
                "learner_id": learner,
                "state": place[0].value,
                "account_ref": place[1],
            }
            for learner, place in {**left, **now_there}.items()
            if before.get(learner) != place
        ],
        keys=("course_id", "learner_id"),
    )


def _forget_marks(
    connection: Connection, course_id: CourseId, learner_ids: Sequence[LearnerId]
) -> None:
    """What stood with a learner's former account says nothing of the cell of the present one."""
    columns = select(passback_columns.c.id).where(passback_columns.c.course_id == course_id)
    if learner_ids:
        connection.execute(
            delete(passback_marks).where(
                passback_marks.c.column_id.in_(columns),
                passback_marks.c.learner_id.in_(learner_ids),
            )
        )


def _save_guardianships(
    connection: Connection,
    course_id: CourseId,
    found: Sequence[Enrolment],
    *,
    known: Mapping[LearnerRef, LearnerId],
) -> None:
    """Replace them: a guardian who lost a child in the LMS must lose the view at once."""
    pairs = {
        (e.person.ref, known[e.observes])
        for e in found
        if e.role is Role.GUARDIAN
        and e.state is EnrolmentState.ACTIVE
        and e.observes is not None
        and e.observes in known
    }
    rows = connection.execute(
        select(guardianships.c.guardian_ref, guardianships.c.learner_id).where(
            guardianships.c.course_id == course_id
        )
    )
    if pairs == {(LearnerRef(ref), LearnerId(learner)) for ref, learner in rows}:
        return
    connection.execute(delete(guardianships).where(guardianships.c.course_id == course_id))
    if pairs:
        connection.execute(
            insert(guardianships),
            [
                {"course_id": course_id, "guardian_ref": ref, "learner_id": learner}
                for ref, learner in sorted(pairs)
            ],
        )
