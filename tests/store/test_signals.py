"""A thousand signals of a class are one reading, and a reading follows soon but not too often."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from mapping.records import CourseRef, CourseState
from store import courses as courses_of_store
from store import signals
from store.refresh_turns import PAUSE, take_turn
from store.tables import tenants
from tests.store import places
from tests.store.places import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def algebra(db, district, canvas):
    return places.new_course(db, district, canvas)


@pytest.fixture
def tell(db, canvas):
    def told(*seconds, ref="c1"):
        for one in seconds:
            signals.note(db, canvas, [CourseRef(ref)], now=NOW + one * SECOND)

    return told


def test_a_course_is_read_once_its_lms_has_been_quiet_for_a_minute(db, district, algebra, tell):
    tell(0, 20, 40)

    assert signals.due(db, district, now=NOW + 99 * SECOND) == ()
    assert signals.due(db, district, now=NOW + 100 * SECOND) == (algebra,)


def test_a_course_with_news_without_end_is_read_after_five_minutes(db, district, algebra, tell):
    tell(*range(0, 301, 15))

    assert signals.due(db, district, now=NOW + 299 * SECOND) == ()
    assert signals.due(db, district, now=NOW + 300 * SECOND) == (algebra,)


def test_a_thousand_signals_are_one_course_to_read(db, district, canvas, algebra):
    for number in range(1_000):
        signals.note(db, canvas, [CourseRef("c1")], now=NOW + number * SECOND / 50)

    assert signals.count_signals(db, district) == 1
    assert signals.due(db, district, now=NOW + 90 * SECOND) == (algebra,)


def test_a_course_read_out_of_turn_waits_until_five_minutes_are_over(db, district, algebra, tell):
    tell(0)
    take_turn(db, district, algebra, now=NOW)

    assert signals.due(db, district, now=NOW + PAUSE - SECOND) == ()
    assert signals.due(db, district, now=NOW + PAUSE) == (algebra,)


def test_what_is_settled_is_not_due(db, district, algebra, tell):
    tell(0)

    signals.settle(db, algebra)

    assert signals.due(db, district, now=NOW + PAUSE) == ()


def test_nothing_is_due_while_the_tenant_is_paused(db, district, algebra, tell):
    tell(0)
    assert signals.due(db, district, now=NOW + PAUSE) == (algebra,)
    db.execute(update(tenants).values(paused_at=NOW))

    assert signals.due(db, district, now=NOW + PAUSE) == ()


def test_news_of_unknown_courses_and_of_ended_ones_is_passed_over(db, district, canvas):
    ended = places.course_record("old", state=CourseState.CONCLUDED)
    courses_of_store.save_courses(db, canvas, [ended], tenant=district)

    known = signals.note(db, canvas, [CourseRef("old"), CourseRef("no such")], now=NOW)

    assert known == 0
    assert signals.count_signals(db, district) == 0


def test_another_platforms_course_of_the_same_name_has_no_news(db, district, algebra):
    assert algebra
    other = places.new_platform(db, district, "Other")

    assert signals.note(db, other, [CourseRef("c1")], now=NOW) == 0


def test_the_course_that_waits_longest_comes_first_and_no_more_than_asked(
    db, district, canvas, algebra, tell
):
    second = places.new_course(db, district, canvas, "c2")
    tell(0, ref="c2")
    tell(1)

    assert signals.due(db, district, now=NOW + PAUSE, most=1) == (second,)
    assert signals.due(db, district, now=NOW + PAUSE) == (second, algebra)
