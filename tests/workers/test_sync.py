"""Reading gradebooks: what is read, what is left out and why, what a second reading finds."""

from dataclasses import dataclass, replace

import pytest

from connectors.errors import RetryLater
from mapping.evidence.policy import EvidencePolicy
from mapping.records import (
    WHATEVER_IS_LINKED,
    CourseRef,
    EnrolmentState,
    LineItemRef,
    SchoolRef,
    ScoreState,
    Section,
)
from store import run_notes, sections, waiting
from store.sync_state import LeaseLostError, Phase
from tests.contracts.fake import FakeGradebook, graded
from tests.store.places import column, course_record, publish, rule, set_rule
from tests.workers.night import COURSE, down, new_night, small
from workers import sync


@dataclass
class HaltingGradebook(FakeGradebook):
    """Ends its scores without saying that they are all."""

    is_halting: bool = False

    def scores(self, course, since=None):
        for page in super().scores(course, since):
            yield replace(page, cursor=None) if self.is_halting else page


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


def test_a_course_without_learners_is_left_out_and_told(night):
    night.book.people = {}

    (trouble,) = night.troubles(night.run())

    assert (trouble.cause, trouble.about) == ("no_learners", "Algebra")


def test_a_course_that_no_rule_matches_is_left_out_and_told(night):
    night.write(publish, night.tenant, rule("N.1", line_item="essay"))

    (trouble,) = night.troubles(night.run())

    assert trouble.cause == "unmapped"
    assert trouble.message.startswith("No mapping rule matches any of its 2 line items")


def test_before_a_first_mapping_everything_is_read_so_that_a_draft_can_be_tried(engine, clock):
    night = new_night(engine, clock, is_mapped=False)

    found = night.counts(night.run())

    assert (found.courses, found.scores_new) == (1, 3)
    assert night.stored_course().synced_at is not None


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


def delete_column(night, ref="quiz 1"):
    night.book.columns[COURSE] = [
        one for one in night.book.columns[COURSE] if one.ref != LineItemRef(ref)
    ]


def test_a_column_that_vanished_stays_evidence(night):
    night.run()
    before = night.standing("ada")
    delete_column(night)

    night.run()

    assert before.evidence_count == 1
    assert night.standing("ada") == before


def test_a_column_that_vanished_is_evidence_no_more_where_the_rule_says_so(night):
    night.write(set_rule, night.tenant, policy=EvidencePolicy(keeps_removed=False))
    night.run()
    before = night.standing("ada")
    delete_column(night)

    night.run()

    assert before.evidence_count == 1
    assert night.standing("ada").evidence_count == 0


def test_a_course_whose_aligned_columns_are_all_gone_is_not_read(night):
    night.run()
    night.book.columns[COURSE] = []

    run = night.run()

    assert [one.cause for one in night.troubles(run)] == ["unmapped"]


def test_who_lost_the_lease_writes_nothing(night):
    run = night.begin()
    (work,) = night.reach(run, Phase.PULL)
    night.clock.advance(minutes=1)
    night.take(run)

    with pytest.raises(LeaseLostError):
        night.perform(work)

    assert night.counts(run).scores_new == 0
    assert night.ask(waiting.count_waiting, night.tenant) == 0


def test_a_missing_score_is_read_as_missing_and_is_no_evidence(night):
    missing = graded("quiz 1", "ada", 0.0)._replace(state=ScoreState.MISSING, points=None)
    night.put(missing)

    night.run()

    assert night.standing("ada") is None or night.standing("ada").evidence_count == 0


def unpublish(night, *, is_published):
    first, *others = night.book.columns[COURSE]
    night.book.columns[COURSE] = [replace(first, is_published=is_published), *others]


def test_scores_of_a_column_that_is_not_published_are_no_evidence(night):
    night.run()
    unpublish(night, is_published=False)

    night.run()

    assert night.standing("ada").evidence_count == 0


