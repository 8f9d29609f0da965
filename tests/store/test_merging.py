"""One person, one learner: accounts follow their SIS ids, and what was kept follows accounts."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from mapping.records import Attempt, ColumnRef, Cursor, EnrolmentState, LearnerRef, PassbackWay
from mapping.score_columns import ScoreColumns
from mapping.status import Status
from store import (
    courses,
    frameworks,
    gradebook,
    judgements,
    merging,
    outbox,
    pace,
    people,
    readings,
    sync_state,
)
from store.judgements import Exclusion, GivenDate, Override
from store.outbox import StandingMark
from store.packing import state_of
from store.readings import Finished
from store.session import writing
from store.tables import (
    attempt_events,
    earlier_attempts,
    enrolments,
    learners,
    passback_marks,
    recompute_queue,
    score_events,
)
from store.tables import courses as stored_courses
from store.tables import outbox as letters
from tests.store.kept import kept
from tests.store.places import (
    FRAMEWORK,
    NOW,
    column,
    new_course,
    new_platform,
    new_tenant,
    pupil,
    score,
)

LATER = NOW + timedelta(days=1)


def read(db, course, *people_there, marks=(), now=NOW):
    """What a night does with a course's roster and scores."""
    stored = courses.course(db, course)
    merging.follow_sis_ids(db, stored, people_there)
    merging.follow_accounts(db, course, now=now)
    roster = courses.save_enrolments(db, course, people_there)
    items = gradebook.save_line_items(db, course, [column("quiz"), column("test")])
    opened = gradebook.start_reading(db, course, items=items, learners=roster)
    gradebook.save_scores(db, opened, ScoreColumns.of(marks), now=now, run=None)
    return roster


def cells(db):
    """Points by learner, whatever the course."""
    found = {}
    for cell in kept(db):
        found.setdefault(cell.learner_id, []).append(cell.points)
    return {learner: sorted(points) for learner, points in found.items()}


def said(db):
    return [
        tuple(row)
        for row in db.execute(
            select(score_events.c.learner_id, score_events.c.points).order_by(score_events.c.id)
        )
    ]


def sis_ids(db):
    return dict(db.execute(select(learners.c.id, learners.c.sis_id)).all())


def marked(db):
    return set(db.execute(select(recompute_queue.c.learner_id)).scalars())


def there(db, course):
    rows = db.execute(select(enrolments.c.learner_id).where(enrolments.c.course_id == course))
    return set(rows.scalars())


@pytest.fixture
def beside(db, district):
    """A course of another LMS of the district."""
    return new_course(db, district, new_platform(db, district, "Moodle", kind="moodle"))


def test_a_learner_whose_sis_id_becomes_known_gets_it(db, algebra):
    (ada,) = read(db, algebra, pupil("17")).values()

    again = read(db, algebra, pupil("17", sis_id="A1"))

    assert again[LearnerRef("17")] == ada
    assert sis_ids(db) == {ada: "A1"}


def test_a_sis_id_that_comes_late_makes_one_learner_of_two(db, algebra, beside):
    (ada,) = read(db, beside, pupil("99", sis_id="A1"), marks=[score("quiz", "99", 3.0)]).values()
    read(db, algebra, pupil("17"), marks=[score("quiz", "17", 7.0)])

    found = read(db, algebra, pupil("17", sis_id="A1"), now=LATER)

    assert found[LearnerRef("17")] == ada
    assert cells(db) == {ada: [3.0, 7.0]}
    assert {learner for learner, _ in said(db)} == {ada}
    assert there(db, algebra) == {ada}


def test_both_learners_are_put_down_for_recomputation(db, algebra, beside):
    (ada,) = read(db, beside, pupil("99", sis_id="A1")).values()
    (nobody,) = read(db, algebra, pupil("17")).values()

    read(db, algebra, pupil("17", sis_id="A1"))

    assert marked(db) == {ada, nobody}


def test_an_lms_that_no_longer_tells_a_sis_id_changes_nothing(db, algebra):
    first = read(db, algebra, pupil("17", sis_id="A1"))

    assert read(db, algebra, pupil("17")) == first
    assert sis_ids(db) == {first[LearnerRef("17")]: "A1"}


def test_a_learner_of_one_account_who_was_renumbered_stays_the_same(db, algebra):
    first = read(db, algebra, pupil("17", sis_id="A1"))

    assert read(db, algebra, pupil("17", sis_id="B1")) == first
    assert sis_ids(db) == {first[LearnerRef("17")]: "B1"}


