"""Writing to gradebooks: only what changed, never over a person's mark, settled by reading."""

from dataclasses import replace

import pytest

from connectors.errors import RetryLater
from mapping.records import (
    EnrolmentState,
    FoundMark,
    LearnerRef,
    PassbackWay,
    Role,
    ScoreState,
)
from store import frameworks, sync_state
from store.sync_state import Phase
from tests.store.places import FRAMEWORK, publish, rule, score
from tests.workers.night import COURSE, RenewedGradebook, UnseenGradebook, down, new_night, small
from workers import passback

ADA, BO = LearnerRef("ada"), LearnerRef("bo")
MASTERED = "Mastered (1 of 1 competency mastered)"


def words(night):
    return {ref: mark.words for ref, mark in night.cells().items()}


def states(night):
    return sorted((said, state) for said, state, _ in night.letters())


def overwrite(night, said):
    """A person writes into Ada's cell."""
    (column,) = night.book.marks.values()
    column[ADA] = FoundMark(words=said, is_ours=False)


def test_active_learners_get_their_status_in_words(night):
    night.run()

    assert words(night) == {
        ADA: MASTERED,
        BO: "Emerging (0 of 1 competency mastered)",
    }
    assert night.cells()[ADA].points is None


def test_a_night_counts_what_it_confirmed(night):
    assert night.counts(night.run()).pushed == 2


def test_only_changed_marks_are_written(night):
    night.run()
    night.score("quiz 1", "bo", 10.0)

    run = night.run()

    assert night.counts(run).pushed == 1
    assert words(night)[BO] == MASTERED


def test_where_nothing_changed_the_lms_is_asked_nothing(night):
    night.run()

    run = night.begin()
    night.reach(run, Phase.DONE)

    assert night.ask(sync_state.count_items, run, Phase.PUSH) == 0


def test_a_school_that_wants_no_passback_gets_none(engine, clock):
    night = new_night(engine, clock, way=PassbackWay.NONE)

    run = night.run()

    assert night.book.marks == {}
    assert night.counts(run).pushed == 0


def test_where_numbers_are_wanted_the_estimate_is_written_beside_the_words(engine, clock):
    night = new_night(engine, clock, way=PassbackWay.MARK_NOT_COUNTED)

    night.run()

    assert night.cells()[ADA] == FoundMark(words=MASTERED, points=3.6, is_ours=True)


def test_a_moodle_gets_words_where_numbers_are_wanted(engine, clock):
    night = new_night(engine, clock, way=PassbackWay.MARK_NOT_COUNTED, kind="moodle")

    night.run()

    assert night.cells()[ADA].points is None
    assert words(night)[ADA] == MASTERED


@pytest.mark.parametrize("kind", ["canvas", "moodle"])
@pytest.mark.parametrize("way", [PassbackWay.NONE, PassbackWay.WORDS])
def test_ways_without_numbers_are_the_same_on_every_lms(kind, way):
    assert passback.effective_way(kind, way) is way


def test_a_persons_mark_is_left_alone_and_told(night):
    night.run()
    overwrite(night, "Excellent")
    night.score("quiz 1", "ada", 1.0)

    run = night.run()

    assert words(night)[ADA] == "Excellent"
    assert night.counts(run).refused == 1
    (reason,) = [reason for _, state, reason in night.letters() if state == "conflict"]
    assert 'it says "Excellent"' in reason


def test_what_a_person_wrote_in_our_words_needs_no_writing(night):
    night.run()
    overwrite(night, "Emerging (0 of 1 competency mastered)")
    night.score("quiz 1", "ada", 4.0)
    (column,) = night.book.marks.values()

    run = night.run()

    assert column[ADA].is_ours is False
    assert night.counts(run).pushed == 1


def test_a_mark_the_lms_refuses_is_kept_with_its_reason(night):
    run = night.begin()
    (work,) = night.reach(run, Phase.PUSH)
    night.book.people[COURSE] = [p for p in night.book.people[COURSE] if p.person.ref != ADA]

    night.perform(work)

    assert ("This person is no learner of the course.") in {r for _, _, r in night.letters()}
    assert night.counts(run).refused == 1


def test_who_left_the_course_keeps_the_cell_as_it_is(night):
    night.run()
    night.book.people[COURSE] = [p for p in night.book.people[COURSE] if p.person.ref != ADA]

    run = night.run()

    assert words(night)[ADA] == MASTERED
    assert night.counts(run).pushed == 0


def test_evidence_taken_away_withdraws_the_status(night):
    night.run()
    night.put(score("quiz 1", "ada", state=ScoreState.CLEARED))

    night.run()

    assert words(night)[ADA] == "No evidence yet (0 of 1 competency mastered)"


def test_who_has_no_evidence_yet_gets_no_mark(night):
    night.put(score("quiz 1", "ada", state=ScoreState.MISSING))

    night.run()

    assert ADA not in words(night)


