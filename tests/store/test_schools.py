"""Schools made, named and filled: what moves with them, and what stays as it was."""

import pytest
from sqlalchemy import update

from mapping.records import Mode, PassbackWay, SchoolRef
from store import courses, due, modes, schools, ways
from store.policy_changes import Author, PolicyKind, changes_of
from store.schools import NameRefused
from store.tables import courses as courses_table
from tests.store.places import (
    NOW,
    course_record,
    new_course,
    new_platform,
    new_school,
    new_tenant,
    publish,
    rule,
)

VERA = Author(by="Vera", at=NOW)


@pytest.fixture
def algebra(db, district, canvas):
    return new_course(db, district, canvas, school_ref=SchoolRef("11"))


def fill(db, district, canvas, **wanted):
    told = {(canvas, SchoolRef(ref.strip("_"))): name for ref, name in wanted.items()}
    return schools.fill(db, district, told, author=VERA)


def school_of(db, course):
    return courses.course(db, course).record.school


def rename(db, district, name, school=0):
    found = modes.school_modes(db, district)[school]
    return schools.rename(db, district, found.id, name=name, author=VERA)


@pytest.mark.usefixtures("algebra")
def test_a_place_is_told_with_its_courses(db, district, canvas):
    new_course(db, district, canvas, "c2", title="Zoology", school_ref=SchoolRef("11"))
    new_course(db, district, canvas, "c3", title="Middle", school_ref=SchoolRef("11"))
    new_course(db, district, canvas, "c4", school_ref=SchoolRef("9"))

    nine, eleven = schools.places(db, district)

    assert (nine.ref, nine.courses, nine.examples) == ("9", 1, ("Algebra",))
    assert (eleven.ref, eleven.courses, eleven.examples) == ("11", 3, ("Algebra", "Zoology"))
    assert eleven.school == ""


def test_a_place_without_courses_that_is_a_school_is_still_told(db, district, canvas):
    new_school(db, district, canvas, ref="77")

    (place,) = schools.places(db, district)

    assert (place.ref, place.school, place.courses, place.examples) == ("77", "School 77", 0, ())


def test_a_new_school_writes_nothing_and_takes_its_courses_at_once(db, district, canvas, algebra):
    db.execute(update(courses_table).values(aligned_to="1/x"))

    done = fill(db, district, canvas, _11="North")

    (north,) = modes.school_modes(db, district)
    assert (north.name, north.mode, north.way) == ("North", Mode.SHADOW, PassbackWay.NONE)
    assert (done.made, done.places, done.courses) == (("North",), 1, 1)
    assert school_of(db, algebra) == "North"
    assert courses.course(db, algebra).aligned_to is None
    assert due.courses_due(db, district) == {algebra}


def test_a_school_that_there_is_keeps_its_mode_and_way(db, district, canvas, algebra):
    new_school(db, district, canvas, ref="5", mode=Mode.OFFICIAL)

    done = fill(db, district, canvas, _11="sCHOOL 5")

    assert done.made == ()
    assert school_of(db, algebra) == "School 5"
    assert ways.course_way(db, algebra).mode is Mode.OFFICIAL


def test_a_course_listed_later_is_of_the_school_that_its_account_is(db, district, canvas, algebra):
    fill(db, district, canvas, _11="North")

    late = new_course(db, district, canvas, "c9", school_ref=SchoolRef("11"))

    assert school_of(db, late) == "North"
    assert algebra != late


def test_a_place_of_no_school_any_more_gives_its_courses_back(db, district, canvas, algebra):
    fill(db, district, canvas, _11="North")

    fill(db, district, canvas, _11="")

    assert school_of(db, algebra) == ""
    assert schools.places(db, district)[0].school == ""
    courses.save_courses(db, canvas, [course_record(school_ref=SchoolRef("11"))], tenant=district)
    assert school_of(db, algebra) == ""


def test_what_is_so_already_changes_nothing(db, district, canvas, algebra):
    fill(db, district, canvas, _11="North")
    before = len(changes_of(db, district))

    done = fill(db, district, canvas, _11="north", _404="Nowhere")

    assert (done.made, done.places) == ((), 0)
    assert len(changes_of(db, district)) == before
    assert school_of(db, algebra) == "North"


@pytest.mark.usefixtures("algebra")
def test_the_trail_tells_what_became_which_school(db, district, canvas):
    fill(db, district, canvas, _11="North")

    told = {
        (one.subject, one.before, one.after)
        for one in changes_of(db, district)
        if one.kind is PolicyKind.SCHOOL
    }
    (place,) = schools.places(db, district)
    assert told == {("North", "", "made"), (place.called, "no school", "North")}
    assert place.called == f"account 11 of {place.lms}"


def test_a_place_of_another_district_is_passed_over(db, district, algebra):
    other = new_tenant(db, "Other")
    theirs = new_platform(db, other, "Theirs")
    foreign = new_course(db, other, theirs, school_ref=SchoolRef("11"))

    done = fill(db, district, theirs, _11="North")

    assert done.places == 0
    assert (school_of(db, foreign), school_of(db, algebra)) == ("", "")
    assert modes.school_modes(db, district) == ()


@pytest.mark.usefixtures("algebra")
def test_a_school_is_renamed_with_its_courses(db, district, canvas):
    fill(db, district, canvas, _11="Noth")

    assert rename(db, district, "North")

    assert [one.name for one in modes.school_modes(db, district)] == ["North"]
    newest = changes_of(db, district)[0]
    assert (newest.before, newest.after) == ("Noth", "North")


def test_no_two_schools_have_one_name(db, district, canvas):
    for ref in ("1", "2"):
        new_school(db, district, canvas, ref=ref)

    with pytest.raises(NameRefused, match="called so"):
        rename(db, district, "school 2")


@pytest.mark.parametrize(
    ("pattern", "name", "is_refused"),
    [("North", "South", True), ("No*", "Norden", False), ("No*", "South", True)],
)
def test_a_school_that_a_mapping_names_keeps_a_name_that_it_finds(
    db, district, canvas, algebra, pattern, name, is_refused
):
    fill(db, district, canvas, _11="North")
    publish(db, district, rule("N.1", school=pattern))

    if is_refused:
        with pytest.raises(NameRefused, match="“North”"):
            rename(db, district, name)
    else:
        rename(db, district, name)

    assert school_of(db, algebra) == ("North" if is_refused else name)


def test_a_school_of_another_district_is_not_renamed(db, district, canvas):
    new_school(db, district, canvas)
    other = new_tenant(db, "Other")
    (mine,) = modes.school_modes(db, district)

    assert not schools.rename(db, other, mine.id, name="Theirs", author=VERA)
    assert modes.school_modes(db, district) == (mine,)