def test_an_account_corrected_to_another_learner_takes_along_what_was_kept_of_it(
    db, algebra, beside
):
    read(db, beside, pupil("99", sis_id="B1"), marks=[score("quiz", "99", 3.0)])
    read(db, algebra, pupil("17", sis_id="A1"), marks=[score("quiz", "17", 7.0)])

    found = read(db, algebra, pupil("17", sis_id="B1"))

    assert cells(db) == {found[LearnerRef("17")]: [3.0, 7.0]}


def test_an_account_that_was_taken_for_somebody_else_is_a_learner_of_its_own(db, algebra, beside):
    (ada,) = read(db, beside, pupil("99", sis_id="A1"), marks=[score("quiz", "99", 3.0)]).values()
    read(db, algebra, pupil("17", sis_id="A1"), marks=[score("quiz", "17", 7.0)])

    found = read(db, algebra, pupil("17", sis_id="B1"))

    assert found[LearnerRef("17")] != ada
    assert cells(db) == {ada: [3.0], found[LearnerRef("17")]: [7.0]}


def test_two_who_were_taken_for_each_other_change_places(db, algebra):
    marks = [score("quiz", "17", 7.0), score("quiz", "18", 2.0), score("test", "18", 4.0)]
    first = read(db, algebra, pupil("17", sis_id="A1"), pupil("18", sis_id="B1"), marks=marks)
    ada, bo = first[LearnerRef("17")], first[LearnerRef("18")]

    read(db, algebra, pupil("17", sis_id="B1"), pupil("18", sis_id="A1"))

    assert sis_ids(db) == {ada: "A1", bo: "B1"}
    assert cells(db) == {bo: [7.0], ada: [2.0, 4.0]}
    assert sorted(said(db)) == sorted([(bo, 7.0), (ada, 2.0), (ada, 4.0)])


def test_who_takes_over_an_id_and_who_leaves_it_are_kept_apart(db, algebra):
    marks = [score("quiz", "17", 7.0), score("quiz", "18", 2.0)]
    read(db, algebra, pupil("17", sis_id="A1"), pupil("18", sis_id="B1"), marks=marks)

    found = read(db, algebra, pupil("18", sis_id="C1"), pupil("17", sis_id="B1"))

    ids = sis_ids(db)
    assert ids[found[LearnerRef("17")]] == "B1"
    assert ids[found[LearnerRef("18")]] == "C1"
    assert cells(db) == {found[LearnerRef("17")]: [7.0], found[LearnerRef("18")]: [2.0]}


def test_a_merged_user_is_the_same_learner_under_the_new_account(db, algebra):
    first = read(db, algebra, pupil("17", sis_id="A1"), marks=[score("quiz", "17", 7.0)])

    found = read(db, algebra, pupil("20", sis_id="A1"))

    assert found == {"20": first[LearnerRef("17")]}
    assert courses.learner_refs_in(db, algebra) == {first[LearnerRef("17")]: "20"}


def test_of_two_accounts_of_one_learner_in_a_course_the_active_one_speaks(db, algebra):
    gone = pupil("20", sis_id="A1", state=EnrolmentState.SUSPENDED)

    assert list(read(db, algebra, pupil("17", sis_id="A1"), gone)) == ["17"]


def test_other_courses_follow_when_nobody_reads_them(db, district, canvas, algebra, beside):
    second = new_course(db, district, canvas, "c2")
    for course in (algebra, second):
        read(db, course, pupil("17"), marks=[score("quiz", "17", 7.0)])
    (ada,) = read(db, beside, pupil("99", sis_id="A1")).values()
    read(db, algebra, pupil("17", sis_id="A1"))

    merging.follow_everywhere(db, district, now=LATER)

    assert there(db, second) == {ada}
    assert cells(db) == {ada: [7.0, 7.0]}


def test_what_a_whole_reading_said_is_forgotten_where_cells_become_another_learners(
    db, district, canvas, algebra, beside
):
    second = new_course(db, district, canvas, "c2")
    read(db, second, pupil("18"), marks=[score("quiz", "18", 7.0)])
    read(db, algebra, pupil("17"), marks=[score("quiz", "17", 7.0)])
    third = new_course(db, district, canvas, "c3")
    read(db, third, pupil("17"), marks=[score("quiz", "17", 7.0)])
    read(db, beside, pupil("99", sis_id="A1"))
    read(db, algebra, pupil("17", sis_id="A1"))
    db.execute(update(stored_courses).values(whole_digest=b"said"))

    merging.follow_everywhere(db, district, now=LATER)

    kept = select(stored_courses.c.id).where(stored_courses.c.whole_digest.is_not(None))
    assert set(db.execute(kept).scalars()) == {algebra, beside, second}


