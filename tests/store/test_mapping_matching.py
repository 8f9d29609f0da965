"""What a rule would match, what a set covers, and what drifted since it was published."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from mapping.records import WHATEVER_IS_LINKED, Criterion, Grading
from store import gradebook
from store.frameworks import save_framework
from store.mapping_matching import (
    course_coverage,
    drift,
    is_watched,
    mapped_titles,
    rule_matches,
    survey,
    unused_links,
)
from store.tables import line_items
from tests.store.places import (
    FRAMEWORK,
    column,
    new_course,
    new_platform,
    new_school,
    new_tenant,
    rule,
)
from tests.store.test_mapping_drafts import release


@pytest.fixture
def books(db, district, canvas, algebra):
    """Two courses, and one of another district."""
    save_framework(db, district, FRAMEWORK)
    biology = new_course(db, district, canvas, "c2", title="Biology", code="BIO")
    other = new_tenant(db, "Other")
    foreign = new_course(db, other, new_platform(db, other, "Their Canvas"), "c3")
    columns = [
        column("quiz"),
        column("essay", criteria=("form", "style"), category="Work"),
        column("draft", is_published=False),
        column("comments", grading=Grading.NOT_GRADED, criteria=("form",)),
    ]
    gradebook.save_line_items(db, algebra, columns)
    gradebook.save_line_items(db, foreign, columns)
    gradebook.save_line_items(db, biology, [column("quiz"), column("lab")])
    return algebra, biology


@pytest.mark.parametrize(
    ("patterns", "courses", "items"),
    [
        ({"line_item": "QUIZ"}, 2, 2),
        ({"line_item": "quiz", "course": "bio*"}, 1, 1),
        ({"category": "work"}, 2, 1),
        ({"criterion": "*"}, 2, 2),
        ({"criterion": "form", "course": "ALG"}, 1, 1),
        ({"line_item": "nothing"}, 2, 0),
        ({"course": "nothing"}, 0, 0),
    ],
)
@pytest.mark.usefixtures("books")
def test_a_rule_matches_what_can_be_evidence_of_its_own_district(
    db, district, patterns, courses, items
):
    found = rule_matches(db, district, rule("N.1", **patterns))

    assert (found.courses, found.all_courses) == (courses, 2)
    assert (found.items, found.all_items) == (items, 4)
    assert found.is_nothing is (items == 0)
    assert not found.is_everything


@pytest.mark.usefixtures("books")
def test_a_rule_that_matches_everything_is_known_and_shows_examples(db, district):
    found = rule_matches(db, district, rule("N.1", line_item="*"))

    assert found.is_everything
    assert ("essay", "Algebra") in found.examples


def test_where_nothing_was_read_a_rule_is_not_blamed(db, district):
    assert not rule_matches(db, district, rule("N.1", line_item="x")).is_nothing


def test_a_set_is_surveyed_over_all_courses(db, district, books):
    _, biology = books
    rules = (
        rule("N.1", line_item="quiz"),
        rule("N.1", course="bio*", line_item="q*"),
        rule("N.2", criterion="style"),
        rule("L.1", line_item="nothing"),
    )

    found = survey(db, district, rules)

    assert dict(found.hits) == {0: 2, 1: 1, 2: 1}
    assert found.reached == {("F", "N.1"), ("F", "N.2")}
    assert (found.items, dict(found.unmapped)) == (4, {biology: 1})
    assert found.doubles_count == 1
    assert [(one.course, one.item, one.rules) for one in found.doubles] == [
        ("Biology", "quiz", [1, 2])
    ]


def test_one_course_is_shown_with_the_rule_behind_each_cell(db, district, books):
    _, biology = books
    rules = (rule("N.1", line_item="quiz"), rule("N.1", course="bio*"))

    found = course_coverage(db, district, rules[:1], course=biology)
    both = course_coverage(db, district, rules, course=biology)

    assert [one.title for one in found.items] == ["quiz"]
    assert [one.title for one in found.unmapped] == ["lab"]
    assert sorted(both.cells.values()) == [[0, 1], [1]]


def test_names_that_speak_for_something_are_known(db, district, books):
    assert books
    release(db, district, rule("N.1", line_item="quiz"))

    ((title, _),) = mapped_titles(db, district)
    assert title == "quiz"


def test_what_is_renamed_or_gone_since_publication_drifted(db, district, books):
    algebra, biology = books
    first = is_watched(db, district)
    release(db, district, rule("N.1", line_item="quiz"), rule("N.2", criterion="form"))
    before = drift(db, district)
    for condition, change in (
        ((line_items.c.course_id == biology) & (line_items.c.ref == "quiz"), {"is_removed": True}),
        (
            (line_items.c.course_id == algebra) & (line_items.c.criterion_ref == "form"),
            {"criterion": "shape"},
        ),
    ):
        db.execute(update(line_items).where(condition).values(**change))

    found = drift(db, district)

    assert not first
    assert is_watched(db, district)
    assert before == ()
    assert [(one.course, one.then, one.now, one.rules) for one in found] == [
        ("Algebra", "essay: form", "essay: shape", [2]),
        ("Biology", "quiz", None, [1]),
    ]


def test_a_school_pattern_is_tried_by_the_names_of_schools(db, district, canvas, books):
    assert books
    new_school(db, district, canvas, ref="s9")
    new_course(db, district, canvas, "c9", school_ref="s9")

    found = [rule_matches(db, district, rule("N.1", school=one)) for one in ("school s9", "s9")]

    assert [(one.courses, one.all_courses) for one in found] == [(1, 3), (0, 3)]


LINKED = rule(WHATEVER_IS_LINKED)


@pytest.fixture
def linked(db, algebra, books):
    """A rubric whose rows were taken from outcomes: one known by its GUID, one by no name."""
    names = {"count": ("n1", "Counting"), "add": ("gone", "N.2"), "sing": ("x9", "Singing")}
    rows = tuple(
        Criterion(ref=ref, title=ref, maximum=4.0, links=(link,)) for ref, link in names.items()
    )
    task = replace(column("task", criteria=()), criteria=rows)
    gradebook.save_line_items(db, algebra, [column("quiz"), task])
    return books


@pytest.mark.usefixtures("linked")
def test_a_rule_by_links_tells_what_it_finds_and_what_no_framework_has(db, district):
    found = rule_matches(db, district, LINKED)
    narrow = rule_matches(db, district, rule(WHATEVER_IS_LINKED, criterion="a*"))

    assert (found.items, found.is_nothing, found.is_everything) == (2, False, False)
    assert found.links.competencies == ["N.1", "N.2"]
    assert (found.links.unknown, found.links.unknown_count) == (["x9"], 1)
    assert ("task: count", "Algebra") in found.examples
    assert (narrow.items, narrow.links.competencies) == (1, ["N.2"])


def test_a_set_with_links_is_surveyed_by_what_they_mean(db, district, linked):
    algebra, _ = linked
    both = (LINKED, rule("N.2", criterion="add"))

    found = survey(db, district, both)
    table = course_coverage(db, district, both, course=algebra)

    assert dict(found.hits) == {0: 2, 1: 1}
    assert found.reached == {("F", "N.1"), ("F", "N.2")}
    assert dict(found.strange) == {"x9": 1}
    assert [(one.item, one.competency) for one in found.doubles] == [("task: add", "N.2")]
    assert [one.name for one in table.items] == ["task: count", "task: add"]
    assert sorted(table.cells.values()) == [[0], [0, 1]]
    assert not survey(db, district, both[1:]).strange


def test_links_that_no_rule_goes_by_are_suggested(db, district, linked):
    algebra, biology = linked

    found = unused_links(db, district, (), course=algebra)

    assert found == {"F": 2}
    assert unused_links(db, district, (rule("N.2", criterion="a*"),), course=algebra) == {"F": 1}
    assert not unused_links(db, district, (LINKED,), course=algebra)
    assert not unused_links(db, district, (), course=biology)
