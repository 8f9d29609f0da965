"""What saying which places are which school would change: told whole, and nothing written."""

from itertools import product
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from mapping.records import CourseState, Mode, PassbackWay, SchoolRef
from store import courses, modes, school_moves, schools, ways
from store.policy_changes import Author
from store.school_moves import Marks
from store.tables import courses as courses_table
from store.tables import schools as schools_table
from tests.store.places import (
    NOW,
    new_course,
    new_platform,
    new_school,
    new_tenant,
    publish,
    rule,
)
from workers.passback import reason_to_write_nothing

VERA = Author(by="Vera", at=NOW)


@pytest.fixture
def algebra(db, district, canvas):
    return new_course(db, district, canvas, school_ref=SchoolRef("11"))


def said(platform, **wanted):
    return {(platform, SchoolRef(ref.strip("_"))): name for ref, name in wanted.items()}


def moves(db, district, platform, **wanted):
    return school_moves.moves(db, district, said(platform, **wanted))


@pytest.mark.usefixtures("algebra")
def test_a_course_that_comes_to_an_official_school_begins_to_be_written(db, district, canvas):
    new_school(db, district, canvas, ref="5")

    found = moves(db, district, canvas, _11="sCHOOL 5")

    (one,) = found.courses
    assert (one.before.school, one.before.mode, one.before.way, one.before.marks) == (
        *("", Mode.SHADOW, PassbackWay.NONE, Marks.NOT_WRITTEN),
    )
    assert (one.after.school, one.after.mode, one.after.way, one.after.marks) == (
        *("School 5", Mode.OFFICIAL, PassbackWay.WORDS, Marks.WRITTEN),
    )
    assert (one.begins, one.ends, one.waits, one.place) == (
        *(True, False, False),
        schools.places(db, district)[-1].called,
    )
    assert (found.begin, found.end, found.wait, found.others) == (1, 0, 0, 1)
    assert (found.made, found.places) == ((), 1)
    assert found.ways == {("", "School 5"): 1}


@pytest.mark.usefixtures("algebra")
def test_without_a_first_yes_it_waits(db, district, canvas):
    new_school(db, district, canvas, ref="5", is_agreed=False)

    found = moves(db, district, canvas, _11="School 5")

    assert (found.begin, found.wait) == (0, 1)
    assert found.courses[0].after.marks is Marks.WAITING


def test_a_course_that_leaves_an_official_school_ends_to_be_written(db, district, canvas):
    new_school(db, district, canvas, ref="5")
    new_course(db, district, canvas, school_ref=SchoolRef("5"))

    found = moves(db, district, canvas, _5="North")

    assert (found.end, found.made, found.courses[0].ends) == (1, ("North",), True)
    assert found.courses[0].after.mode is Mode.SHADOW
    assert found.ways == {("School 5", "North"): 1}


def test_another_way_of_marks_is_told_as_marks_that_begin(db, district, canvas):
    new_school(db, district, canvas, ref="5")
    new_school(db, district, canvas, ref="6", way=PassbackWay.MARK_NOT_COUNTED)
    new_course(db, district, canvas, school_ref=SchoolRef("5"))

    found = moves(db, district, canvas, _5="School 6")

    assert (found.begin, found.end) == (1, 0)


def test_what_a_course_has_of_its_own_goes_with_it(db, district, canvas, algebra):
    new_school(db, district, canvas, ref="5")
    modes.set_course_mode(db, district, algebra, mode=Mode.PUBLISHED, author=VERA)
    ways.set_course_way(db, algebra, PassbackWay.NONE, author=VERA)

    found = moves(db, district, canvas, _11="School 5")

    after = found.courses[0].after
    assert (after.mode, after.way, found.begin) == (Mode.PUBLISHED, PassbackWay.NONE, 0)
    assert (found.others, found.courses[0].is_other) == (0, False)


@pytest.mark.usefixtures("algebra")
def test_mapping_rules_that_go_by_the_school_are_counted(db, district, canvas):
    new_school(db, district, canvas, ref="5")
    publish(
        *(db, district),
        rule("N.1", school="School*", line_item="a*"),
        rule("N.1", school="School 5", course="Biology"),
        rule("N.1", school="*", line_item="b*"),
        rule("N.1", line_item="c*"),
    )

    (one,) = moves(db, district, canvas, _11="School 5").courses

    assert (one.after.rules, one.before.rules) == ((1,), ())
    assert (one.rules_come, one.rules_go) == (1, 0)


@pytest.mark.usefixtures("algebra")
def test_nothing_is_written_and_the_same_is_told_until_something_changes(db, district, canvas):
    new_school(db, district, canvas, ref="5")
    first = moves(db, district, canvas, _11="School 5")

    again = moves(db, district, canvas, _11="School 5")
    modes.set_school_mode(db, district, "School 5", mode=Mode.SHADOW, author=VERA)
    then = moves(db, district, canvas, _11="School 5")

    assert first == again
    assert first.digest == again.digest != then.digest
    assert schools.places(db, district)[-1].school == ""


def test_where_most_changes_is_told_first(db, district, canvas):
    new_school(db, district, canvas, ref="5")
    for ref, title, place in (("a", "Art", "11"), ("b", "Biology", "12")):
        new_course(db, district, canvas, ref, title=title, school_ref=SchoolRef(place))

    found = moves(db, district, canvas, _11="North", _12="School 5")

    assert [one.title for one in found.courses] == ["Biology", "Art"]


def test_what_is_so_already_and_what_is_gone_or_anothers_does_not_move(db, district, canvas):
    new_school(db, district, canvas, ref="5")
    new_course(db, district, canvas, school_ref=SchoolRef("5"))
    new_course(db, district, canvas, "c2", school_ref=SchoolRef("11"))
    gone = courses_table.c.ref == "c2"
    db.execute(update(courses_table).where(gone).values(gone_at=NOW))
    other = new_tenant(db, "Other")
    theirs = new_platform(db, other, "Theirs")
    new_course(db, other, theirs, school_ref=SchoolRef("7"))

    found = school_moves.moves(
        *(db, district), {**said(canvas, _5="School 5", _11="North"), **said(theirs, _7="North")}
    )

    assert (found.courses, found.places) == ([], 0)


@pytest.mark.parametrize("kind", ["canvas", "moodle"])
def test_what_is_told_of_marks_is_what_the_nights_do(db, district, kind):
    platform = new_platform(db, district, f"{kind} here", kind=kind)
    new_school(db, district, platform, ref="5")
    course = new_course(db, district, platform, school_ref=SchoolRef("11"))
    for mode, way, agreed, counted in product(Mode, PassbackWay, (None, NOW), (None, NOW)):
        db.execute(
            update(schools_table).values(mode=mode.value, passback_way=way.value, agreed_at=agreed)
        )
        db.execute(update(courses_table).values(counted_from=counted))
        (told,) = moves(db, district, platform, _11="School 5").courses
        schools.fill(db, district, said(platform, _11="School 5"), author=VERA)
        stored = courses.course(db, course)

        reason = reason_to_write_nothing(SimpleNamespace(course=stored, way=stored.way))

        assert (told.after.marks is Marks.WRITTEN) is (reason is None), (mode, way, agreed, counted)
        schools.fill(db, district, said(platform, _11=""), author=VERA)


def test_a_course_that_is_over_is_not_written(db, district, canvas, algebra):
    new_school(db, district, canvas, ref="5")
    over = courses_table.c.id == algebra
    db.execute(update(courses_table).where(over).values(state=CourseState.CONCLUDED.value))

    assert moves(db, district, canvas, _11="School 5").begin == 0
