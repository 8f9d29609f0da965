"""Out of how many competencies a strand's marks count, looked at once in a run."""

import pytest

from store import due, gradebook, totals
from tests.store.places import NOW, align, column, competency_ids, new_course, publish, rule


@pytest.fixture
def biology(db, district, canvas):
    return new_course(db, district, canvas, "c2")


@pytest.fixture
def strand(db, district, algebra, biology):
    """Both courses speak for the first competency of one strand, and that was looked at."""
    publish(db, district)
    for course in (algebra, biology):
        gradebook.save_line_items(db, course, [column("quiz"), column("essay")])
        align(db, district, course, rule("N.1", line_item="quiz"))
    totals.refresh_totals(db, district, now=NOW)
    for course in (algebra, biology):
        due.settle(db, course, due.due_in(db, course))
    return competency_ids(db, district)["N"]


def test_what_is_looked_at_is_kept(db, strand):
    assert totals.totals_of(db, [strand]) == {strand: 1}


def test_a_total_that_stays_puts_nothing_down(db, district, strand):
    totals.refresh_totals(db, district, now=NOW)

    assert totals.totals_of(db, [strand]) == {strand: 1}
    assert due.courses_due(db, district) == frozenset()


def test_a_total_that_one_course_changes_puts_down_every_course_of_the_strand(
    db, district, strand, algebra, biology
):
    align(db, district, algebra, rule("N.1", line_item="quiz"), rule("N.2", line_item="essay"))

    totals.refresh_totals(db, district, now=NOW)

    assert totals.totals_of(db, [strand]) == {strand: 2}
    assert due.courses_due(db, district) == {algebra, biology}


def test_a_strand_that_nothing_speaks_for_any_more_has_no_total(
    db, district, strand, algebra, biology
):
    for course in (algebra, biology):
        align(db, district, course)

    totals.refresh_totals(db, district, now=NOW)

    assert totals.totals_of(db, [strand]) == {}
