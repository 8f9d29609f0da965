"""Mapping sets have versions; what they make of a course says who must be computed anew."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mapping.alignment import resolve
from mapping.records import WHATEVER_IS_LINKED, EvidenceKind, LearnerRef, MappingRule
from mapping.score_columns import ScoreColumns
from store import alignments, gradebook
from store.alignments import UnknownCompetencyError
from store.tables import alignments as alignment_rows
from store.tables import mapping_rules, mapping_sets
from tests.store.places import NOW, column, course_record, enrol, publish, rule, score

LATER = NOW + timedelta(days=1)
DIGEST_OF_0017 = "f7211097e709334f91141e0e5c5c1eab5ae4faab16c30f575b1f71933e37c213"
"""What the release before rules knew of schools made of two rules."""


@pytest.fixture
def items(db, algebra):
    return gradebook.save_line_items(
        db, algebra, [column("quiz"), column("test"), column("essay", criteria=("form",))]
    )


@pytest.fixture
def scored(db, algebra, items):
    """Ada has a score in the quiz, Bo one in the test."""
    learners = enrol(db, algebra, "ada", "bo")
    opened = gradebook.start_reading(db, algebra, items=items, learners=learners)
    page = [score("quiz", "ada", 7.0), score("test", "bo", 5.0)]
    gradebook.save_scores(db, opened, ScoreColumns.of(page), now=NOW, run=None)
    return learners


def align(db, district, algebra, items, *rules):
    columns = [column("quiz"), column("test"), column("essay", criteria=("form",))]
    resolved = resolve(rules, course_record(), columns)
    return alignments.save_alignments(db, algebra, resolved, items=items, tenant=district)


def weights(connection):
    return set(connection.execute(select(alignment_rows.c.weight)).scalars())


def test_a_district_without_a_mapping_has_none_in_force(db, district):
    assert not alignments.has_mapping(db, district)
    assert alignments.rules_in_force(db, district) == ()
    with pytest.raises(LookupError, match=f"Tenant {district} has no mapping set"):
        alignments.current_mapping(db, district)


def test_published_rules_are_in_force_in_their_order(db, district):
    rules = (
        rule("N.2", course="Alg*", line_item="Q*", category="C", criterion="r", weight=2.0),
        rule("N.1", kind=EvidenceKind.RECALL),
    )

    published = publish(db, district, *rules)

    assert alignments.rules_in_force(db, district) == rules
    assert alignments.current_mapping(db, district) == published
    assert alignments.has_mapping(db, district)


def test_publishing_the_same_rules_again_changes_nothing(db, district):
    first = publish(db, district, rule("N.1"))

    assert publish(db, district, rule("N.1"), now=LATER) == first
    assert len(db.execute(select(mapping_sets)).all()) == 1


def test_other_rules_are_a_new_version_and_the_former_is_kept(db, district):
    publish(db, district, rule("N.1"))
    publish(db, district, rule("N.2"), now=LATER)

    kept = select(mapping_sets.c.version, mapping_sets.c.published_at)
    rows = db.execute(kept.order_by(mapping_sets.c.version)).all()
    assert [tuple(row) for row in rows] == [(1, NOW), (2, LATER)]
    assert len(db.execute(select(mapping_rules)).all()) == 2
    assert alignments.rules_in_force(db, district) == (rule("N.2"),)


def test_a_mapping_without_rules_can_be_published(db, district):
    publish(db, district)

    assert alignments.has_mapping(db, district)
    assert alignments.rules_in_force(db, district) == ()


def test_every_competency_that_is_not_there_is_named(db, district):
    with pytest.raises(UnknownCompetencyError) as refused:
        publish(db, district, rule("N.9"), rule("N.1"), rule("N.8"))

    assert refused.value.missing == (("F", "N.8"), ("F", "N.9"))
    assert "'N.8' of 'F'" in str(refused.value)


def test_a_score_counts_for_what_its_line_item_speaks_for(db, district, algebra, items):
    publish(db, district)

    align(db, district, algebra, items, rule("N.1", line_item="quiz", weight=3.0))

    (found,) = db.execute(select(alignment_rows)).all()
    assert (found.line_item_id, found.weight, found.kind) == (items["quiz", None], 3.0, "skill")


def test_the_first_rule_wins(db, district, algebra, items):
    publish(db, district)

    align(db, district, algebra, items, rule("N.1", weight=2.0), rule("N.1", weight=5.0))

    assert weights(db) == {2.0}


def test_learners_whose_alignment_changed_are_to_be_recomputed(
    db, district, algebra, items, scored
):
    publish(db, district)
    align(db, district, algebra, items, rule("N.1", line_item="quiz"))

    touched = align(
        db, district, algebra, items, rule("N.1", line_item="quiz"), rule("N.1", line_item="test")
    )

    assert touched == (scored[LearnerRef("bo")],)


def test_alignments_as_they_were_touch_nobody(db, district, algebra, items, scored):
    publish(db, district)
    first = align(db, district, algebra, items, rule("N.1"))

    again = align(db, district, algebra, items, rule("N.1"))

    assert sorted(first) == sorted(scored.values())
    assert again == ()


def test_another_weight_touches_learners_with_a_score(db, district, algebra, items, scored):
    publish(db, district)
    align(db, district, algebra, items, rule("N.1", line_item="quiz"))

    touched = align(db, district, algebra, items, rule("N.1", line_item="quiz", weight=2.0))

    assert touched == (scored[LearnerRef("ada")],)
    assert weights(db) == {2.0}


def test_an_alignment_that_is_gone_touches_learners_with_a_score(
    db, district, algebra, items, scored
):
    publish(db, district)
    align(db, district, algebra, items, rule("N.1", line_item="quiz"))

    touched = align(db, district, algebra, items)

    assert touched == (scored[LearnerRef("ada")],)
    assert weights(db) == set()


def test_alignments_of_columns_not_kept_are_passed_over(db, district, algebra, items):
    publish(db, district)
    kept = {key: number for key, number in items.items() if key[0] == "quiz"}

    align(db, district, algebra, kept, rule("N.1"))

    assert set(db.execute(select(alignment_rows.c.line_item_id)).scalars()) == set(kept.values())


def test_the_digest_of_rules_without_later_parts_is_what_it_was():
    rules = (rule("N.1", line_item="quiz"), rule("N.2", course="a", weight=2.0))

    assert alignments.rules_digest(rules) == DIGEST_OF_0017


def test_a_school_is_told_in_the_digest():
    assert alignments.rules_digest([rule("N.1", school="x")]) != alignments.rules_digest(
        [rule("N.1")]
    )


def test_rules_by_links_and_by_school_are_kept_in_their_order(db, district):
    rules = (
        rule("N.1", school="north*"),
        rule(WHATEVER_IS_LINKED, course="a*", weight=2.0),
        rule("N.2", line_item="quiz"),
    )

    publish(db, district, *rules)

    assert alignments.rules_in_force(db, district) == rules


def test_links_to_a_framework_that_is_not_there_are_refused(db, district):
    with pytest.raises(alignments.UnknownCompetencyError, match="'\\*' of 'G'"):
        publish(db, district, MappingRule(framework="G", competency=WHATEVER_IS_LINKED))
