from datetime import UTC, datetime

import msgspec
import pytest

from connectors.canvas.courses import (
    course_of,
    enrolments_of,
    group_of,
    line_item_of,
    section_of,
)
from connectors.canvas.payloads import Assignment, Course, Enrollment, GroupRow, SectionRow
from mapping.records import CourseState, EnrolmentState, Grading, Role

NOW = datetime(2026, 12, 20, tzinfo=UTC)


def course(**changes):
    payload = {"id": "1", "account_id": "11", "workflow_state": "available", "name": "Algebra"}
    return course_of(msgspec.convert({**payload, **changes}, Course), now=NOW)


def enrollment(who="3", kind="Student", state="active", **changes):
    payload = {
        "user_id": who,
        "type": f"{kind}Enrollment",
        "enrollment_state": state,
        "user": {"id": who, "name": f"Person {who}", "sortable_name": f"{who}, Person"},
    }
    return msgspec.convert({**payload, **changes}, Enrollment)


def item(**changes):
    payload = {"id": "7", "name": "Quiz", "points_possible": 10, "assignment_group_id": "2"}
    assignment = msgspec.convert({**payload, **changes}, Assignment)
    return line_item_of(assignment, {"2": "Quizzes"}, is_own=False)


@pytest.mark.parametrize(
    ("workflow_state", "state"),
    [
        ("available", CourseState.ACTIVE),
        ("completed", CourseState.CONCLUDED),
        ("unpublished", CourseState.UNPUBLISHED),
        ("claimed", CourseState.UNPUBLISHED),
    ],
)
def test_a_course_is_active_only_when_it_is_published(workflow_state, state):
    assert course(workflow_state=workflow_state).state is state


@pytest.mark.parametrize(
    ("end_at", "is_bound", "state"),
    [
        ("2026-12-01T00:00:00Z", True, CourseState.CONCLUDED),
        ("2026-12-18T00:00:00Z", True, CourseState.ACTIVE),
        ("2026-12-01T00:00:00Z", False, CourseState.ACTIVE),
        ("2026-12-01T00:00:00Z", None, CourseState.ACTIVE),
        (None, True, CourseState.ACTIVE),
    ],
)
def test_a_course_is_concluded_a_week_after_an_end_date_that_binds(end_at, is_bound, state):
    found = course(end_at=end_at, restrict_enrollments_to_course_dates=is_bound)

    assert found.state is state


def test_a_course_belongs_to_its_account():
    assert course(account_id=12).school_ref == "12"


def test_a_course_without_a_name_shows_its_code():
    assert course(name=None, course_code="ALG-1").title == "ALG-1"


def test_a_learner_of_several_sections_comes_once_and_active_wins():
    found = enrolments_of(
        [enrollment(state="completed"), enrollment(state="active"), enrollment(state="inactive")]
    )

    assert [(one.person.ref, one.state) for one in found] == [("3", EnrolmentState.ACTIVE)]


def test_the_sections_of_all_enrolments_of_a_learner_are_joined():
    found = enrolments_of(
        [enrollment(course_section_id="7"), enrollment(course_section_id=8), enrollment()]
    )

    assert [one.sections for one in found] == [{"7", "8"}]


@pytest.mark.parametrize("order", [1, -1])
def test_a_section_that_a_learner_left_is_not_theirs_any_more(order):
    rows = [
        enrollment(state="completed", course_section_id="7"),
        enrollment(state="active", course_section_id="8"),
    ]

    found = enrolments_of(rows[::order])

    assert [(one.state, one.sections) for one in found] == [(EnrolmentState.ACTIVE, {"8"})]


def test_groups_are_sections_too_and_told_from_those_of_the_same_number():
    user = {"id": "3", "name": "A", "group_ids": ["7", 9]}

    found = enrolments_of([enrollment(user=user, course_section_id="7")])

    assert found[0].sections == {"7", "group 7", "group 9"}
    assert group_of(GroupRow(id="7", name="Red")).ref == "group 7"


def test_sections_and_groups_are_told_apart():
    section = section_of(SectionRow(id=7, name="Morning", sis_section_id=""))
    group = group_of(GroupRow(id="7", name="Red"))

    assert (section.ref, section.title, section.sis_id) == ("7", "Morning", None)
    assert (section.is_group, group.is_group) == (False, True)


@pytest.mark.parametrize(
    ("enrollment_state", "state"),
    [
        ("active", EnrolmentState.ACTIVE),
        ("invited", EnrolmentState.ACTIVE),
        ("inactive", EnrolmentState.SUSPENDED),
        ("completed", EnrolmentState.CONCLUDED),
    ],
)
def test_each_state_of_an_enrolment_is_known(enrollment_state, state):
    assert enrolments_of([enrollment(state=enrollment_state)])[0].state is state


def test_somebody_may_be_a_learner_and_a_teacher():
    found = enrolments_of([enrollment(), enrollment(kind="Teacher")])

    assert [one.role for one in found] == [Role.LEARNER, Role.TEACHER]


def test_a_guardian_of_two_learners_comes_once_for_each():
    found = enrolments_of(
        [enrollment("9", "Observer", associated_user_id=watched) for watched in ("3", "4")]
    )

    assert [(one.role, one.observes) for one in found] == [
        (Role.GUARDIAN, "3"),
        (Role.GUARDIAN, "4"),
    ]


@pytest.mark.parametrize(
    "left_out",
    [
        enrollment("9", "Observer"),
        enrollment(kind="Designer"),
        enrollment(kind="StudentView"),
        enrollment(state="deleted"),
    ],
)
def test_who_is_no_part_of_the_gradebook_is_left_out(left_out):
    assert enrolments_of([left_out]) == []


def test_the_districts_own_id_is_found_in_both_places():
    found = enrolments_of(
        [
            enrollment("3", sis_user_id="S3"),
            enrollment("4", user={"id": "4", "name": "D", "sis_user_id": "S4"}),
            enrollment("5", sis_user_id=""),
        ]
    )

    assert [one.person.sis_id for one in found] == ["S3", "S4", None]


def test_a_line_item_is_filed_under_its_group():
    assert item().category == "Quizzes"
    assert item(assignment_group_id="99").category == ""


@pytest.mark.parametrize(
    "ungraded", [{"grading_type": "not_graded"}, {"submission_types": ["not_graded"]}]
)
def test_an_assignment_that_is_not_graded_is_known(ungraded):
    assert item(**ungraded).grading is Grading.NOT_GRADED


def test_rubric_rows_become_criteria():
    rubric = [{"id": "_1", "description": "Reasoning", "points": 4.0}, {"id": "_2"}]

    found = item(rubric=rubric).criteria

    assert [(one.ref, one.title, one.maximum) for one in found] == [
        ("_1", "Reasoning", 4.0),
        ("_2", "", 0.0),
    ]


@pytest.mark.parametrize("name", ["outcome_id", "learning_outcome_id"])
def test_a_rubric_row_taken_from_an_outcome_is_linked_to_it(name):
    row = {"id": "_1", "description": "Counting", "points": 4.0, name: 31}
    known, local = {**row, "vendor_guid": "guid-1"}, {**row, "vendor_guid": None}
    by_hand = {"id": "_1", "description": "Counting", "vendor_guid": "guid-1"}

    found = [item(rubric=[one]).criteria[0].links for one in (known, local, by_hand)]

    assert found == [(("guid-1", "Counting"),), (("Counting",),), ()]


def test_numbers_are_taken_for_ids_too():
    assert item(id=7, assignment_group_id=2).ref == "7"
    assert item(id=7, assignment_group_id=2).category == "Quizzes"