def test_what_was_sent_and_not_seen_is_settled_by_reading(engine, clock):
    night = new_night(engine, clock, book=small(UnseenGradebook))
    night.run()
    before = states(night)

    run = night.run()

    assert {state for _, state in before} == {"sent"}
    assert {state for _, state in states(night)} == {"confirmed"}
    assert night.counts(run).pushed == 0


def test_what_was_sent_and_never_arrived_is_wanted_anew(engine, clock):
    night = new_night(engine, clock, book=small(UnseenGradebook, is_arriving=False))
    night.run()
    night.book.is_silent = False

    run = night.run()

    assert words(night)[ADA] == MASTERED
    assert night.counts(run).pushed == 2
    assert sorted(state for _, state in states(night)) == 2 * ["confirmed"] + 2 * ["superseded"]


def test_what_was_sent_to_who_left_since_is_given_up(engine, clock):
    night = new_night(engine, clock, book=small(UnseenGradebook, is_arriving=False))
    night.run()
    night.book.is_silent = False
    night.book.touched.add(COURSE)
    night.book.people[COURSE] = [
        replace(one, state=EnrolmentState.CONCLUDED) if one.role is Role.LEARNER else one
        for one in night.book.people[COURSE]
    ]

    night.run()

    assert {state for _, state in states(night)} == {"superseded"}


def test_what_was_sent_for_a_strand_no_longer_spoken_for_is_given_up(engine, clock):
    night = new_night(engine, clock, book=small(UnseenGradebook))
    night.run()
    night.write(publish, night.tenant, rule("L.1", line_item="quiz*"))
    night.book.is_silent = False

    night.run()

    assert ("Nothing in this course speaks for this strand any more.") in {
        reason for _, _, reason in night.letters()
    }


def test_a_try_that_breaks_off_after_sending_is_settled_by_the_next(night):
    run = night.begin()
    (work,) = night.reach(run, Phase.PUSH)
    write_marks = night.book.write_marks

    class Breaking(type(night.book)):
        def write_marks(self, course, writes, *, now):
            write_marks(course, writes, now=now)
            raise down()

    with pytest.raises(RetryLater):
        passback.push_course(
            Breaking(
                course_list=night.book.course_list,
                people=night.book.people,
                columns=night.book.columns,
                marks=night.book.marks,
            ),
            work,
            work.lease.item.course,
        )
    before = states(night)

    night.perform(work)

    assert {state for _, state in before} == {"sent"}
    assert {state for _, state in states(night)} == {"confirmed"}
    assert night.counts(run).pushed == 2


@pytest.fixture
def deleted(engine, clock):
    """A night after which the column was deleted in the LMS, and a score changed."""
    night = new_night(engine, clock, book=small(RenewedGradebook))
    night.run()
    night.book.delete_columns()
    night.score("quiz 1", "ada", 1.0)
    return night


def test_a_column_deleted_in_the_lms_is_whole_again_within_two_nights_of_a_change(deleted):
    deleted.run()
    deleted.run()

    assert set(words(deleted)) == {ADA, BO}


def test_the_cells_of_a_column_made_anew_are_not_taken_for_emptied_by_a_person(deleted):
    deleted.run()

    assert "conflict" not in {state for _, state in states(deleted)}


def test_a_cell_that_a_person_emptied_stays_empty(night):
    night.run()
    (column,) = night.book.marks.values()
    del column[ADA]
    night.score("quiz 1", "ada", 1.0)

    night.run()

    assert ADA not in words(night)
    assert "conflict" in {state for _, state in states(night)}


def test_strands_of_one_name_are_told_apart_by_their_code(night):
    twins = tuple(
        replace(one, statement="Numbers") if one.code in ("N", "L.1") else one
        for one in FRAMEWORK.competencies
    )
    night.write(publish, night.tenant, rule("N.1"), rule("L.1"))
    night.write(frameworks.save_framework, night.tenant, replace(FRAMEWORK, competencies=twins))

    night.run()

    own = [one.title for one in night.book.columns[COURSE] if one.is_own]
    assert own == ["Waymark: Numbers (N)", "Waymark: Numbers (L.1)"]


def test_a_competency_without_a_strand_has_a_column_without_counts(night):
    night.write(publish, night.tenant, rule("L.1", line_item="quiz*"))

    night.run()

    assert words(night)[ADA] == "Mastered"


def test_all_columns_of_a_course_are_written_at_once(night):
    night.write(publish, night.tenant, rule("N.1"), rule("L.1"))
    run = night.begin()
    (work,) = night.reach(run, Phase.PUSH)
    night.book.calls = 0

    night.perform(work)

    # For each of two columns it is found and read; then one write.
    assert night.book.calls == 5


def test_every_part_of_a_night_is_done_in_the_end(night):
    run = night.run()

    found = night.ask(sync_state.run, run)
    assert found.phase is Phase.DONE
    assert found.finished_at == night.clock()
