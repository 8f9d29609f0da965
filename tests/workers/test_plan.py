"""Planning a platform: what is read tonight, what is not, and why."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import RetryLater
from connectors.protocol import Note
from mapping.records import CourseRef, CourseState, PassbackWay, SchoolRef
from store import courses, due, run_notes, sync_state
from store.sync_state import ItemState, Phase
from tests.contracts.fake import FakeGradebook
from tests.store.places import course_record, publish, rule
from tests.workers.night import COURSE, down, new_night, small
from workers.plan import is_sweep_due

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_days = st.integers(1, 30)


@dataclass
class TiringGradebook(FakeGradebook):
    """Lists its courses and then cannot say what happened in them."""

    is_tired: bool = False

    def unchanged(self, cursors):
        if self.is_tired:
            raise down()
        return super().unchanged(cursors)


@dataclass
class GrudgingGradebook(FakeGradebook):
    """Grants less than it could."""

    @property
    def notes(self):
        return (Note(cause="no_audit", message="The audit log may not be read."),)


@pytest.fixture
def weekly(engine, clock):
    night = new_night(engine, clock)
    night.sweep_days = 7
    return night


def concluded(night, state=CourseState.CONCLUDED):
    night.book.course_list = [replace(night.book.course_list[0], state=state)]


def rename(night, **names):
    night.book.course_list = [replace(night.book.course_list[0], **names)]


def test_a_course_in_which_nothing_happened_is_not_read(night):
    night.run()

    found = night.counts(night.run())

    assert (found.courses, found.unchanged, found.scores_pulled) == (0, 1, 0)


def test_planning_asks_for_the_courses_and_once_whether_anything_happened(night):
    night.run()

    assert night.counts(night.run()).api_calls == 2


def test_an_unchanged_course_is_no_trouble(night):
    night.run()

    assert night.troubles(night.run()) == ()


def test_an_unchanged_course_is_as_fresh_as_one_that_was_read(night):
    night.run()
    night.run()

    assert night.stored_course().synced_at == night.clock()


def test_a_course_of_which_the_lms_cannot_tell_is_read(night):
    night.run()
    night.book.touched = {COURSE}

    found = night.counts(night.run())

    assert (found.courses, found.unchanged) == (1, 0)


def test_a_full_night_reads_courses_in_which_nothing_happened(night):
    night.run()

    found = night.counts(night.run(is_full=True))

    assert (found.courses, found.unchanged) == (1, 0)


def test_another_mapping_has_unchanged_courses_read(night):
    night.run()
    night.write(publish, night.tenant, rule("N.2", line_item="quiz*"))

    assert night.counts(night.run()).courses == 1
    assert night.counts(night.run()).unchanged == 1


@pytest.mark.parametrize("names", [{"title": "Geometry"}, {"code": "GEO"}])
def test_a_course_of_another_name_is_read_since_rules_may_match_it_otherwise(night, names):
    night.run()
    rename(night, **names)

    assert night.counts(night.run()).courses == 1
    assert night.counts(night.run()).unchanged == 1


def test_a_course_whose_reading_broke_off_is_read_though_nothing_happened_since(night):
    run = night.begin()
    (work,) = night.reach(run, Phase.PULL)
    night.write(sync_state.finish, work.lease, ItemState.FAILED, now=night.clock())
    night.reach(run, Phase.DONE)

    assert night.counts(night.run()).courses == 1


def test_marks_that_could_not_be_written_are_written_though_the_course_is_unchanged(night):
    run = night.begin()
    (work,) = night.reach(run, Phase.PUSH)
    night.write(sync_state.finish, work.lease, ItemState.FAILED, now=night.clock())
    night.reach(run, Phase.DONE)

    found = night.counts(night.run())

    assert (found.unchanged, found.pushed) == (1, 2)


def test_an_unchanged_course_with_nothing_to_write_asks_its_lms_nothing_more(night):
    night.run()
    run = night.run()

    assert night.ask(sync_state.count_items, run, Phase.PUSH) == 0
    assert night.counts(run).api_calls == 2


def test_a_planning_that_is_tried_again_puts_every_course_down_once(engine, clock):
    night = new_night(engine, clock, book=small(TiringGradebook))
    night.run()
    night.clock.advance(hours=24)
    run = night.begin()
    (work,) = night.take(run)
    night.book.is_tired = True
    with pytest.raises(RetryLater):
        night.perform(work)
    night.book.is_tired = False

    night.perform(work)

    assert night.ask(sync_state.count_items, run, Phase.PULL) == 1


def test_a_course_that_is_not_published_is_left_out_and_told(night):
    concluded(night, CourseState.UNPUBLISHED)

    (trouble,) = night.troubles(night.run())

    assert (trouble.state, trouble.cause) == (ItemState.SKIPPED, "unpublished")
    assert trouble.message == "The course is not published yet; it is read once it is."


def test_a_course_that_has_ended_is_read_once_more_and_then_left_out(night):
    concluded(night)

    first, second = night.run(), night.run()

    assert night.troubles(first) == ()
    assert night.counts(first).scores_new == 3
    assert [trouble.cause for trouble in night.troubles(second)] == ["concluded"]


def test_what_was_graded_on_the_last_day_of_a_course_is_read_after_its_end(night):
    night.run()
    concluded(night)

    last, later = night.run(), night.run()

    assert night.troubles(last) == ()
    assert night.counts(last).scores_pulled > 0
    assert [trouble.cause for trouble in night.troubles(later)] == ["concluded"]


def test_a_course_that_is_gone_is_told_once_and_loses_nothing(night):
    night.run()
    night.book.course_list = []

    first, second = night.run(), night.run()

    assert [(one.cause, one.about) for one in night.troubles(first)] == [("gone", "Algebra")]
    assert night.troubles(second) == ()
    assert night.counts(first).courses == night.counts(first).unchanged == 0
    assert night.standing("ada").evidence_count == 1


def test_a_course_that_is_listed_again_is_told_again_when_it_goes(night):
    night.run()
    listed, night.book.course_list = night.book.course_list, []
    night.run()
    night.book.course_list = listed
    back = night.run()
    night.book.course_list = []

    assert night.counts(back).unchanged == 1
    assert [one.cause for one in night.troubles(night.run())] == ["gone"]


def test_a_course_that_had_ended_goes_without_a_word(night):
    concluded(night)
    night.run()
    night.book.course_list = []

    assert night.troubles(night.run()) == ()


def test_what_an_lms_grants_less_of_is_told_once_for_each_platform_and_cause(engine, clock):
    night = new_night(engine, clock, book=small(GrudgingGradebook))

    (line,) = night.ask(run_notes.note_lines, night.run())

    assert (line.platform, line.cause) == ("Canvas", "no_audit")
    assert line.message == "The audit log may not be read."
    assert line.courses == ("Algebra",)


def test_every_course_is_read_whole_within_a_week_each_on_its_own_day(weekly):
    for number in range(2, 9):
        ref = CourseRef(f"c{number}")
        weekly.book.course_list.append(course_record(ref, school_ref=SchoolRef("s1")))
        weekly.book.people[ref] = weekly.book.people[COURSE]
        weekly.book.columns[ref] = weekly.book.columns[COURSE]
    weekly.run()

    read = [weekly.counts(weekly.run()).courses for _ in range(7)]

    assert sum(read) == 8
    assert max(read) == 2


def test_a_weekly_sweep_finds_grades_that_no_cursor_tells_were_taken_away(weekly):
    weekly.score("quiz 2", "ada", 5.0)
    weekly.run()
    weekly.book._scores[COURSE] = [weekly.book._scores[COURSE][-1]]
    weekly.book._read[COURSE] = weekly.book._held(COURSE)

    found = [weekly.counts(weekly.run()).scores_changed for _ in range(7)]

    assert sum(found) == 1


def test_a_course_that_was_never_read_whole_is_due():
    assert is_sweep_due(1, None, days=7, now=NOON)


@given(course=st.integers(1, 1000), days=_days, hours=st.integers(0, 11))
def test_what_was_read_whole_a_few_hours_ago_is_not_due(course, days, hours):
    assert not is_sweep_due(course, NOON - timedelta(hours=hours), days=days, now=NOON)


@given(course=st.integers(1, 1000), days=_days, more=st.integers(0, 100))
def test_what_was_not_read_whole_for_so_many_days_is_due(course, days, more):
    assert is_sweep_due(course, NOON - timedelta(days=days, hours=more), days=days, now=NOON)


@given(course=st.integers(1, 1000), days=_days, nights=st.integers(2, 60))
def test_courses_stay_on_a_day_of_their_own(course, days, nights):
    swept_at, swept = NOON, []
    for night in range(1, nights):
        now = NOON + timedelta(days=night)
        if is_sweep_due(course, swept_at, days=days, now=now):
            swept_at = now
            swept.append(night)

    gaps = {later - earlier for earlier, later in pairwise(swept)}
    assert gaps <= {days}
    assert not swept or swept[0] <= days


@pytest.mark.parametrize(("way", "items"), [(PassbackWay.NONE, 0), (PassbackWay.WORDS, 1)])
def test_marks_due_in_an_unchanged_course_are_looked_at_where_its_school_wants_it(
    engine, clock, way, items
):
    night = new_night(engine, clock, way=way)
    night.run()
    night.write(due.put_down_courses, [night.course()], now=clock())

    run = night.run()

    assert night.counts(run).unchanged == 1
    assert night.ask(sync_state.count_items, run, Phase.PUSH) == items


def test_no_course_is_read_whole_by_itself_where_that_is_switched_off(night):
    night.run()

    read = [night.counts(night.run()).courses for _ in range(8)]

    assert sum(read) == 0
    assert night.ask(courses.course, night.course()).swept_at is not None
