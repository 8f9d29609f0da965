"""Drafts of mapping sets: changed freely, published whole, and taken back in one step."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from mapping.records import WHATEVER_IS_LINKED, Criterion, LearnerRef
from mapping.score_columns import ScoreColumns
from mapping.steps import packed, passed_from
from store import alignments, gradebook, mapping_drafts, mapping_publishing, readings, waiting
from store.alignments import UnknownCompetencyError
from store.courses import course as stored_course
from store.due import courses_due
from store.frameworks import save_framework
from store.mapping_drafts import Editor, TooManyRules
from store.mapping_publishing import Publication, PublishingRefused
from store.policy_changes import Author, PolicyKind, changes_of
from store.readings import Finished
from store.remapping import effect_on_alignments
from store.score_tables import alignment_table
from store.second_person import set_needs_second
from store.tables import alignments as alignment_rows
from store.tables import competencies, mapping_matches, mapping_sets
from tests.store.places import FRAMEWORK, NOW, column, enrol, new_tenant, publish, rule, score

LATER = NOW + timedelta(days=1)
VERA = Editor(author=Author(by="Vera", at=LATER, reason="Better."), key="1/vera")
OMAR = Editor(author=Author(by="Omar", at=LATER), key="1/omar")
QUIZ, TEST = rule("N.1", line_item="quiz"), rule("N.2", line_item="test", weight=2.0)


@pytest.fixture
def framework(db, district):
    save_framework(db, district, FRAMEWORK)


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


def draft(db, district, *rules, title="Spring", editor=VERA):
    return mapping_drafts.new_draft(db, district, title, editor=editor, rules=rules)


def publication(db, number, *, by=VERA, begins=None):
    seen = mapping_drafts.draft_digest(db, number)
    return Publication(by=by, effective_from=begins, seen=seen)


def release(db, district, *rules, **more):
    number = draft(db, district, *rules)
    return mapping_publishing.publish_draft(
        db, district, number, publication=publication(db, number, **more)
    )


def change(db, district, number, edit, *, editor=VERA):
    held = mapping_drafts.find_draft(db, district, number)
    mapping_drafts.change_rules(db, district, held, editor=editor, change=edit)


def append(new):
    def edit(rules):
        rules.append(new)
        return "", mapping_drafts.rule_words(new)

    return edit


def waits(db, district):
    return set(waiting.waiting_in(db, district, part=0, parts=1).learners.tolist())


def aligned(db):
    return {
        (row.line_item_id, row.weight)
        for row in db.execute(select(alignment_rows.c.line_item_id, alignment_rows.c.weight))
    }


@pytest.mark.usefixtures("framework")
def test_a_draft_holds_its_rules_in_order_and_nothing_of_it_is_in_force(db, district):
    number = draft(db, district, QUIZ, TEST)

    (held,) = mapping_drafts.drafts_of(db, district)
    assert mapping_drafts.rules_in(db, number) == (QUIZ, TEST)
    assert (held.title, held.author, held.rules) == ("Spring", "Vera", 2)
    assert not alignments.has_mapping(db, district)


@pytest.mark.usefixtures("framework")
def test_every_change_of_a_draft_is_in_the_trail(db, district):
    number = draft(db, district)

    change(db, district, number, append(QUIZ), editor=OMAR)

    newest = changes_of(db, district)[0]
    assert (newest.kind, newest.subject, newest.by) == (PolicyKind.MAPPING, "Spring", "Omar")
    assert newest.after == "N.1: line item quiz (skill, weight 1)"
    assert mapping_drafts.find_draft(db, district, number).changed_by == OMAR.key


@pytest.mark.usefixtures("framework")
def test_a_rule_for_a_competency_that_is_not_there_is_refused(db, district):
    number = draft(db, district)

    with pytest.raises(UnknownCompetencyError):
        change(db, district, number, append(rule("N.9")))


@pytest.mark.usefixtures("framework")
def test_a_draft_of_another_district_is_not_there(db, district):
    other = new_tenant(db, "Other")

    assert mapping_drafts.find_draft(db, other, draft(db, district)) is None


@pytest.mark.usefixtures("framework")
def test_a_draft_thrown_away_is_gone_with_its_rules(db, district):
    number = draft(db, district, QUIZ)
    held = mapping_drafts.find_draft(db, district, number)

    mapping_drafts.discard(db, district, held, author=VERA.author)

    assert mapping_drafts.drafts_of(db, district) == ()
    assert mapping_drafts.rules_in(db, number) == ()


@pytest.mark.usefixtures("framework")
def test_publishing_applies_the_rules_at_once_and_marks_whom_it_concerns(
    db, district, algebra, items, scored
):
    version = release(db, district, QUIZ)

    assert version.version == 1
    assert (version.title, version.author, version.reason) == ("Spring", "Vera", "Better.")
    assert aligned(db) == {(items["quiz", None], 1.0)}
    assert waits(db, district) == {scored[LearnerRef("ada")]}
    assert algebra in courses_due(db, district)
    assert mapping_drafts.drafts_of(db, district) == ()


@pytest.mark.usefixtures("scored")
def test_publishing_again_changes_only_what_is_otherwise(db, district, items):
    publish(db, district, QUIZ)
    release(db, district, QUIZ, rule("N.1", line_item="test"))

    release(db, district, rule("N.1", line_item="quiz", weight=3.0))

    assert aligned(db) == {(items["quiz", None], 3.0)}


@pytest.mark.usefixtures("framework", "items")
def test_publishing_agrees_with_what_a_night_would_align(db, district, algebra):
    rules = [
        rule("N.1", criterion="f*"),
        rule("N.1", line_item="quiz", weight=2.0),
        rule("N.1", weight=5.0),
    ]
    release(db, district, *rules)

    from mapping.alignment import resolve
    from store.item_rows import known_line_items

    known, keys = known_line_items(db, algebra)
    again = resolve(rules, stored_course(db, algebra).record, known)

    assert len(aligned(db)) == 4
    assert alignments.save_alignments(db, algebra, again, items=keys, tenant=district) == ()
    assert len(aligned(db)) == 4


@pytest.mark.usefixtures("items")
def test_a_course_that_was_read_to_the_end_need_not_be_read_for_the_new_mapping(
    db, district, algebra
):
    first = publish(db, district, TEST)
    course = stored_course(db, algebra)
    basis = readings.alignment_basis(first, course)
    readings.finish_reading(db, algebra, Finished(cursor=None, basis=basis, is_sweep=True), now=NOW)

    version = release(db, district, QUIZ)

    assert stored_course(db, algebra).aligned_to == readings.alignment_basis(version.id, course)


@pytest.mark.usefixtures("items")
def test_a_course_that_was_not_read_to_the_end_still_is_to_be(db, district, algebra):
    publish(db, district, TEST)

    release(db, district, QUIZ)

    assert stored_course(db, algebra).aligned_to is None


@pytest.mark.usefixtures("scored")
def test_the_effect_is_told_and_nothing_is_changed(db, district, algebra):
    publish(db, district)
    release(db, district, QUIZ)
    before = aligned(db)

    found = effect_on_alignments(
        db, district, (rule("N.1", line_item="quiz", weight=2.0), rule("N.2", line_item="test"))
    )

    assert (found.added, found.removed, found.changed) == (1, 0, 1)
    assert [(one.id, one.title) for one in found.courses] == [(algebra, "Algebra")]
    assert found.learners == 2
    assert {(one.item, one.competency) for one in found.examples} == {
        ("quiz", "N.1"),
        ("test", "N.2"),
    }
    assert aligned(db) == before


@pytest.mark.usefixtures("framework")
def test_a_draft_changed_since_it_was_looked_at_is_not_published(db, district):
    number = draft(db, district, QUIZ)
    looked_at = publication(db, number)
    change(db, district, number, append(TEST), editor=OMAR)

    with pytest.raises(PublishingRefused, match="changed since you looked"):
        mapping_publishing.publish_draft(db, district, number, publication=looked_at)


@pytest.mark.usefixtures("framework")
def test_rules_in_force_already_are_not_published_again(db, district):
    release(db, district, QUIZ)

    with pytest.raises(PublishingRefused, match="in force already"):
        release(db, district, QUIZ)


@pytest.mark.usefixtures("framework")
def test_where_a_second_person_is_wanted_who_changed_it_last_may_not_publish(db, district):
    set_needs_second(db, district, is_needed=True, author=VERA.author)
    number = draft(db, district, QUIZ)

    with pytest.raises(PublishingRefused, match="second person"):
        mapping_publishing.publish_draft(db, district, number, publication=publication(db, number))

    other = publication(db, number, by=OMAR)
    assert mapping_publishing.publish_draft(db, district, number, publication=other) is not None
    assert changes_of(db, district)[-1].after == "by a second person"


@pytest.mark.usefixtures("framework")
def test_a_draft_for_a_day_to_come_waits_for_the_first_night_from_then_on(db, district, items):
    day = LATER + timedelta(days=3)
    assert release(db, district, QUIZ, begins=day) is None

    mapping_publishing.publish_due(db, district, now=day - timedelta(seconds=1))
    too_early = alignments.has_mapping(db, district)
    mapping_publishing.publish_due(db, district, now=day)

    assert not too_early
    (version,) = mapping_publishing.versions_of(db, district)
    assert (version.author, version.reason) == ("Vera", "Better.")
    assert (version.published_at, version.effective_from) == (day, day)
    assert aligned(db) == {(items["quiz", None], 1.0)}


@pytest.mark.usefixtures("framework")
def test_changing_a_draft_that_waits_takes_it_off_the_calendar(db, district):
    day = LATER + timedelta(days=3)
    release(db, district, QUIZ, begins=day)
    (held,) = mapping_drafts.drafts_of(db, district)

    change(db, district, held.id, append(TEST))
    mapping_publishing.publish_due(db, district, now=day)

    assert not alignments.has_mapping(db, district)


@pytest.mark.usefixtures("framework")
def test_what_waits_for_competencies_that_are_gone_stays_a_draft_and_says_so(db, district):
    day = LATER + timedelta(days=3)
    release(db, district, QUIZ, begins=day)
    db.execute(update(competencies).where(competencies.c.code == "N.1").values(is_archived=True))

    mapping_publishing.publish_due(db, district, now=day)

    (held,) = mapping_drafts.drafts_of(db, district)
    assert held.scheduled_by is None
    assert "still a draft: The mapping names 1 competencies" in changes_of(db, district)[0].after
    assert not alignments.has_mapping(db, district)


@pytest.mark.usefixtures("framework")
def test_a_day_that_has_been_is_kept_and_the_rules_hold_at_once(db, district):
    version = release(db, district, QUIZ, begins=NOW - timedelta(days=30))

    assert version.effective_from == NOW - timedelta(days=30)
    assert version.published_at == LATER


@pytest.mark.usefixtures("scored")
def test_rolling_back_publishes_the_former_rules_as_a_new_version(db, district, items):
    publish(db, district, QUIZ)
    release(db, district, TEST)

    version = mapping_publishing.roll_back(db, district, 1, author=VERA.author)

    assert (version.version, version.restored) == (3, 1)
    assert alignments.rules_in_force(db, district) == (QUIZ,)
    assert aligned(db) == {(items["quiz", None], 1.0)}
    assert [one.is_in_force for one in mapping_publishing.versions_of(db, district)] == [
        True,
        False,
        False,
    ]
    assert changes_of(db, district)[0].after == ("version 3 in force, again the rules of version 1")


def test_rolling_back_to_what_is_in_force_or_never_was_changes_nothing(db, district):
    publish(db, district, QUIZ)

    assert mapping_publishing.roll_back(db, district, 9, author=VERA.author) is None
    with pytest.raises(PublishingRefused, match="are in force"):
        mapping_publishing.roll_back(db, district, 1, author=VERA.author)
    assert len(db.execute(select(mapping_sets)).all()) == 1


@pytest.mark.usefixtures("framework")
def test_what_each_line_item_was_called_and_matched_is_kept(db, district, items):
    release(db, district, rule("N.1", line_item="nothing"), QUIZ, rule("N.2", criterion="form"))

    rows = db.execute(select(mapping_matches).order_by(mapping_matches.c.line_item_id))
    assert [tuple(row)[1:] for row in rows] == [
        (items["quiz", None], "quiz", "", "1"),
        (items["essay", "form"], "essay", "form", "2"),
    ]


@pytest.mark.usefixtures("framework")
def test_a_set_has_no_more_rules_than_it_can_have(db, district, monkeypatch):
    monkeypatch.setattr(mapping_drafts, "MOST_RULES", 1)

    with pytest.raises(TooManyRules, match="at most 1 rules"):
        draft(db, district, QUIZ, TEST)
    with pytest.raises(TooManyRules):
        change(db, district, draft(db, district, QUIZ), append(TEST))


@pytest.mark.usefixtures("scored")
def test_rolling_back_is_refused_where_another_version_is_in_force_than_was_seen(db, district):
    publish(db, district, QUIZ)
    release(db, district, TEST)

    with pytest.raises(PublishingRefused, match="Version 2 is in force by now"):
        mapping_publishing.roll_back(db, district, 1, author=VERA.author, seen=1)


def test_a_set_by_links_is_told_beforehand_published_and_taken_back(
    db, district, algebra, framework
):
    assert framework is None
    rows = tuple(
        Criterion(ref=ref, title=ref, maximum=4.0, links=((name,),))
        for ref, name in (("a", "n1"), ("b", "N.2"), ("c", "gone"))
    )
    gradebook.save_line_items(db, algebra, [replace(column("task"), criteria=rows)])
    linked = rule(WHATEVER_IS_LINKED, school="*", weight=2.0)
    release(db, district, rule("N.1", criterion="a"))

    effect = effect_on_alignments(db, district, [linked])
    number = draft(db, district, linked, QUIZ)
    held = mapping_drafts.draft_rules(db, number)
    release(db, district, linked)
    present = {row.weight for row in db.execute(select(alignment_rows))}
    matched = db.execute(select(mapping_matches.c.rules).distinct()).scalars().all()
    mapping_publishing.roll_back(db, district, 1, author=VERA.author)

    assert (effect.added, effect.removed, effect.changed) == (1, 0, 1)
    assert [one.competency for one in effect.examples] == ["N.1", "N.2"]
    assert [(one.rule, one.statement) for one in held] == [(linked, "Mathematics"), (QUIZ, "Count")]
    assert (present, matched) == ({2.0}, ["0"])
    assert alignments.rules_in_force(db, district) == (rule("N.1", criterion="a"),)
    assert mapping_drafts.rule_words(linked) == (
        "whatever of F the LMS links: school * (skill, weight 2)"
    )


@pytest.mark.usefixtures("framework", "scored")
def test_other_steps_are_told_kept_and_worked_in(db, district, items):
    assert items
    release(db, district, QUIZ)
    passed = replace(QUIZ, steps=passed_from(60))

    effect = effect_on_alignments(db, district, [passed])
    release(db, district, passed)

    (example,) = effect.examples
    assert (effect.changed, effect.learners) == (1, 1)
    assert (example.before.words, example.after.words) == (
        "skill, weight 1",
        "skill, weight 1, passed from 60% on",
    )
    assert alignments.rules_in_force(db, district) == (passed,)
    assert alignment_table(db, district).steps.tolist() == [packed(passed.steps)]
    assert mapping_drafts.rule_words(passed) == (
        "N.1: line item quiz (skill, weight 1, passed from 60% on)"
    )
