"""How far a district has come is read from what is there."""

from datetime import timedelta

from mapping.records import CourseState
from store import readings
from store.first_steps import FirstSteps, first_steps
from store.policy_changes import Author, PolicyKind, record_change
from store.readings import Finished
from tests.store.places import NOW, new_course, new_tenant, publish, rule, set_rule
from tests.store.test_past_runs import over

DAY = 24


def test_an_empty_district_has_done_nothing(db, district):
    assert first_steps(db, district) == FirstSteps(
        courses_found=0,
        courses_read=0,
        frameworks=0,
        competencies=0,
        mapping_rules=0,
        mapped_at=None,
        rules_set=0,
        choices=0,
        judged_at=None,
    )


def test_a_course_is_found_before_it_is_read_and_over_when_it_is_concluded(db, district, canvas):
    read = new_course(db, district, canvas)
    new_course(db, district, canvas, "c2")
    new_course(db, district, canvas, "c3", state=CourseState.CONCLUDED)
    readings.finish_reading(db, read, Finished(cursor=None, basis="", is_sweep=True), now=NOW)

    found = first_steps(db, district)

    assert (found.courses_found, found.courses_read) == (2, 1)


def test_a_mapping_a_rule_and_a_choice_are_counted_for_their_own_district(db, district, canvas):
    other = new_tenant(db, "Other")
    publish(db, district, rule("N.1"), rule("N.2"))
    set_rule(db, district)
    author = Author(by="Vera", at=NOW)
    record_change(db, district, author.change(PolicyKind.FIRST_YES, "not agreed", "agreed"))
    record_change(db, district, author.change(PolicyKind.RETRY, "failed", "tried again: 1"))
    new_course(db, district, canvas)

    found, theirs = first_steps(db, district), first_steps(db, other)

    assert (found.mapping_rules, found.mapped_at) == (2, NOW)
    assert (found.rules_set, found.choices) == (1, 1)
    assert found.frameworks >= 1
    assert found.competencies >= 2
    assert (theirs.mapping_rules, theirs.rules_set, theirs.choices) == (0, 0, 0)


def test_a_night_counts_that_had_a_mapping_to_go_by(db, district, canvas):
    over(db, district, canvas)
    publish(db, district, rule("N.1"), now=NOW + timedelta(hours=1))
    before = first_steps(db, district).judged_at

    over(db, district, canvas, hour=DAY)

    assert before is None
    assert first_steps(db, district).judged_at == NOW + timedelta(hours=DAY)
