"""How far courses were read: cursors, sweeps, courses that are gone."""

from datetime import timedelta

from mapping.records import CourseRef, Cursor
from store import courses, gradebook, readings, reports
from store.readings import Finished
from tests.store.places import NOW, column, enrol, new_course

LATER = NOW + timedelta(days=1)
HERE = Cursor("here")


def finish(db, course, *, is_sweep=True, now=NOW):
    finished = Finished(cursor=HERE, basis="1/x", is_sweep=is_sweep)
    readings.finish_reading(db, course, finished, now=now)


def test_a_reading_of_what_changed_is_no_sweep(db, algebra):
    finish(db, algebra)
    finish(db, algebra, is_sweep=False, now=LATER)

    found = courses.course(db, algebra)
    assert (found.swept_at, found.synced_at) == (NOW, LATER)


def test_a_reading_that_began_and_did_not_end_leaves_no_basis(db, algebra):
    finish(db, algebra)
    readings.begin_reading(db, algebra)

    assert courses.course(db, algebra).aligned_to is None


def test_an_unchanged_course_keeps_its_sweep_and_has_the_new_cursor(db, algebra):
    finish(db, algebra)
    readings.keep_cursors(db, {algebra: Cursor("there")}, now=LATER)

    found = courses.course(db, algebra)
    assert (found.cursor, found.synced_at, found.swept_at) == ("there", LATER, NOW)


def test_a_course_is_gone_once_and_back_once_it_is_listed(db, canvas, algebra):
    told = [
        readings.mark_listed(db, canvas, listed, now=LATER)
        for listed in (set(), set(), {CourseRef("c1")}, set())
    ]

    assert told == [(algebra,), (), (), (algebra,)]


def test_a_course_that_is_gone_does_not_make_what_is_known_of_a_learner_look_old(
    db, district, canvas, algebra
):
    beside = new_course(db, district, canvas, "c2")
    (ada,) = {*enrol(db, algebra, "ada").values(), *enrol(db, beside, "ada").values()}
    finish(db, algebra)
    finish(db, beside, now=LATER)
    readings.mark_listed(db, canvas, {CourseRef("c2")}, now=LATER)

    assert reports.learner_line(db, district, ada).read_at == LATER


def test_the_longest_courses_are_read_first_and_unknown_ones_before_them(db, district, canvas):
    quick, slow, unknown, guessed = (
        new_course(db, district, canvas, f"c{number}") for number in range(4)
    )
    for course, seconds in ((quick, 0.5), (slow, 90.0)):
        finished = Finished(cursor=HERE, basis="1/x", is_sweep=True, seconds=seconds)
        readings.finish_reading(db, course, finished, now=NOW)
    learners = {**enrol(db, guessed, "ada", "ben")}
    gradebook.save_line_items(db, guessed, [column(f"i{number}") for number in range(1_000)])

    ordered = readings.longest_first(db, [quick, slow, unknown, guessed])

    assert len(learners) == 2
    assert ordered == (unknown, slow, guessed, quick)
