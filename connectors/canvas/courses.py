"""Canvas's courses, people and assignments in the words of ``mapping.records``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.canvas.payloads import (
    Assignment,
    Course,
    Enrollment,
    GroupRow,
    RubricRow,
    SectionRow,
)
from mapping import records
from mapping.records import (
    CourseRef,
    CourseState,
    CriterionRef,
    Enrolment,
    EnrolmentState,
    Grading,
    LearnerRef,
    LineItem,
    LineItemRef,
    Person,
    Role,
    SchoolRef,
    Section,
    SectionRef,
)

COURSE_FILTERS = [
    *(("state[]", state) for state in ("created", "claimed", "available", "completed")),
    # A template of other courses, without learners.
    ("blueprint", "false"),
]
ENROLLMENT_FILTERS = [
    *(("type[]", f"{kind}Enrollment") for kind in ("Student", "Teacher", "Observer")),
    *(("state[]", state) for state in ("active", "invited", "inactive", "completed")),
    ("include[]", "group_ids"),
]
AFTER_THE_END = timedelta(days=7)
"""How long a course that ends by its date is still read: its last marks are given then."""
_ROLES = {
    "StudentEnrollment": Role.LEARNER,
    "TeacherEnrollment": Role.TEACHER,
    "ObserverEnrollment": Role.GUARDIAN,
}
# Who was invited and has not accepted yet can be graded already.
_STATES = {
    "active": EnrolmentState.ACTIVE,
    "invited": EnrolmentState.ACTIVE,
    "inactive": EnrolmentState.SUSPENDED,
    "completed": EnrolmentState.CONCLUDED,
}
_STANDING = (EnrolmentState.ACTIVE, EnrolmentState.SUSPENDED, EnrolmentState.CONCLUDED)


def course_of(payload: Course, *, now: datetime) -> records.Course:
    """A course; what is neither available nor completed is not published.

    A course is concluded by a person or by its end date, where the date binds.

    Args:
        payload: What Canvas sent.
        now: The present, aware.

    Returns:
        The course.

    Source: Canvas REST API, Courses.
    """
    code = payload.course_code or ""
    return records.Course(
        ref=CourseRef(str(payload.id)),
        title=payload.name or code,
        code=code,
        school_ref=SchoolRef(str(payload.account_id)),
        sis_id=payload.sis_course_id or None,
        state=_course_state(payload, now),
        starts_at=in_utc(payload.start_at),
        ends_at=in_utc(payload.end_at),
    )


def _course_state(payload: Course, now: datetime) -> CourseState:
    if payload.workflow_state == "completed":
        return CourseState.CONCLUDED
    if payload.workflow_state != "available":
        return CourseState.UNPUBLISHED
    ends_at = payload.end_at if payload.restrict_enrollments_to_course_dates else None
    is_over = ends_at is not None and ends_at + AFTER_THE_END < now
    return CourseState.CONCLUDED if is_over else CourseState.ACTIVE


def section_of(payload: SectionRow) -> Section:
    """A section.

    Source: Canvas REST API, Sections.
    """
    return Section(
        ref=SectionRef(str(payload.id)), title=payload.name, sis_id=payload.sis_section_id or None
    )


def group_of(payload: GroupRow) -> Section:
    """A group of a course; its reference tells it from a section of the same number.

    Source: Canvas REST API, Groups.
    """
    return Section(ref=_group_ref(payload.id), title=payload.name, is_group=True)


def _group_ref(number: str | int) -> SectionRef:
    return SectionRef(f"group {number}")


def enrolments_of(payloads: Iterable[Enrollment]) -> Sequence[Enrolment]:
    """Enrolments, one for each person, role and observed learner.

    A learner of several sections comes once, with the best of the states: active in one
    section is active in the course, and then only the sections count where that is so. Observers
    of nobody are left out, and the learner that Student View makes was not asked for.

    Source: Canvas REST API, Enrollments.
    """
    found: dict[tuple[str, Role, LearnerRef | None], Enrolment] = {}
    for payload in payloads:
        enrolment = _enrolment(payload)
        if enrolment is None:
            continue
        key = (enrolment.person.ref, enrolment.role, enrolment.observes)
        known = found.get(key)
        found[key] = enrolment if known is None else _joined(known, enrolment)
    return list(found.values())


def _joined(known: Enrolment, other: Enrolment) -> Enrolment:
    if known.state is other.state:
        return replace(known, sections=known.sections | other.sections)
    return min(known, other, key=lambda one: _STANDING.index(one.state))


def _enrolment(payload: Enrollment) -> Enrolment | None:
    role = _ROLES.get(payload.type)
    state = _STATES.get(payload.enrollment_state)
    observes = payload.associated_user_id
    if role is None or state is None or (role is Role.GUARDIAN and observes is None):
        return None
    person = Person(
        ref=LearnerRef(str(payload.user_id)),
        name=payload.user.name,
        sort_name=payload.user.sortable_name or payload.user.name,
        sis_id=payload.sis_user_id or payload.user.sis_user_id or None,
    )
    watched = LearnerRef(str(observes)) if role is Role.GUARDIAN else None
    return Enrolment(
        person=person, role=role, state=state, observes=watched, sections=_places(payload)
    )


def _places(payload: Enrollment) -> frozenset[SectionRef]:
    section = payload.course_section_id
    places = {_group_ref(number) for number in payload.user.group_ids or ()}
    return frozenset(places if section is None else places | {SectionRef(str(section))})


def line_item_of(payload: Assignment, groups: Mapping[str, str], *, is_own: bool) -> LineItem:
    """A line item; ``groups`` names the assignment groups by id.

    Source: Canvas REST API, Assignments.
    """
    is_ungraded = payload.grading_type == "not_graded" or payload.submission_types == ["not_graded"]
    return LineItem(
        ref=LineItemRef(str(payload.id)),
        title=payload.name,
        category=groups.get(str(payload.assignment_group_id), ""),
        maximum=payload.points_possible or 0.0,
        grading=Grading.NOT_GRADED if is_ungraded else Grading.POINTS,
        due_at=in_utc(payload.due_at),
        is_published=payload.published,
        is_own=is_own,
        criteria=tuple(_criterion(row) for row in payload.rubric or ()),
    )


def _criterion(row: RubricRow) -> records.Criterion:
    return records.Criterion(
        ref=CriterionRef(row.id),
        title=row.description or "",
        maximum=row.points or 0.0,
        links=_links(row),
    )


def _links(row: RubricRow) -> tuple[records.LmsLink, ...]:
    """The outcome that a criterion was taken from; one that was typed by hand has none."""
    is_linked = row.outcome_id is not None or row.learning_outcome_id is not None
    names = tuple(name for name in (row.vendor_guid, row.description) if name)
    return (names,) if is_linked and names else ()


def in_utc(moment: datetime | None) -> datetime | None:
    """A moment of Canvas's, which always names its zone, in UTC."""
    return None if moment is None else moment.astimezone(UTC)
