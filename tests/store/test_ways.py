"""Ways of courses and schools: a course's own goes before its school's."""

from datetime import timedelta

import pytest

from mapping.records import ColumnRef, PassbackWay
from store import courses, frameworks, outbox, ways
from tests.store.places import (
    BY,
    NOW,
    enrol,
    new_course,
    new_platform,
    new_school,
    new_tenant,
    publish,
)

COUNTED = PassbackWay.MARK_COUNTED


class Place:
    """A school that goes by words, with two courses, and a course of no school."""

    def __init__(self, connection):
        self.tenant = new_tenant(connection)
        platform = new_platform(connection, self.tenant)
        new_school(connection, self.tenant, platform)
        self.algebra = new_course(connection, self.tenant, platform, sis_id="A-1")
        self.other = new_course(connection, self.tenant, platform, "c2", title="Zoology", code="1")
        self.lost = new_course(connection, self.tenant, platform, "c3", school_ref="s9")


@pytest.fixture
def place(db):
    return Place(db)


def way(connection, course):
    return courses.course(connection, course).way


def test_a_course_goes_by_its_school_until_it_has_a_way_of_its_own(db, place):
    before = way(db, place.algebra)

    ways.set_course_way(db, place.algebra, COUNTED, counted_from=NOW, author=BY)

    assert (before, way(db, place.algebra)) == (PassbackWay.WORDS, COUNTED)
    assert way(db, place.other) is PassbackWay.WORDS
    assert courses.course(db, place.algebra).counted_from == NOW


def test_another_choice_ends_an_agreement_and_the_dry_run_before_it(db, place):
    ways.note_preview(db, place.algebra, NOW)
    ways.set_course_way(db, place.algebra, COUNTED, counted_from=NOW, author=BY)

    ways.set_course_way(db, place.algebra, None, author=BY)

    (found,) = ways.course_ways(db, place.tenant, called="A-1")
    assert (found.own, found.counted_from, found.previewed_at) == (None, None, None)


@pytest.mark.parametrize(("hours", "is_previewed"), [(0, True), (24, True), (25, False)])
def test_a_dry_run_holds_for_a_day(db, place, hours, is_previewed):
    ways.note_preview(db, place.algebra, NOW)

    (found,) = ways.course_ways(db, place.tenant, called="A-1")

    assert found.is_previewed(NOW + timedelta(hours=hours)) is is_previewed


def test_a_schools_way_is_that_of_its_courses(db, place):
    is_done = ways.set_school_way(db, place.tenant, "School s1", way=PassbackWay.NONE, author=BY)

    assert is_done
    assert way(db, place.other) is PassbackWay.NONE
    assert not ways.set_school_way(db, place.tenant, "Nowhere", way=PassbackWay.WORDS, author=BY)
    assert ways.school_names(db, place.tenant) == ("School s1",)


def test_a_course_of_no_school_is_written_nowhere(db, place):
    found = {one.id: one for one in ways.course_ways(db, place.tenant)}

    assert (found[place.lost].way, found[place.lost].school) == (PassbackWay.NONE, "")


def test_courses_are_named_by_number_title_code_or_sis_id(db, place):
    def named(called):
        return {one.id for one in ways.course_ways(db, place.tenant, called=called)}

    assert named("Zoology") == {place.other}
    assert named(str(place.algebra)) >= {place.algebra}
    assert named("A-1") == {place.algebra}
    assert named("Nothing") == set()


def test_columns_are_counted_by_the_way_they_were_made_for(db, place):
    publish(db, place.tenant)
    strand = next(one.id for one in frameworks.competencies_of(db, place.tenant))
    for made in (PassbackWay.WORDS, COUNTED):
        outbox.save_column(db, place.algebra, strand, way=made, ref=ColumnRef("1"), now=NOW)

    assert ways.column_counts(db, place.algebra) == {PassbackWay.WORDS: 1, COUNTED: 1}


def test_learners_have_names(db, place):
    ids = enrol(db, place.algebra, "ada", "bo")

    found = ways.learner_names(db, list(ids.values()))

    assert found == {ids["ada"]: "Ada", ids["bo"]: "Bo"}
