"""Which marks may be out of date: put down with their cause, taken away when looked at."""

from datetime import timedelta

import pytest

from store import due
from store.due import Due
from tests.store.places import NOW, enrol, new_course, new_platform, new_tenant

LATER = NOW + timedelta(seconds=1)


@pytest.fixture
def biology(db, district, canvas):
    return new_course(db, district, canvas, "c2")


@pytest.fixture
def people(db, algebra, biology):
    """Ada is in both courses, Bo was in the first and left it, Cy is in the second."""
    known = enrol(db, algebra, "ada", "bo")
    known = {**known, **enrol(db, biology, "ada", "cy")}
    enrol(db, algebra, "ada")
    return known


def learners(db, course):
    return set(due.due_in(db, course).learners)


def test_a_learner_is_put_down_wherever_they_are_active(db, algebra, biology, people):
    due.put_down_learners(db, [people["ada"], people["bo"]], now=NOW)

    assert learners(db, algebra) == {people["ada"]}
    assert learners(db, biology) == {people["ada"]}
    assert due.due_in(db, algebra).whole is None


def test_a_learner_is_put_down_in_one_course_alone(db, algebra, biology, people):
    due.put_down_learners_in(db, biology, [people["ada"]], now=NOW)

    assert learners(db, algebra) == set()
    assert learners(db, biology) == {people["ada"]}


def test_nobody_put_down_is_nothing_due(db, algebra, district, people):
    assert people

    due.put_down_learners(db, [], now=NOW)

    assert due.due_in(db, algebra) == Due()
    assert due.courses_due(db, district) == frozenset()


def test_courses_are_due_whole_or_by_their_learners(db, algebra, biology, people, district):
    other = new_tenant(db, "Other")
    foreign = new_course(db, other, new_platform(db, other, "Far"), "c9")
    due.put_down_courses(db, [algebra, foreign], now=NOW)
    due.put_down_learners(db, [people["cy"]], now=NOW)

    assert due.courses_due(db, district) == {algebra, biology}


def test_a_tenant_put_down_is_all_of_its_courses(db, algebra, biology, district):
    due.put_down_tenant(db, district, now=NOW)

    assert due.courses_due(db, district) == {algebra, biology}
    assert due.due_in(db, algebra).whole is not None


def test_what_was_looked_at_is_due_no_longer(db, algebra, biology, people, district):
    due.put_down_courses(db, [algebra], now=NOW)
    due.put_down_learners(db, [people["ada"]], now=NOW)

    due.settle(db, algebra, due.due_in(db, algebra))

    assert due.due_in(db, algebra) == Due()
    assert due.courses_due(db, district) == {biology}


def test_what_was_put_down_again_meanwhile_stays_due(db, algebra, people):
    due.put_down_courses(db, [algebra], now=NOW)
    due.put_down_learners(db, [people["ada"]], now=NOW)
    seen = due.due_in(db, algebra)
    due.put_down_courses(db, [algebra], now=LATER)
    due.put_down_learners(db, [people["ada"]], now=LATER)

    due.settle(db, algebra, seen)

    assert due.due_in(db, algebra).whole is not None
    assert learners(db, algebra) == {people["ada"]}
