"""The ways a status goes, one column apart from another, and what is said where one is closed."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from connectors.errors import GiveUp, RetryLater
from connectors.protocol import Note
from mapping.records import LearnerRef, PassbackWay
from store import ways
from store.sync_state import ItemState
from store.tables import work_notes
from tests.contracts.fake import FakeGradebook
from tests.store.places import BY, publish, rule
from tests.workers.night import new_night, small

ADA, BO = LearnerRef("ada"), LearnerRef("bo")
COUNTED, RATING = PassbackWay.MARK_COUNTED, PassbackWay.COMPETENCY


@dataclass
class ClosedGradebook(FakeGradebook):
    """Has troubles with some columns, by tag, when they are looked for or written."""

    closed: dict[str, GiveUp] = field(default_factory=dict)
    failing: dict[str, Exception] = field(default_factory=dict)

    @property
    def notes(self):
        return [Note(cause="no_groups", message="Groups may not be read.")]

    def ensure_column(self, course, spec):
        if spec.tag in self.closed:
            raise self.closed[spec.tag]
        return super().ensure_column(course, spec)

    def write_marks(self, course, writes, *, now):
        for one in writes:
            if one.spec.tag in self.failing:
                raise self.failing[one.spec.tag]
        return super().write_marks(course, writes, now=now)


def closed_night(engine, clock, *, way=PassbackWay.MARK_NOT_COUNTED, kind="canvas", **more):
    """A course that speaks for two strands, in a gradebook with troubles."""
    night = new_night(engine, clock, book=small(ClosedGradebook, **more), way=way, kind=kind)
    rules = (rule("N.1", line_item="quiz 1"), rule("L.1", line_item="quiz 1"))
    night.write(publish, night.tenant, *rules)
    return night


def gone(cause="column_gone"):
    return GiveUp("The column is closed.", cause=cause, platform="Canvas")


def agree(night):
    night.write(ways.set_course_way, night.course(), COUNTED, counted_from=night.clock(), author=BY)


def words(night, tag):
    (column,) = [found for ref, found in night.book.marks.items() if ref.endswith(tag)]
    return {ref: mark.words for ref, mark in column.items()}


def trouble(night, run):
    (found,) = [one for one in night.troubles(run) if one.phase.value == "push"]
    return found


def test_marks_that_count_are_not_written_before_somebody_agreed(engine, clock):
    night = new_night(engine, clock, way=COUNTED)

    run = night.run()

    found = trouble(night, run)
    assert night.book.marks == {}
    assert (found.state, found.cause) == (ItemState.SKIPPED, "not_agreed")
    assert "waymark passback preview" in found.message


def test_marks_that_count_are_written_where_somebody_agreed(engine, clock):
    night = new_night(engine, clock, way=COUNTED)
    night.run()
    agree(night)
    night.score("quiz 1", "ada", 8.0)

    night.run()

    assert night.cells()[ADA].points == pytest.approx(3.2)
    assert all(ref.endswith(":counted") for ref in night.book.marks)


def test_an_agreement_ends_when_another_way_is_chosen(engine, clock):
    night = new_night(engine, clock, way=COUNTED)
    night.run()
    agree(night)
    night.write(ways.set_course_way, night.course(), None, author=BY)
    night.score("quiz 1", "ada", 8.0)

    night.run()

    assert night.book.marks == {}


def test_another_way_gets_its_own_column_and_leaves_the_former_as_it_is(night):
    night.run()
    before = dict(night.book.marks)
    agree(night)
    night.score("quiz 1", "ada", 8.0)

    night.run()

    assert len(night.book.marks) == 2
    assert {ref: night.book.marks[ref] for ref in before} == before


def test_ratings_speak_for_each_competency_and_not_for_strands(engine, clock):
    night = closed_night(engine, clock, way=RATING, kind="moodle")

    night.run()

    assert {ref.partition("/")[2] for ref in night.book.marks} == {"waymark:N.1", "waymark:L.1"}
    assert words(night, "N.1")[ADA] == "Mastered"
    assert night.cells()[ADA].points == 3.0


def test_ratings_are_not_possible_on_canvas(engine, clock):
    night = new_night(engine, clock, way=RATING)

    run = night.run()

    assert night.book.marks == {}
    assert trouble(night, run).cause == "way_not_possible"


def test_a_competency_that_the_lms_does_not_name_is_a_note_and_no_failure(engine, clock):
    missing = gone("competency_not_in_course")
    night = closed_night(engine, clock, way=RATING, kind="moodle", closed={"waymark:L.1": missing})

    run = night.run()

    assert [one for one in night.troubles(run) if one.phase.value == "push"] == []
    notes = night.ask(lambda c: c.execute(work_notes.select()).all())
    assert ("competency_not_in_course", str(missing)) in {tuple(row[1:]) for row in notes}
    assert words(night, "N.1")[ADA] == "Mastered"


@pytest.mark.parametrize("where", ["closed", "failing"])
def test_a_column_that_cannot_be_written_stops_no_other(engine, clock, where):
    night = closed_night(engine, clock, **{where: {"waymark:L.1": gone()}})

    run = night.run()

    found = trouble(night, run)
    assert words(night, "waymark:N")[BO].startswith("Emerging")
    assert (found.state, found.cause) == (ItemState.FAILED, "column_gone")
    assert found.message == "The column is closed."
    assert night.counts(run).pushed == 2


def test_what_could_not_be_written_is_written_when_the_trouble_is_over(engine, clock):
    night = closed_night(engine, clock, failing={"waymark:L.1": gone()})
    night.run()
    night.book.failing.clear()
    night.score("quiz 1", "cy", 1.0)

    run = night.run()

    assert set(words(night, "waymark:L.1")) == {ADA, BO}
    assert night.counts(run).pushed == 2


def test_a_column_whose_earlier_marks_cannot_be_settled_is_not_written(engine, clock):
    night = closed_night(engine, clock, failing={"waymark:L.1": gone()})
    night.run()
    night.book.failing.clear()
    night.book.closed["waymark:L.1"] = gone()
    night.score("quiz 1", "ada", 2.0)

    run = night.run()

    assert words(night, "waymark:L.1") == {}
    assert trouble(night, run).cause == "column_gone"
    assert words(night, "waymark:N")[ADA].startswith("Emerging")


def test_a_trouble_that_passes_is_still_for_later(engine, clock):
    down = RetryLater("Down.", cause="maintenance")
    night = closed_night(engine, clock, failing={"waymark:L.1": down})

    with pytest.raises(RetryLater):
        night.run()


def test_what_the_lms_grants_less_of_is_noted(engine, clock):
    night = closed_night(engine, clock)

    night.run()

    notes = night.ask(lambda c: c.execute(work_notes.select()).all())
    assert ("no_groups", "Groups may not be read.") in {tuple(row[1:]) for row in notes}


@dataclass
class SlowGradebook(FakeGradebook):
    """Takes a minute to read a column; ``sent_at`` is what marks were dated."""

    clock: object = None
    sent_at: list = field(default_factory=list)

    def read_marks(self, course, column, spec):
        self.clock.advance(minutes=1)
        return super().read_marks(course, column, spec)

    def write_marks(self, course, writes, *, now):
        self.sent_at.append(now)
        return super().write_marks(course, writes, now=now)


def test_marks_are_dated_before_their_column_was_read(engine, clock):
    night = new_night(engine, clock, book=small(SlowGradebook, clock=clock))
    before = clock()

    night.run()

    assert [at - before for at in night.book.sent_at] == [timedelta(hours=24)]
