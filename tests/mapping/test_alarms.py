"""From what on a night is worth a look, and what is no cause for one."""

import pytest

from mapping import alarms
from mapping.alarms import ClassMove, ClearedCourse, MappingEffect, PlatformCourses, PlatformVolume
from mapping.records import CourseId
from mapping.status import Status

USUAL_NIGHTS = (2_000, 1_900, 600, 2_100, 2_000, 1_800, 2_000)


def move(**more) -> ClassMove:
    facts = {"learners": 20, "fell": 0, "rose": 0, **more}
    return ClassMove(course=CourseId(1), title="Algebra", competency="N.1", **facts)


def volume(tonight: int, before=USUAL_NIGHTS) -> PlatformVolume:
    return PlatformVolume(platform="Canvas", tonight=tonight, before=before)


@pytest.mark.parametrize(("lost", "is_told"), [(0, False), (4, False), (5, True)])
def test_a_course_that_lost_all_of_several_scores_is_told(lost, is_told):
    found = alarms.of_cleared(ClearedCourse(course=CourseId(1), title="Algebra", lost=lost))

    assert (found is not None) is is_told


@pytest.mark.parametrize(
    ("facts", "is_told"),
    [
        ({"fell": 8}, True),
        ({"fell": 7}, False),
        ({"fell": 9, "rose": 2}, False),
        ({"fell": 7, "learners": 7}, False),
        ({"fell": 8, "learners": 8}, True),
    ],
)
def test_a_class_is_told_of_when_two_in_five_stand_lower_on_balance(facts, is_told):
    assert (alarms.of_class(move(**facts)) is not None) is is_told


def test_what_is_told_of_a_class_names_the_course_and_both_counts():
    found = alarms.of_class(move(fell=12, rose=1))

    assert found is not None
    assert "12 of 20 learners of Algebra" in found.message
    assert found.course == 1


@pytest.mark.parametrize(
    ("before", "after", "is_fall"),
    [
        (Status.MASTERED, Status.DEVELOPING, True),
        (Status.MASTERED, Status.NOT_SUSTAINED, True),
        (Status.DEVELOPING, Status.NO_EVIDENCE, True),
        (Status.MASTERED, Status.RECHECK_DUE, False),
        (Status.EMERGING, Status.DEVELOPING, False),
        (Status.MASTERED, Status.MASTERED, False),
    ],
)
def test_a_lower_status_is_a_fall_but_not_that_a_recheck_is_due(before, after, is_fall):
    assert alarms.has_fallen(before, after) is is_fall


@pytest.mark.parametrize(
    ("gone", "listed", "is_told"), [(5, 5, True), (4, 0, False), (5, 6, False), (300, 2, True)]
)
def test_an_lms_that_lost_half_of_its_running_courses_is_told(gone, listed, is_told):
    found = alarms.of_courses(PlatformCourses(platform="Canvas", gone=gone, listed=listed))

    assert (found is not None) is is_told


@pytest.mark.parametrize(("tonight", "is_told"), [(0, True), (179, True), (180, False)])
def test_a_night_far_below_the_smallest_of_the_last_seven_is_told(tonight, is_told):
    assert (alarms.of_volume(volume(tonight)) is not None) is is_told


def test_too_few_nights_say_nothing_of_what_is_usual():
    assert alarms.of_volume(volume(0, USUAL_NIGHTS[:-1])) is None


def test_where_some_night_of_the_week_is_always_small_nothing_is_told():
    assert alarms.of_volume(volume(0, (*USUAL_NIGHTS[:-1], 3))) is None


@pytest.mark.parametrize(
    ("changed", "statuses", "is_told"),
    [(50, 250, True), (50, 251, False), (49, 49, False), (0, 0, False)],
)
def test_a_mapping_that_changed_a_fifth_of_the_statuses_is_told(changed, statuses, is_told):
    effect = MappingEffect(version=2, changed=changed, statuses=statuses)

    assert (alarms.of_mapping(effect) is not None) is is_told