def test_a_full_night_takes_nothing_away_in_a_column_that_is_not_published(night):
    night.score("quiz 2", "ada", 5.0)
    night.run()
    unpublish(night, is_published=False)
    night.book._scores[COURSE] = [graded("quiz 2", "ada", 5.0)]

    assert night.counts(night.run(is_full=True)).scores_changed == 0


def test_a_score_that_no_database_keeps_stops_nothing_and_is_told(night):
    night.score("quiz 1", "ada", float("nan"))
    run = night.run()

    found, (told,) = night.counts(run), night.ask(run_notes.note_lines, run)

    assert (found.courses, found.scores_new, found.scores_skipped) == (1, 2, 1)
    assert "is none: 1." in told.message


def test_a_column_that_no_database_names_stops_nothing(night):
    night.book.columns[COURSE] = [
        column("q" * 300),
        column("half \ud83d"),
        *night.book.columns[COURSE],
    ]

    assert night.counts(night.run()).scores_new == 3


def test_scores_of_a_column_that_came_back_count_again(night):
    night.run()
    columns, night.book.columns[COURSE] = night.book.columns[COURSE], []
    night.run()
    night.book.columns[COURSE] = columns

    night.run()

    assert night.standing("ada").evidence_count == 1


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_course_is_read_whole_when_a_column_is_there_again(night, is_removed):
    night.run()
    columns = night.book.columns[COURSE]
    if is_removed:
        night.book.columns[COURSE] = columns[1:]
    else:
        unpublish(night, is_published=False)
    night.run()
    night.book.columns[COURSE] = columns

    assert night.counts(night.run()).scores_pulled == 3


def test_a_course_is_read_whole_when_somebody_is_new_in_it(night):
    everybody = night.book.people[COURSE]
    night.book.people[COURSE] = [p for p in everybody if p.person.ref != "bo"]
    night.run()
    night.book.people[COURSE] = everybody

    found = night.counts(night.run())

    assert (found.scores_pulled, found.scores_new) == (3, 1)
    assert night.standing("bo").evidence_count == 1


def test_a_course_is_read_whole_when_a_suspended_learner_is_active_again(night):
    night.run()
    night.book.people[COURSE] = [
        replace(p, state=EnrolmentState.ACTIVE) for p in night.book.people[COURSE]
    ]

    assert night.counts(night.run()).scores_pulled == 3


def test_a_whole_reading_that_breaks_off_is_begun_again_as_a_whole_one(night):
    night.run()
    columns, night.book.columns[COURSE] = night.book.columns[COURSE], []
    night.run()
    night.book.columns[COURSE] = columns
    night.clock.advance(hours=24)
    run = night.begin()
    (work,) = night.reach(run, Phase.PULL)
    scores, night.book._scores = night.book._scores, None
    with pytest.raises(AttributeError):
        night.perform(work)
    night.book._scores = scores

    night.perform(work)

    assert night.counts(run).scores_pulled == 3


@pytest.mark.parametrize("more", [{"maximum": 90.0}, {"minimum": 8.0}])
def test_scores_of_a_column_with_another_range_are_worth_something_else(night, more):
    night.run()
    before = night.standing("ada").estimate
    night.book.columns[COURSE] = [replace(one, **more) for one in night.book.columns[COURSE]]

    night.run()

    assert night.standing("ada").estimate < before


def test_a_stream_that_ended_without_its_cursor_takes_nothing_away(engine, clock):
    night = new_night(engine, clock, book=small(HaltingGradebook))
    night.score("quiz 2", "ada", 5.0)
    night.run()
    night.book.is_halting = True
    night.book._scores[COURSE] = night.book._scores[COURSE][-1:]

    found = night.counts(night.run(is_full=True))

    assert found.scores_changed == 0
    assert night.stored_course().cursor is None


def parts(night, **members):
    night.book.parts[COURSE] = [Section(ref=ref, title=ref.title()) for ref in members]
    night.book.people[COURSE] = [
        replace(p, sections=frozenset(ref for ref, who in members.items() if p.person.ref in who))
        for p in night.book.people[COURSE]
    ]


