"""Modes and first yeses: of a school, or of one course; each change kept, its courses put down."""

import pytest
from sqlalchemy import update

from mapping.records import Mode, PassbackWay, SchoolRef
from store import courses, due, modes, readings, ways
from store.policy_changes import Author, PolicyKind, changes_of, told_changes
from store.readings import Finished
from store.tables import courses as courses_table
from tests.store.places import BY, NOW, course_record, new_course, new_school, new_tenant

VERA = Author(by="Vera", at=NOW, reason="The pilot is over.")
SCHOOL = "School s1"


@pytest.fixture
def algebra(db, district, canvas):
    """A course of a school that is a shadow and has agreed to nothing; it was read."""
    new_school(db, district, canvas, mode=Mode.SHADOW, is_agreed=False)
    course = new_course(db, district, canvas)
    done = Finished(cursor=None, basis="", is_sweep=True)
    readings.finish_reading(db, course, done, now=NOW)
    return course


def set_school(db, district, mode):
    return modes.set_school_mode(db, district, SCHOOL, mode=mode, author=VERA)


def set_course(db, district, course, mode):
    return modes.set_course_mode(db, district, course, mode=mode, author=VERA)


def mode(db, course):
    return ways.course_way(db, course).mode


def waits(db, district, **more):
    return modes.courses_waiting(db, district, **more)


def test_a_course_goes_by_its_school_until_it_has_a_mode_of_its_own(db, district, algebra):
    set_school(db, district, Mode.ADVISORY)
    before = mode(db, algebra)
    set_course(db, district, algebra, Mode.PUBLISHED)
    own = mode(db, algebra)

    set_course(db, district, algebra, None)

    assert (before, own, mode(db, algebra)) == (Mode.ADVISORY, Mode.PUBLISHED, Mode.ADVISORY)


def test_a_course_of_no_school_is_a_shadow(db, district, canvas):
    assert mode(db, new_course(db, district, canvas, "c7")) is Mode.SHADOW


def test_another_mode_puts_the_courses_down_and_is_kept_with_its_author(db, district, algebra):
    set_school(db, district, Mode.OFFICIAL)

    newest = changes_of(db, district)[0]
    assert due.courses_due(db, district) == {algebra}
    assert (newest.kind, newest.before, newest.after) == (PolicyKind.MODE, "shadow", "official")
    assert (newest.by, newest.reason) == ("Vera", "The pilot is over.")


def test_the_same_mode_again_changes_nothing(db, district, algebra):
    before = changes_of(db, district)

    set_school(db, district, Mode.SHADOW)
    set_course(db, district, algebra, None)

    assert changes_of(db, district) == before
    assert due.courses_due(db, district) == frozenset()


def test_changes_are_told_with_the_names_of_what_they_are_about(db, district, algebra):
    set_course(db, district, algebra, Mode.OFFICIAL)
    set_school(db, district, Mode.ADVISORY)

    newest, former = told_changes(db, district, most=2)

    assert (newest.school, newest.course) == (SCHOOL, "")
    assert (former.school, former.course) == ("", "Algebra")


def test_what_is_another_tenants_cannot_be_changed(db, algebra):
    other = new_tenant(db, "Other")

    done = (set_school(db, other, Mode.OFFICIAL), set_course(db, other, algebra, Mode.OFFICIAL))

    assert done == (False, False)
    assert modes.agree(db, other, [algebra], author=VERA) == ()
    assert not modes.agree_for_school(db, other, SCHOOL, author=VERA)
    assert mode(db, algebra) is Mode.SHADOW


def test_a_course_waits_for_its_first_yes_once_it_is_official_and_read(db, district, algebra):
    before = waits(db, district)
    set_course(db, district, algebra, Mode.OFFICIAL)

    assert before == ()
    assert waits(db, district) == (algebra,)
    assert waits(db, district, school="Another") == ()


def test_a_course_of_no_way_waits_for_nothing(db, district, algebra):
    set_course(db, district, algebra, Mode.OFFICIAL)

    ways.set_course_way(db, algebra, PassbackWay.NONE, author=BY)

    assert waits(db, district) == ()


def test_a_yes_is_given_once_by_somebody(db, district, algebra):
    set_course(db, district, algebra, Mode.OFFICIAL)

    agreed = modes.agree(db, district, [algebra], author=VERA)
    again = modes.agree(db, district, [algebra], author=BY)

    found = ways.course_way(db, algebra)
    assert (agreed, again) == ((algebra,), ())
    assert (found.agreed_at, found.agreed_by) == (NOW, "Vera")
    assert waits(db, district) == ()
    assert changes_of(db, district)[0].kind is PolicyKind.FIRST_YES


def test_a_school_agrees_for_courses_to_come_as_well(db, district, canvas, algebra):
    modes.agree_for_school(db, district, SCHOOL, author=VERA)

    late = ways.course_way(db, new_course(db, district, canvas, "c8"))

    assert due.courses_due(db, district) == {algebra}
    assert (late.agreed_at, late.agreed_by) == (NOW, "Vera")
    assert modes.school_modes(db, district)[0].agreed_at == NOW


def test_another_way_is_kept_with_its_author_and_put_down(db, district, algebra):
    ways.set_school_way(db, district, SCHOOL, way=PassbackWay.NONE, author=VERA)

    newest = changes_of(db, district)[0]
    assert (newest.kind, newest.before, newest.after) == (PolicyKind.WAY, "words", "none")
    assert due.courses_due(db, district) == {algebra}


def test_a_course_that_moves_to_another_school_is_told_of(db, district, canvas, algebra):
    new_school(db, district, canvas, ref="s2")
    moved = course_record("c1", school_ref=SchoolRef("s2"))

    first = courses.save_courses(db, canvas, [moved], tenant=district)
    again = courses.save_courses(db, canvas, [moved], tenant=district)

    assert (first, again) == ({algebra}, frozenset())


def test_a_course_that_moves_to_another_school_is_read_for_its_mapping_may_go_by_that(
    db, district, canvas, algebra
):
    new_school(db, district, canvas, ref="s2")
    db.execute(update(courses_table).values(aligned_to="1/x"))
    moved = course_record("c1", school_ref=SchoolRef("s2"))

    courses.save_courses(db, canvas, [course_record("c1")], tenant=district)
    before = courses.course(db, algebra)
    courses.save_courses(db, canvas, [moved], tenant=district)
    after = courses.course(db, algebra)

    assert (before.aligned_to, before.record.school) == ("1/x", "School s1")
    assert (after.aligned_to, after.record.school) == (None, "School s2")
