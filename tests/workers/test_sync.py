"""Reading gradebooks: what is read, what is left out and why, what a second reading finds."""

from dataclasses import replace

import pytest

from connectors.errors import RetryLater
from mapping.records import CourseRef, CourseState, LineItemRef, SchoolRef, ScoreState
from store import standings
from store.sync_state import ItemState, LeaseLostError, Phase
from tests.contracts.fake import graded
from tests.store.places import course_record, publish, rule
from tests.workers.night import COURSE, down
from workers import sync


def concluded(night, state=CourseState.CONCLUDED):
    night.book.course_list = [replace(night.book.course_list[0], state=state)]


def test_a_first_night_reads_every_score_of_a_course(night):
    found = night.counts(night.run())

    assert (found.courses, found.scores_pulled, found.scores_new) == (1, 3, 3)


def test_a_second_night_reads_only_what_changed(night):
    night.run()
    night.score("quiz 1", "ada", 2.0)

    found = night.counts(night.run())

    assert (found.scores_pulled, found.scores_new, found.scores_changed) == (1, 0, 1)


def test_a_full_night_reads_everything_and_finds_nothing_new(night):
    night.run()

    found = night.counts(night.run(is_full=True))

    assert (found.scores_pulled, found.scores_new, found.scores_changed) == (3, 0, 0)


def test_a_full_night_finds_grades_that_were_taken_away(night):
    night.score("quiz 2", "ada", 5.0)
    night.run()
    night.book._scores[COURSE] = [graded("quiz 2", "ada", 5.0)]

    found = night.counts(night.run(is_full=True))

    assert found.scores_changed == 1


def test_a_night_by_cursors_takes_nothing_for_taken_away(night):
    night.run()
    night.book._scores[COURSE] = []

    assert night.counts(night.run()).scores_changed == 0


def test_a_reading_that_breaks_off_is_read_again_from_where_it_began(night):
    night.book.page_size = 1
    run = night.begin()
    (work,) = night.reach(run, Phase.PULL)
    pages = night.book.scores(COURSE)

    class Breaking(type(night.book)):
        def scores(self, course, since=None):
            assert (course, since) == (COURSE, None)
            yield next(pages)
            raise down()

    with pytest.raises(RetryLater):
        sync.sync_course(
            Breaking(
                course_list=night.book.course_list,
                people=night.book.people,
                columns=night.book.columns,
            ),
            work,
            work.lease.item.course,
        )
    assert night.stored_course().cursor is None

    night.perform(work)

    assert night.counts(run).scores_new == 3
    assert night.stored_course().cursor is not None


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


def test_a_course_without_learners_is_left_out_and_told(night):
    night.book.people = {}

    (trouble,) = night.troubles(night.run())

    assert (trouble.cause, trouble.about) == ("no_learners", "Algebra")


def test_a_course_that_no_rule_matches_is_left_out_and_told(night):
    night.write(publish, night.tenant, rule("N.1", line_item="essay"))

    (trouble,) = night.troubles(night.run())

    assert trouble.cause == "unmapped"
    assert trouble.message.startswith("No mapping rule matches any of its 2 line items")


def test_courses_the_lms_no_longer_lists_are_not_read(night):
    night.run()
    night.book.course_list = []

    run = night.run()

    assert night.counts(run).courses == 0
    assert night.troubles(run) == ()


def test_every_course_of_a_platform_is_read(night):
    night.book.course_list.append(course_record("c2", school_ref=SchoolRef("s1")))
    night.book.people[CourseRef("c2")] = night.book.people[COURSE]
    night.book.columns[CourseRef("c2")] = night.book.columns[COURSE]

    assert night.counts(night.run()).courses == 2


def test_requests_to_the_lms_are_counted(night):
    run = night.run()

    assert night.counts(run).api_calls > 0


def test_scores_of_who_left_the_course_count_no_more_calls_and_stay(night):
    night.run()
    night.book.people[COURSE] = [p for p in night.book.people[COURSE] if p.person.ref != "ada"]

    night.run(is_full=True)

    assert night.standing("ada").evidence_count == 1


def test_another_mapping_puts_learners_with_a_score_down_for_recomputation(night):
    night.run()
    night.write(publish, night.tenant, rule("N.2", line_item="quiz*"))

    night.run()

    assert night.standing("ada", "N.1").evidence_count == 0
    assert night.standing("ada", "N.2").evidence_count == 1


def test_a_column_that_vanished_is_evidence_no_more(night):
    night.run()
    night.book.columns[COURSE] = [
        one for one in night.book.columns[COURSE] if one.ref != LineItemRef("quiz 1")
    ]

    night.run()

    assert night.standing("ada").evidence_count == 0


def test_who_lost_the_lease_writes_nothing(night):
    run = night.begin()
    (work,) = night.reach(run, Phase.PULL)
    night.clock.advance(minutes=1)
    night.take(run)

    with pytest.raises(LeaseLostError):
        night.perform(work)

    assert night.counts(run).scores_new == 0
    assert night.ask(standings.count_waiting, night.tenant) == 0


def test_a_missing_score_is_read_as_missing_and_is_no_evidence(night):
    missing = replace(graded("quiz 1", "ada", 0.0), state=ScoreState.MISSING, points=None)
    night.put(missing)

    night.run()

    assert night.standing("ada") is None or night.standing("ada").evidence_count == 0
