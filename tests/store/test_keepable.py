"""What no database keeps never stops a course."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from mapping.records import LearnerRef
from store import courses, gradebook
from store.item_rows import known_line_items
from store.keepable import keepable_items, keepable_people
from store.tables import learners, line_items
from tests.store.places import column, pupil

UNKEEPABLE = ["half \ud83d", "nul \x00 in it", "w" * 2000]


@pytest.mark.parametrize("words", UNKEEPABLE)
def test_names_and_titles_lose_what_cannot_be_kept(db, algebra, words):
    people = keepable_people([pupil("ada", name=words, sis_id="7")])
    items = keepable_items([column(words[:9] if len(words) > 1024 else "quiz", category=words)])

    courses.save_enrolments(db, algebra, people)
    gradebook.save_line_items(db, algebra, items)

    name = db.execute(select(learners.c.name)).scalar_one()
    category = db.execute(select(line_items.c.category)).scalar_one()
    assert name == category
    assert name == {0: "half ", 1: "nul  in it", 2: "w" * 512}[UNKEEPABLE.index(words)]


@pytest.mark.parametrize("ref", UNKEEPABLE)
def test_what_cannot_be_named_is_passed_over(ref):
    assert keepable_people([pupil(ref), pupil("bo")]) == keepable_people([pupil("bo")])
    assert keepable_items([column(ref), column("quiz")]) == keepable_items([column("quiz")])


@pytest.mark.parametrize("ref", UNKEEPABLE)
def test_a_criterion_that_cannot_be_named_is_passed_over_and_its_column_is_not(ref):
    (item,) = keepable_items([column("essay", criteria=(ref, "form"))])

    assert [one.ref for one in item.criteria] == ["form"]


@pytest.mark.parametrize("sis_id", UNKEEPABLE)
def test_a_sis_id_that_cannot_be_kept_is_none(sis_id):
    (one,) = keepable_people([pupil("ada", sis_id=sis_id)])

    assert (one.person.ref, one.person.sis_id) == (LearnerRef("ada"), None)


@pytest.mark.parametrize("edge", [float("nan"), float("inf")])
def test_a_range_without_an_end_has_no_points_to_give(db, algebra, edge):
    items = keepable_items([column("quiz", maximum=edge), column("test", maximum=5.0)])

    gradebook.save_line_items(db, algebra, items)

    found = db.execute(select(line_items.c.maximum).order_by(line_items.c.ref)).scalars().all()
    assert found == [0.0, 5.0]


def test_what_can_be_kept_is_left_as_it_is():
    people, items = [pupil("ada", name="Ada Ø 🌊", sis_id="7")], [column("quiz", criteria=("a",))]

    assert (list(keepable_people(people)), list(keepable_items(items))) == (people, items)


def test_a_link_by_a_name_that_cannot_be_kept_is_none(db, algebra):
    links = (("nul \x00", "N.1"), ("half \ud83d",), ("x" * 600,))
    (item,) = keepable_items([replace(column("essay"), links=links)])

    gradebook.save_line_items(db, algebra, [item])
    ((kept,), _) = known_line_items(db, algebra)

    assert kept.links == (("N.1",),)
