"""Courses and people: one learner across courses and LMSs, by the SIS id and nothing else."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from mapping.records import (
    CourseState,
    Cursor,
    Enrolment,
    EnrolmentState,
    LearnerRef,
    PassbackWay,
    Person,
    Role,
)
from store import courses, readings
from store.readings import Finished
from store.session import reading, writing
from store.tables import enrolments, guardianships, learner_accounts, learners
from tests.store.places import (
    NOW,
    course_record,
    guardian,
    new_course,
    new_platform,
    new_school,
    new_tenant,
    pupil,
)


def states(connection, course):
    rows = connection.execute(
        select(learners.c.name, enrolments.c.state)
        .join(learners, learners.c.id == enrolments.c.learner_id)
        .where(enrolments.c.course_id == course)
    )
    return {name: EnrolmentState(state) for name, state in rows}


def wards(connection, course):
    rows = connection.execute(
        select(guardianships.c.guardian_ref, learners.c.name)
        .join(learners, learners.c.id == guardianships.c.learner_id)
        .where(guardianships.c.course_id == course)
    )
    return {tuple(row) for row in rows}


@pytest.fixture
def moodle(db, district):
    return new_platform(db, district, "Moodle", kind="moodle")


def test_a_course_is_kept_as_its_lms_describes_it(db, district, canvas):
    new_school(db, district, canvas, way=PassbackWay.MARK_NOT_COUNTED)
    number = new_course(
        db, district, canvas, sis_id="sis", state=CourseState.CONCLUDED, starts_at=NOW
    )

    found = courses.course(db, number)

    assert found.record == replace(
        course_record(sis_id="sis", state=CourseState.CONCLUDED, starts_at=NOW),
        school_ref="s1",
        school="School s1",
    )
    assert (found.tenant, found.platform, found.kind) == (district, canvas, "canvas")
    assert found.way is PassbackWay.MARK_NOT_COUNTED


def test_a_course_of_an_unknown_school_is_written_nowhere(db, algebra):
    found = courses.course(db, algebra)

    assert (found.school, found.way) == (None, PassbackWay.NONE)


def test_a_course_read_again_is_the_same_with_its_new_title_and_its_cursor(
    db, district, canvas, algebra
):
    finished = Finished(cursor=Cursor("here"), basis="1/x", is_sweep=True)
    readings.finish_reading(db, algebra, finished, now=NOW)

    again = new_course(db, district, canvas, title="Algebra II")

    found = courses.course(db, again)
    assert again == algebra
    assert (found.record.title, found.cursor) == ("Algebra II", "here")


def test_a_course_that_is_no_longer_listed_is_kept(db, district, canvas, algebra):
    courses.save_courses(db, canvas, [], tenant=district)

    assert [course.id for course in courses.courses_of(db, district)] == [algebra]


def test_courses_are_listed_by_tenant_and_by_platform(db, district, moodle, algebra):
    other = new_tenant(db, "Other")
    theirs = new_course(db, other, new_platform(db, other))
    beside = new_course(db, district, moodle)

    assert [c.id for c in courses.courses_of(db, district)] == [algebra, beside]
    assert [c.id for c in courses.courses_of(db, district, platform=moodle)] == [beside]
    assert [c.id for c in courses.courses_of(db, other)] == [theirs]


def test_a_learner_is_the_same_on_every_lms_by_the_sis_id(db, district, moodle, algebra):
    beside = new_course(db, district, moodle)

    here = courses.save_enrolments(db, algebra, [pupil("17", sis_id="A1", name="Ada")])
    there = courses.save_enrolments(db, beside, [pupil("99", sis_id="A1", name="Ada L.")])

    assert here[LearnerRef("17")] == there[LearnerRef("99")]


def test_people_of_one_name_are_never_taken_for_one_learner(db, algebra):
    found = courses.save_enrolments(
        db, algebra, [pupil("17", name="Ada"), pupil("18", name="Ada", sis_id="A1")]
    )

    assert len(set(found.values())) == 2


def test_people_without_a_sis_id_are_known_again_by_their_account(db, algebra):
    first = courses.save_enrolments(db, algebra, [pupil("17")])
    again = courses.save_enrolments(db, algebra, [pupil("17")])

    assert again == first


def test_learners_of_two_districts_stay_apart_whatever_their_sis_id(db, algebra):
    other = new_tenant(db, "Other")
    theirs = new_course(db, other, new_platform(db, other))

    here = courses.save_enrolments(db, algebra, [pupil("17", sis_id="A1")])
    there = courses.save_enrolments(db, theirs, [pupil("17", sis_id="A1")])

    assert here[LearnerRef("17")] != there[LearnerRef("17")]


def test_a_learner_has_the_name_the_lms_gives_now(db, algebra):
    courses.save_enrolments(db, algebra, [pupil("17", name="Ada Byron")])
    courses.save_enrolments(db, algebra, [pupil("17", name="Ada Lovelace")])

    assert db.execute(select(learners.c.name)).scalars().all() == ["Ada Lovelace"]


def test_who_left_a_course_is_concluded_there_and_kept(db, algebra):
    courses.save_enrolments(db, algebra, [pupil("ada"), pupil("bo")])

    found = courses.save_enrolments(db, algebra, [pupil("bo")])

    assert list(found) == ["bo"]
    assert states(db, algebra) == {
        "Ada": EnrolmentState.CONCLUDED,
        "Bo": EnrolmentState.ACTIVE,
    }


def test_who_came_back_to_a_course_is_active_again(db, algebra):
    for people in ([pupil("ada")], [], [pupil("ada")]):
        courses.save_enrolments(db, algebra, people)

    assert states(db, algebra) == {"Ada": EnrolmentState.ACTIVE}


def test_leaving_one_course_says_nothing_of_another(db, district, canvas, algebra):
    beside = new_course(db, district, canvas, "c2")
    courses.save_enrolments(db, beside, [pupil("ada")])
    courses.save_enrolments(db, algebra, [pupil("ada")])

    courses.save_enrolments(db, algebra, [])

    assert states(db, beside) == {"Ada": EnrolmentState.ACTIVE}


def test_only_active_learners_are_active(db, algebra):
    found = courses.save_enrolments(
        db, algebra, [pupil("ada"), pupil("bo", state=EnrolmentState.SUSPENDED)]
    )

    assert courses.active_learners(db, algebra) == (found[LearnerRef("ada")],)


def test_teachers_are_no_learners(db, algebra):
    teacher = Enrolment(
        person=Person(ref=LearnerRef("t"), name="T", sort_name="T"), role=Role.TEACHER
    )

    assert courses.save_enrolments(db, algebra, [teacher]) == {}
    assert db.execute(select(learner_accounts.c.ref)).all() == []


def test_a_guardian_follows_the_learners_the_lms_says(db, algebra):
    courses.save_enrolments(
        db, algebra, [pupil("ada"), pupil("bo"), guardian("g", "ada"), guardian("g", "bo")]
    )

    assert wards(db, algebra) == {("g", "Ada"), ("g", "Bo")}


def test_a_guardian_who_lost_a_child_in_the_lms_loses_the_view_at_once(db, algebra):
    courses.save_enrolments(db, algebra, [pupil("ada"), pupil("bo"), guardian("g", "ada")])

    courses.save_enrolments(db, algebra, [pupil("ada"), pupil("bo"), guardian("g", "bo")])

    assert wards(db, algebra) == {("g", "Bo")}


@pytest.mark.parametrize(
    "observer",
    [
        guardian("g", "nobody"),
        guardian("g", "ada", state=EnrolmentState.CONCLUDED),
        replace(guardian("g", "ada"), observes=None),
    ],
)
def test_a_guardian_of_nobody_here_follows_nobody(db, algebra, observer):
    courses.save_enrolments(db, algebra, [pupil("ada"), observer])

    assert wards(db, algebra) == set()


def test_a_platform_calls_learners_by_its_own_references(db, district, moodle, algebra):
    beside = new_course(db, district, moodle)
    here = courses.save_enrolments(db, algebra, [pupil("17", sis_id="A1"), pupil("18")])
    courses.save_enrolments(db, beside, [pupil("99", sis_id="A1")])
    ada, bo = here[LearnerRef("17")], here[LearnerRef("18")]

    assert courses.learner_refs_in(db, algebra) == {ada: "17", bo: "18"}
    assert courses.learner_refs_in(db, beside) == {ada: "99"}


@pytest.mark.parametrize("sis_id", ["A1", None])
def test_two_courses_read_at_once_make_one_learner_of_one_person(engine, sis_id):
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        canvas = new_platform(connection, tenant)
        both = [new_course(connection, tenant, canvas, ref) for ref in ("c1", "c2")]
    is_saved, is_waiting = threading.Event(), threading.Event()

    def save_first():
        with writing(engine) as connection:
            courses.save_enrolments(connection, both[0], [pupil("17", sis_id=sis_id)])
            is_saved.set()
            is_waiting.wait(10)

    def save_second():
        is_saved.wait(10)
        # The second can wait for the first in the database only: let go of it in a moment.
        threading.Timer(0.2, is_waiting.set).start()
        with writing(engine) as connection:
            courses.save_enrolments(connection, both[1], [pupil("17", sis_id=sis_id)])

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(save_first), pool.submit(save_second)]:
            done.result(20)

    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(learners)).scalar() == 1