def members(night):
    found = night.ask(sections.sections_of, night.course())
    return {one.title: len(night.ask(sections.members_of, one.id)) for one in found}


def test_sections_and_who_is_in_them_are_kept(night):
    parts(night, morning=["ada", "bo"], evening=["cy"])

    night.run()

    assert members(night) == {"Evening": 1, "Morning": 2}


def test_who_moved_to_another_section_is_there_after_the_next_night(night):
    parts(night, morning=["ada", "bo"], evening=["cy"])
    night.run()
    parts(night, morning=["ada"], evening=["cy", "bo"])

    night.run()

    assert members(night) == {"Evening": 2, "Morning": 1}


def test_sections_known_already_are_not_asked_for_again(night):
    parts(night, morning=["ada", "bo"], evening=["cy"])
    night.run()
    parts(night, morning=["ada"], evening=["cy", "bo"])
    with_known = night.counts(night.run()).api_calls
    parts(night, morning=["ada"], evening=["cy"], late=["bo"])

    assert night.counts(night.run()).api_calls == with_known + 1


def test_a_section_that_its_lms_does_not_list_is_kept_by_its_reference(night):
    parts(night, morning=["ada"])
    night.book.parts[COURSE] = []

    night.run()

    assert members(night) == {"morning": 1}


def test_sections_that_are_gone_are_forgotten(night):
    parts(night, morning=["ada"])
    night.run()
    parts(night)

    night.run()

    assert members(night) == {}


def test_a_user_who_was_merged_into_another_stays_one_learner(night):
    night.run()
    ada = night.learner("ada")
    renamed(night, "ada", "ada2")

    night.run()

    assert night.learner("ada2") == ada
    assert night.standing("ada2").evidence_count == 1
    assert night.cells()["ada2"].words == night.cells()["ada"].words


def renamed(night, ref, to, **more):
    """The LMS calls a person otherwise, and their scores with them."""
    night.book.people[COURSE] = [
        replace(p, person=replace(p.person, ref=to, **more)) if p.person.ref == ref else p
        for p in night.book.people[COURSE]
    ]
    night.book._scores[COURSE] = [
        one._replace(learner_ref=to) if one.learner_ref == ref else one
        for one in night.book._scores[COURSE]
    ]


def test_two_pupils_whose_sis_ids_were_mixed_up_change_places(night):
    night.run()
    ada, bo = night.learner("ada"), night.learner("bo")
    before = night.standing("ada").estimate, night.standing("bo").estimate
    renamed(night, "ada", "ada", sis_id="bo")
    renamed(night, "bo", "bo", sis_id="ada")

    night.run()

    assert (night.learner("ada"), night.learner("bo")) == (bo, ada)
    assert (night.standing("ada").estimate, night.standing("bo").estimate) == before


def test_what_was_kept_in_other_courses_follows_an_account_the_same_night(night):
    beside = CourseRef("c2")
    night.book.course_list.append(course_record("c2", school_ref=SchoolRef("s1")))
    night.book.columns[beside] = night.book.columns[COURSE]
    night.book.people[beside] = night.book.people[COURSE]
    night.book.set_score(beside, graded("quiz 2", "ada", 7.0))
    night.run()
    renamed(night, "ada", "ada", sis_id="somebody new")
    renamed(night, "bo", "bo", sis_id="ada")

    night.run()

    assert night.standing("ada").evidence_count == 2
    assert night.standing("bo").evidence_count == 1


def test_a_column_that_the_lms_links_speaks_for_what_that_names(night):
    night.write(publish, night.tenant, rule(WHATEVER_IS_LINKED, school="school*"))
    night.book.columns[COURSE] = [
        replace(one, links=(("n2",),)) if one.ref == "quiz 1" else one
        for one in night.book.columns[COURSE]
    ]

    night.run()

    assert night.standing("ada", "N.2").evidence_count == 1
