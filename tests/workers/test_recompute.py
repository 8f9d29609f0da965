"""Computing only those whose evidence or rule changed, and writing only what came out new."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from mapping.evidence.tables import View
from mapping.records import LearnerId, ScoreState
from mapping.rules.scopes import Scope
from mapping.status import Status
from store import alignments, frameworks, run_notes, standings, tenants, waiting
from store.rules import RulePlace, save_rule
from store.sync_state import Phase
from store.tables import passback_due, standing_changes
from tests.contracts.fake import graded
from tests.store.places import keep_standings, new_tenant, score, set_rule
from workers import recompute


def mark_everybody(night):
    night.write(
        lambda c: waiting.mark_learners(
            c, map(LearnerId, tenants.all_learners(c, night.tenant)), now=night.clock()
        )
    )


def changes(night):
    return night.ask(lambda c: c.execute(select(standing_changes)).all())


def test_a_night_says_where_learners_stand(night):
    night.run()

    assert night.standing("ada").status is Status.MASTERED
    assert night.standing("bo").status is Status.EMERGING
    assert night.standing("ada").evidence_count == 1


def test_a_strand_stands_by_its_competencies(night):
    night.run()

    assert night.standing("ada", "N").mastered_count == 1
    assert night.standing("ada", "L.1") is None


def test_only_learners_put_down_are_computed(night):
    night.run()
    night.score("quiz 1", "bo", 10.0)

    found = night.counts(night.run())

    assert found.estimates == 2  # a competency and its strand, of one learner
    assert found.statuses_changed == 2


def test_where_nothing_changed_nothing_is_written(night):
    night.run()
    before = changes(night)
    mark_everybody(night)

    found = night.counts(night.run())

    assert found.estimates == 6
    assert found.statuses_changed == 0
    assert changes(night) == before


def test_where_nothing_changed_no_standings_are_read(night):
    night.run()
    mark_everybody(night)
    night.run()
    read = []
    event.listen(night.engine, "before_cursor_execute", lambda *call: read.append(call[2]))
    mark_everybody(night)

    night.run()

    assert any("FROM standing_digests" in one for one in read)
    assert not any("FROM standings" in one and "estimate" in one for one in read)


def test_a_standing_that_was_written_since_is_put_right(night):
    night.run()
    was, place = night.standing("ada"), (night.learner("ada"), night.competency("N.1"))
    basis = standings.Basis(
        mapping_set=night.ask(alignments.current_mapping, night.tenant),
        rule=night.ask(recompute.current_rule, night.tenant, now=night.clock())[0],
        run=None,
    )
    wrong = {(*place, View.TEACHER): (was, replace(was, status=Status.EMERGING))}
    night.write(keep_standings, wrong, basis=basis, now=night.clock())
    mark_everybody(night)

    night.run()

    assert night.standing("ada") == was


def test_who_was_computed_no_longer_waits(night):
    night.run()

    assert night.ask(waiting.count_waiting, night.tenant) == 0


def test_evidence_that_is_gone_leaves_no_evidence(night):
    night.run()
    night.put(score("quiz 1", "ada", state=ScoreState.CLEARED))

    night.run()

    found = night.standing("ada")
    assert (found.status, found.estimate, found.evidence_count) == (Status.NO_EVIDENCE, None, 0)


def test_the_learners_view_leaves_out_what_the_lms_hides(night):
    night.put(score("quiz 1", "ada", 9.0, is_visible=False))

    night.run()

    hidden = night.standing("ada", view=View.LEARNER)
    assert night.standing("ada", view=View.TEACHER).status is Status.MASTERED
    assert hidden is None or hidden.status is Status.NO_EVIDENCE


def test_a_change_is_kept_with_the_mapping_rule_and_run_it_came_of(night):
    run = night.run()

    rows = changes(night)
    mapping_set = night.ask(alignments.current_mapping, night.tenant)
    assert {row.run_id for row in rows} == {run}
    assert {row.mapping_set_id for row in rows} == {mapping_set}


def test_another_rule_changes_the_statuses_of_learners_put_down(night):
    night.run()
    night.write(set_rule, night.tenant, mastered=4.0)
    mark_everybody(night)

    night.run()

    assert night.standing("ada").status is Status.DEVELOPING


def test_a_rule_that_makes_none_with_a_wider_one_is_told_and_left_out(night):
    night.run()
    (competency,) = (
        one.id for one in night.ask(frameworks.competencies_of, night.tenant) if one.code == "N.1"
    )
    place = RulePlace(scope=Scope.COMPETENCY, target=competency)
    night.write(
        lambda c: save_rule(c, night.tenant, {"mastered": 9.0}, now=night.clock(), place=place)
    )
    mark_everybody(night)

    run = night.run()

    (line,) = night.ask(run_notes.note_lines, run)
    assert line.platform == run_notes.OURSELVES
    assert "mastered must be above 0 and at most 4" in line.message
    assert night.standing("ada").status is Status.MASTERED


def test_a_part_without_learners_needs_neither_rule_nor_mapping(night):
    bare = night.write(new_tenant, "Bare")
    night.tenant = bare

    run = night.run()

    assert night.counts(run).estimates == 0


def test_learners_of_a_district_without_a_rule_cannot_be_computed(night):
    bare = night.write(new_tenant, "Bare")

    with pytest.raises(LookupError, match=f"Tenant {bare} has no mastery rule"):
        night.ask(recompute.current_rule, bare, now=night.clock())


def test_learners_are_shared_out_over_parts_and_batches(night, monkeypatch):
    monkeypatch.setattr(recompute, "BATCH", 2)
    monkeypatch.setattr("workers.schedule._LEARNERS_PER_PART", 1)
    monkeypatch.setattr("workers.schedule._PARTS", ())
    run = night.begin()
    works = night.reach(run, Phase.COMPUTE)

    for work in works:
        night.perform(work)

    assert len(works) == 3
    assert night.ask(waiting.count_waiting, night.tenant) == 0
    assert night.counts(run).estimates == 6


@pytest.fixture
def in_parts(night, monkeypatch):
    """A run's parts, each learner in one of their own; none is computed yet."""
    monkeypatch.setattr(waiting, "TOGETHER", 1)
    monkeypatch.setattr("workers.schedule._LEARNERS_PER_PART", 1)
    monkeypatch.setattr("workers.schedule._PARTS", ())
    return night.reach(night.begin(), Phase.COMPUTE)