def test_what_stands_in_our_columns_and_what_is_on_its_way_follow_too(
    db, district, algebra, beside
):
    frameworks.save_framework(db, district, FRAMEWORK)
    strand = frameworks.competencies_of(db, district)[0].id
    roster = read(db, algebra, pupil("17"))
    run = sync_state.start_run(db, district, cause="x", is_full=False, now=NOW)
    place = outbox.save_column(
        db, algebra, strand, way=PassbackWay.WORDS, ref=ColumnRef("k"), now=NOW
    )
    sent = outbox.want(
        db,
        algebra,
        PassbackWay.WORDS,
        marks={(strand, roster[LearnerRef("17")]): StandingMark(words="Mastered", points=None)},
        run=run,
        now=NOW,
    )
    outbox.confirm(db, place, sent, now=NOW)
    read(db, beside, pupil("99", sis_id="A1"))

    found = read(db, algebra, pupil("17", sis_id="A1"))

    ada = found[LearnerRef("17")]
    assert db.execute(select(passback_marks.c.learner_id)).scalars().all() == [ada]
    assert db.execute(select(letters.c.learner_id)).scalars().all() == [ada]


def test_of_two_scores_in_one_cell_the_newer_stays_and_both_are_remembered(db, algebra):
    read(db, algebra, pupil("17"), marks=[score("quiz", "17", 7.0, graded_at=LATER)])
    both = (pupil("17"), pupil("18", sis_id="A1"))
    read(db, algebra, *both, marks=[score("quiz", "18", 2.0, graded_at=NOW)])
    finished = Finished(cursor=Cursor("here"), basis="", is_sweep=True)
    readings.finish_reading(db, algebra, finished, now=NOW)

    found = read(db, algebra, pupil("17", sis_id="A1"))

    ada = found[LearnerRef("17")]
    assert cells(db) == {ada: [7.0]}
    assert said(db) == [(ada, 7.0), (ada, 2.0), (ada, 7.0)]
    assert courses.course(db, algebra).cursor is None


def tries(db):
    rows = db.execute(
        select(
            earlier_attempts.c.learner_id, earlier_attempts.c.number, earlier_attempts.c.points
        ).order_by(earlier_attempts.c.number)
    )
    return [tuple(row) for row in rows]


def test_earlier_attempts_go_along(db, algebra, beside):
    read(db, beside, pupil("99", sis_id="A1"))
    earlier = (Attempt(number=1, points=3.0), Attempt(number=2, points=4.0))
    read(db, algebra, pupil("17"), marks=[score("quiz", "17", 7.0, earlier=earlier)])

    (ada,) = read(db, algebra, pupil("17", sis_id="A1")).values()

    assert tries(db) == [(ada, 1, 3.0), (ada, 2, 4.0)]


def test_of_two_attempts_with_one_number_the_one_graded_later_stays(db, algebra):
    older = Attempt(number=1, points=2.0, graded_at=NOW)
    newer = Attempt(number=1, points=5.0, graded_at=LATER)
    read(db, algebra, pupil("17"), marks=[score("quiz", "17", 7.0, earlier=(newer,))])
    both = (pupil("17"), pupil("18", sis_id="A1"))
    more = (older, Attempt(number=2, points=6.0))
    read(db, algebra, *both, marks=[score("quiz", "18", 2.0, earlier=more)])

    found = read(db, algebra, pupil("17", sis_id="A1"))

    ada = found[LearnerRef("17")]
    assert tries(db) == [(ada, 1, 5.0), (ada, 2, 6.0)]


def attempt_points(db):
    """Points by learner and number, as the newest attempt events tell them."""
    rows = db.execute(select(attempt_events).order_by(attempt_events.c.id))
    return {(row.learner_id, row.number): row.points for row in rows}


def test_of_two_attempts_with_one_number_the_newest_event_is_of_the_one_that_stays(db, algebra):
    newer = Attempt(number=1, points=5.0, graded_at=LATER)
    read(db, algebra, pupil("17"), marks=[score("quiz", "17", 7.0, earlier=(newer,))])
    both = (pupil("17"), pupil("18", sis_id="A1"))
    older = Attempt(number=1, points=2.0, graded_at=NOW)
    read(db, algebra, *both, marks=[score("quiz", "18", 2.0, earlier=(older,))])

    found = read(db, algebra, pupil("17", sis_id="A1"))

    assert attempt_points(db) == {(found[LearnerRef("17")], 1): 5.0}


