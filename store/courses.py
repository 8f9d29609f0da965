"""Courses and who is in them; a person is one learner across courses, years and LMSs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select, update

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
    PassbackWay,
    Person,
    PlatformId,
    Role,
    SchoolId,
    SchoolRef,
    TenantId,
)
from store.session import chunks, lock, upsert
from store.tables import (
    courses,
    enrolments,
    guardianships,
    learner_accounts,
    learners,
    platforms,
    school_refs,
    schools,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCourse:
    """A course as Waymark knows it.

    ``way`` is its own passback way or else its school's, ``kind`` the platform's: canvas or
    moodle. ``counted_from`` is when the district agreed to marks that count in this course.
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
    counted_from: datetime | None = None


def save_courses(
    connection: Connection, platform: PlatformId, found: Sequence[Course], *, tenant: TenantId
) -> None:
    """Keep what an LMS says of its courses, and forget nothing of those it no longer lists."""
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


def finish_reading(
    connection: Connection, course_id: CourseId, *, cursor: Cursor | None, now: datetime
) -> None:
    """Record that a course was read to the end, and where the next reading starts."""
    connection.execute(
        update(courses).where(courses.c.id == course_id).values(cursor=cursor, synced_at=now)
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
    # Two courses read at once may bring the same new person: one of them must see the other's.
    lock(connection, "learners", stored.tenant)
    pupils = {e.person.ref: e for e in found if e.role is Role.LEARNER}
    known = _accounts(connection, stored.platform)
    known |= _save_people(connection, stored, [e.person for e in pupils.values()], known=known)
    ids = {ref: known[ref] for ref in pupils}
    _save_learner_enrolments(
        connection, course_id, {ids[ref]: e.state for ref, e in pupils.items()}
    )
    _save_guardianships(connection, course_id, found, known=known)
    return ids


def learner_refs(
    connection: Connection, platform: PlatformId, ids: Sequence[LearnerId]
) -> Mapping[LearnerId, LearnerRef]:
    """What a platform calls some learners; those without an account there are left out."""
    found: dict[LearnerId, LearnerRef] = {}
    for part in chunks(ids):
        rows = connection.execute(
            select(learner_accounts.c.learner_id, learner_accounts.c.ref).where(
                learner_accounts.c.platform_id == platform, learner_accounts.c.learner_id.in_(part)
            )
        )
        found.update({LearnerId(row[0]): LearnerRef(row[1]) for row in rows})
    return found


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


def _course_query() -> Select[Any]:
    return select(
        courses,
        func.coalesce(courses.c.passback_way, schools.c.passback_way, PassbackWay.NONE.value).label(
            "way"
        ),
        platforms.c.kind,
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
            school_ref=SchoolRef(""),
            sis_id=row.sis_id,
            state=CourseState(row.state),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        ),
        way=PassbackWay(row.way),
        cursor=None if row.cursor is None else Cursor(row.cursor),
        synced_at=row.synced_at,
        swept_at=row.swept_at,
        counted_from=row.counted_from,
    )


def _accounts(connection: Connection, platform: PlatformId) -> dict[LearnerRef, LearnerId]:
    rows = connection.execute(
        select(learner_accounts.c.ref, learner_accounts.c.learner_id).where(
            learner_accounts.c.platform_id == platform
        )
    )
    return {LearnerRef(row[0]): LearnerId(row[1]) for row in rows}


def _save_people(
    connection: Connection,
    stored: StoredCourse,
    people: Sequence[Person],
    *,
    known: Mapping[LearnerRef, LearnerId],
) -> dict[LearnerRef, LearnerId]:
    """Make learners and accounts for those not known yet, and keep names as they are now."""
    by_sis = _learners_by_sis_id(connection, stored.tenant)
    new: dict[LearnerRef, LearnerId] = {}
    for person in people:
        if person.ref in known:
            continue
        learner = by_sis.get(person.sis_id or "") or _new_learner(connection, stored, person)
        new[person.ref] = learner
        if person.sis_id:
            by_sis[person.sis_id] = learner
    upsert(
        connection,
        learner_accounts,
        [
            {"platform_id": stored.platform, "ref": ref, "learner_id": learner}
            for ref, learner in new.items()
        ],
        keys=("platform_id", "ref"),
    )
    _rename(connection, people, {**known, **new})
    return new


def _learners_by_sis_id(connection: Connection, tenant: TenantId) -> dict[str, LearnerId]:
    rows = connection.execute(
        select(learners.c.sis_id, learners.c.id).where(
            learners.c.tenant_id == tenant, learners.c.sis_id.is_not(None)
        )
    )
    return {row[0]: LearnerId(row[1]) for row in rows}


def _new_learner(connection: Connection, stored: StoredCourse, person: Person) -> LearnerId:
    key = connection.execute(
        insert(learners).values(
            tenant_id=stored.tenant,
            sis_id=person.sis_id,
            name=person.name,
            sort_name=person.sort_name,
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return LearnerId(key[0])


def _rename(
    connection: Connection, people: Sequence[Person], ids: Mapping[LearnerRef, LearnerId]
) -> None:
    names = {ids[person.ref]: person for person in people}
    for part in chunks(list(names)):
        rows = connection.execute(
            select(learners.c.id, learners.c.name, learners.c.sort_name).where(
                learners.c.id.in_(part)
            )
        ).all()
        for learner, name, sort_name in rows:
            person = names[LearnerId(learner)]
            if (name, sort_name) != (person.name, person.sort_name):
                connection.execute(
                    update(learners)
                    .where(learners.c.id == learner)
                    .values(name=person.name, sort_name=person.sort_name)
                )


def _save_learner_enrolments(
    connection: Connection, course_id: CourseId, now_there: Mapping[LearnerId, EnrolmentState]
) -> None:
    before = {
        LearnerId(row[0]): EnrolmentState(row[1])
        for row in connection.execute(
            select(enrolments.c.learner_id, enrolments.c.state).where(
                enrolments.c.course_id == course_id
            )
        )
    }
    after = {**dict.fromkeys(before, EnrolmentState.CONCLUDED), **now_there}
    upsert(
        connection,
        enrolments,
        [
            {"course_id": course_id, "learner_id": learner, "state": state.value}
            for learner, state in after.items()
            if before.get(learner) is not state
        ],
        keys=("course_id", "learner_id"),
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
    connection.execute(delete(guardianships).where(guardianships.c.course_id == course_id))
    if pairs:
        connection.execute(
            insert(guardianships),
            [
                {"course_id": course_id, "guardian_ref": ref, "learner_id": learner}
                for ref, learner in sorted(pairs)
            ],
        )