def test_what_a_part_is_computed_by_is_read_once_for_all_of_a_process(night, in_parts):
    read = []
    event.listen(night.engine, "before_cursor_execute", lambda *call: read.append(call[2]))

    memory = recompute.Memory()

    for work in in_parts:
        recompute.recompute_part(work, memory)

    assert len(in_parts) == 3
    assert len([one for one in read if "mapping_sets.digest" in one]) == 1
    assert night.ask(waiting.count_waiting, night.tenant) == 0


def test_a_part_is_computed_by_the_rule_that_was_published_since_the_part_before(night, in_parts):
    memory = recompute.Memory()
    first, *others = in_parts
    recompute.recompute_part(first, memory)
    night.clock.advance(seconds=1)
    night.write(set_rule, night.tenant, mastered=4.0)
    mark_everybody(night)

    for work in others:
        recompute.recompute_part(work, memory)

    assert night.standing("ada").status is Status.DEVELOPING


def test_a_learner_marked_again_while_being_computed_waits_for_the_next(night):
    run = night.begin()
    (work,) = night.reach(run, Phase.COMPUTE)
    tokens = night.ask(waiting.waiting_in, night.tenant, part=0, parts=1)
    night.perform(work)
    night.clock.advance(seconds=1)
    mark_everybody(night)

    night.write(waiting.settle, tokens)

    assert night.ask(waiting.count_waiting, night.tenant) == 3


def test_a_standing_at_an_earlier_night_is_not_moved_by_a_later_one(night):
    night.run()
    ada, then = night.learner("ada"), night.clock()
    before = night.ask(standings.standings_at, ada, view=View.TEACHER, moment=then)
    night.put(graded("quiz 1", "ada", 1.0))

    night.run()

    after = night.ask(standings.standings_at, ada, view=View.TEACHER, moment=then)
    now = night.ask(
        standings.standings_at, ada, view=View.TEACHER, moment=night.clock() + timedelta(hours=1)
    )
    assert after == before
    assert now != before


def due_learners(night):
    rows = night.ask(lambda c: c.execute(select(passback_due.c.learner_id)).all())
    return {row[0] for row in rows}


def test_only_whose_marks_may_have_changed_are_put_down_for_writing(night):
    night.run()
    night.write(lambda c: c.execute(passback_due.delete()))
    night.score("quiz 1", "bo", 10.0)
    run = night.begin()
    (work,) = night.reach(run, Phase.COMPUTE)

    night.perform(work)

    assert due_learners(night) == {night.learner("bo")}


def test_what_learners_may_not_see_puts_no_mark_down(night):
    night.run()
    night.write(lambda c: c.execute(passback_due.delete()))
    night.put(score("quiz 2", "ada", 1.0, is_visible=False))
    run = night.begin()
    (work,) = night.reach(run, Phase.COMPUTE)
    before = night.standing("ada")

    night.perform(work)

    assert night.standing("ada") != before
    assert due_learners(night) == set()


def test_what_another_process_computed_meanwhile_is_not_written_again(night, monkeypatch):
    night.run()
    night.score("quiz 1", "bo", 10.0)
    run = night.begin()
    (work,) = night.reach(run, Phase.COMPUTE)
    found = night.ask(waiting.waiting_in, night.tenant, part=0, parts=1)
    load = recompute.grounds_of

    def load_and_be_overtaken(*arguments):
        loaded = load(*arguments)
        night.write(waiting.settle, found)
        return loaded

    monkeypatch.setattr(recompute, "grounds_of", load_and_be_overtaken)
    before = changes(night)

    night.perform(work)

    assert changes(night) == before