def judged(db, district, course, learner):
    """An override, an exclusion, a date and a plan, all of one learner."""
    frameworks.save_framework(db, district, FRAMEWORK)
    number = frameworks.competencies_of(db, district)[1].id
    quiz = gradebook.save_line_items(db, course, [column("quiz"), column("test")])["quiz", None]
    said = {"learner": learner, "author": "a teacher", "given_at": NOW}
    given = Override(competency=number, status=Status.MASTERED, reason="Seen.", **said)
    judgements.give_override(db, district, given)
    judgements.exclude(db, district, Exclusion(line_item=quiz, reason="Copied.", **said))
    judgements.give_date(db, district, GivenDate(line_item=quiz, occurred_at=NOW, **said))
    pace.save_own_plan(db, learner, {number: LATER})


def told_of(db, district, learner):
    """Kinds of what was said of a learner."""
    plan = ["plan"] * pace.own_plans(db, [learner]).owner.size
    said = judgements.everything_said(db, district, learner)
    return sorted([*(type(one).__name__ for one in said), *plan])


def test_what_was_said_of_a_learner_goes_along_with_their_last_account(
    db, district, algebra, beside
):
    read(db, beside, pupil("99", sis_id="A1"))
    (stray,) = read(db, algebra, pupil("17")).values()
    judged(db, district, algebra, stray)

    (ada,) = read(db, algebra, pupil("17", sis_id="A1")).values()

    assert told_of(db, district, ada) == ["Exclusion", "GivenDate", "Override", "plan"]
    assert told_of(db, district, stray) == []


def test_what_was_said_whatever_the_course_stays_with_who_keeps_an_account(
    db, district, algebra, beside
):
    read(db, algebra, pupil("17", sis_id="A1"))
    (ada,) = read(db, beside, pupil("99", sis_id="A1")).values()
    judged(db, district, algebra, ada)

    (other,) = read(db, algebra, pupil("17", sis_id="B1")).values()

    assert told_of(db, district, ada) == ["Override", "plan"]
    assert told_of(db, district, other) == ["Exclusion", "GivenDate"]


def test_learners_of_two_districts_are_never_made_one(db, algebra):
    other = new_tenant(db, "Other")
    theirs = new_course(db, other, new_platform(db, other))
    (stranger,) = read(db, theirs, pupil("17", sis_id="A1")).values()
    read(db, algebra, pupil("17"))

    found = read(db, algebra, pupil("17", sis_id="A1"))

    assert found[LearnerRef("17")] != stranger


_ids = st.sampled_from(["A1", "B1", "C1", None])
_rosters = st.lists(
    st.dictionaries(st.sampled_from(["17", "18", "19"]), _ids, min_size=1), min_size=1, max_size=5
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rosters=_rosters)
def test_whatever_ids_come_and_go_cells_are_their_newest_events_and_reading_again_changes_nothing(
    engine, rosters
):
    with writing(engine) as db:
        tenant = new_tenant(db)
        platform = new_platform(db, tenant)
        course = new_course(db, tenant, platform, f"c{len(courses.courses_of(db, tenant))}")
        for points, roster in enumerate(rosters):
            enrolled = [pupil(ref, sis_id=sis_id) for ref, sis_id in roster.items()]
            marks = [score("quiz", ref, float(points)) for ref in roster]
            last = read(db, course, *enrolled, marks=marks)
        again = read(db, course, *enrolled)
        accounts = people.known_people(db, platform, list(rosters[-1]))
        by_sis = people.learners_by_sis_id(db, tenant, [sis for sis in rosters[-1].values() if sis])
        now = [(one.line_item_id, one.learner_id, one.state, one.points) for one in kept(db)]
        past = db.execute(
            select(
                score_events.c.line_item_id,
                score_events.c.learner_id,
                state_of(score_events.c.flags),
                score_events.c.points,
            ).order_by(score_events.c.id)
        ).all()

    assert again == last
    assert {row[:2]: row[2:] for row in now} == {row[:2]: row[2:] for row in past}
    assert all(by_sis[sis] == accounts[ref].learner for ref, sis in rosters[-1].items() if sis)
