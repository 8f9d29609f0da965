"""Plans: by when competencies are meant to be mastered, of learners and of courses."""

from datetime import timedelta

import pytest

from mapping.records import LearnerRef
from store import pace
from store.tables import to_micros
from tests.store.places import NOW, competency_ids, enrol, publish

DAY = timedelta(days=1)


@pytest.fixture
def ids(db, district):
    publish(db, district)
    return competency_ids(db, district)


def told(table):
    columns = (table.owner, table.competency, table.by)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_a_courses_plan_takes_the_place_of_its_former_one(db, algebra, ids):
    pace.save_course_plan(db, algebra, {ids["N.1"]: NOW, ids["N.2"]: NOW}, author="Ms Lima")

    pace.save_course_plan(db, algebra, {ids["N.1"]: NOW + DAY})

    assert told(pace.course_plans(db, [algebra])) == [(algebra, ids["N.1"], to_micros(NOW + DAY))]


def test_a_learners_own_plan_is_apart_from_the_courses(db, algebra, ids):
    ada = enrol(db, algebra, "ada")[LearnerRef("ada")]
    pace.save_course_plan(db, algebra, {ids["N.1"]: NOW})

    pace.save_own_plan(db, ada, {ids["N.1"]: NOW + DAY})

    assert told(pace.own_plans(db, [ada])) == [(ada, ids["N.1"], to_micros(NOW + DAY))]
    assert told(pace.course_plans(db, [algebra])) == [(algebra, ids["N.1"], to_micros(NOW))]


def test_a_plan_without_dates_is_none(db, algebra, ids):
    pace.save_course_plan(db, algebra, {ids["N.1"]: NOW})

    pace.save_course_plan(db, algebra, {})

    assert told(pace.course_plans(db, [algebra])) == []
