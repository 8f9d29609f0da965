"""Which gradebooks a run writes to: official ones, agreed to, with marks out of date."""

import pytest

from connectors.errors import GiveUp
from mapping.records import FoundMark, LearnerRef, Mode, PassbackWay
from store import due, modes, run_notes
from store.sync_state import ItemState, Phase
from tests.store.places import BY
from tests.workers.night import new_night
from tests.workers.test_ways import closed_night
from workers.dry_runs import dry_run

ADA = LearnerRef("ada")
SCHOOL = "School s1"


def set_mode(night, mode):
    night.write(modes.set_school_mode, night.tenant, SCHOOL, mode=mode, author=BY)


def notes(night, run):
    return [note.message for note in night.ask(run_notes.note_lines, run)]


@pytest.fixture
def unagreed(engine, clock):
    return new_night(engine, clock, is_agreed=False)


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.ADVISORY, Mode.PUBLISHED])
def test_nothing_leaves_before_a_course_is_official(engine, clock, mode):
    night = new_night(engine, clock, mode=mode)

    run = night.run()

    assert night.book.marks == {}
    assert night.counts(run).pushed == 0
    assert night.troubles(run) == ()
    assert any(f"1 {mode.value}" in told for told in notes(night, run))


def test_a_course_that_becomes_official_is_written_the_next_night(engine, clock):
    night = new_night(engine, clock, mode=Mode.SHADOW)
    night.run()
    set_mode(night, Mode.OFFICIAL)

    run = night.run()

    assert night.counts(run).pushed == 2
    assert notes(night, run) == []


def test_a_course_that_is_official_no_longer_keeps_what_stands_and_gets_no_more(night):
    night.run()
    set_mode(night, Mode.PUBLISHED)
    night.score("quiz 1", "ada", 1.0)

    night.run()

    assert night.cells()[ADA].words.startswith("Mastered")


def test_a_mode_changed_while_a_run_is_under_way_holds(night):
    (work,) = night.reach(night.begin(), Phase.PUSH)
    set_mode(night, Mode.SHADOW)

    night.perform(work)

    (found,) = night.troubles(work.run.id)
    assert night.book.marks == {}
    assert (found.state, found.cause) == (ItemState.SKIPPED, "mode")
    assert night.ask(due.courses_due, night.tenant) == {night.course()}


def test_the_first_push_waits_for_a_yes_and_says_so_once(unagreed):
    run = unagreed.run()

    (found,) = unagreed.troubles(run)
    assert unagreed.book.marks == {}
    assert (found.state, found.cause, found.about) == (ItemState.SKIPPED, "first_yes", "")
    assert "waymark passback agree" in found.message
    assert "1 course waits" in found.message


def test_a_yes_lets_the_next_night_write(unagreed):
    unagreed.run()
    unagreed.write(modes.agree, unagreed.tenant, [unagreed.course()], author=BY)

    assert unagreed.counts(unagreed.run()).pushed == 2


def test_marks_that_count_need_their_own_yes_besides(engine, clock):
    night = new_night(engine, clock, way=PassbackWay.MARK_COUNTED)

    run = night.run()

    assert [one.cause for one in night.troubles(run)] == ["not_agreed"]


def look(night, run):
    return dry_run(night.engine, run, lambda _: night.book, threads=1, now=night.clock())


def stopped(night):
    """A run that did everything but writing."""
    night.clock.advance(hours=24)
    run = night.begin()
    night.reach(run, Phase.PUSH)
    return run


def test_a_dry_run_tells_what_stands_and_what_would_and_keeps_it_due(night):
    night.run()
    (cells,) = night.book.marks.values()
    before = dict(cells)
    night.score("quiz 1", "ada", 1.0)
    run = stopped(night)

    found = look(night, run)

    (mark,) = found.marks
    assert (mark.title, mark.column, mark.learner) == ("Algebra", "Waymark: Numbers", "Ada")
    assert mark.stands.startswith("Mastered")
    assert mark.then.startswith("Emerging")
    assert (mark.why_not, found.to_write) == ("", 1)
    assert cells == before
    assert set(night.ask(due.due_in, night.course()).learners) == {night.learner("ada")}


def test_a_dry_run_tells_what_a_person_keeps(night):
    night.run()
    (cells,) = night.book.marks.values()
    cells[ADA] = FoundMark(words="Excellent", is_ours=False)
    night.score("quiz 1", "ada", 1.0)

    (mark,) = look(night, stopped(night)).marks

    assert "Excellent" in mark.why_not


def test_a_dry_run_counts_what_is_not_official(engine, clock):
    night = new_night(engine, clock, mode=Mode.SHADOW)
    run = night.run()

    found = look(night, run)

    assert (found.to_write, found.other_modes) == (0, 1)


def test_a_dry_run_shows_what_waits_for_a_yes_with_that_as_the_reason(unagreed):
    run = unagreed.run()

    found = look(unagreed, run)

    assert (found.to_write, found.unagreed, len(found.marks)) == (0, 1, 2)
    assert {"Nobody has agreed yet" in mark.why_not for mark in found.marks} == {True}


def test_a_column_that_cannot_be_looked_at_hides_no_other(engine, clock):
    night = closed_night(engine, clock)
    night.run()
    night.score("quiz 1", "ada", 1.0)
    night.book.failure = GiveUp("The course is closed.", cause="closed")

    run = night.begin()
    night.book.failure = None
    night.reach(run, Phase.PUSH)
    night.book.failure = GiveUp("The course is closed.", cause="closed")
    found = look(night, run)

    assert {why for _, why in found.troubles} == {"The course is closed."}
