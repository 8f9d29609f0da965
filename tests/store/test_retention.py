"""What is old and of no more use goes; what anything stands on stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from mapping.records import CourseRef, PassbackWay
from store import outbox, retention, signals, sync_state
from store.outbox import OutboxState, StandingMark
from store.refreshes import RefreshCause, request_refreshes
from store.session import reading, writing
from store.sync_state import Phase
from store.tables import (
    course_signals,
    learners,
    refresh_requests,
    run_alarms,
    runs,
    work_items,
    work_notes,
)
from store.tables import outbox as letters
from tests.store import places
from tests.store.places import NOW

OLD = NOW - timedelta(days=500)
BEFORE = NOW - timedelta(days=400)
DAY = timedelta(days=1)


class Archive:
    """A district with a course, whose runs of any day are made with one call."""

    def __init__(self, engine):
        self.engine = engine
        with writing(engine) as db:
            self.tenant = places.new_tenant(db)
            self.platform = places.new_platform(db, self.tenant)
            self.course = places.new_course(db, self.tenant, self.platform)
            places.publish(db, self.tenant)
            places.enrol(db, self.course, "ada")
            self.learner = db.execute(select(learners.c.id)).scalar_one()
            self.strand = places.competency_ids(db, self.tenant)["N"]

    def run(self, at, *, cause="nightly", is_over=True):
        with writing(self.engine) as db:
            run = sync_state.start_run(db, self.tenant, cause=cause, is_full=False, now=at)
            sync_state.add_items(db, run, Phase.PULL, places=[(self.course, 0)])
            ((item, _),) = sync_state.due_items(db, run, now=at)
            db.execute(insert(work_notes).values(work_item_id=item.id, cause="x", message="y"))
            db.execute(insert(run_alarms).values(run_id=run, kind="x", message="y", at=at))
            if is_over:
                sync_state.enter_phase(db, run, Phase.DONE, now=at)
        return run

    def letter(self, run, at, words, *, state=OutboxState.CONFIRMED):
        with writing(self.engine) as db:
            marks = {(self.strand, self.learner): StandingMark(words=words, points=None)}
            (letter,) = outbox.want(
                db, self.course, PassbackWay.WORDS, marks=marks, run=run, now=at
            )
            if state is OutboxState.SENT:
                outbox.take_to_send(db, [letter], now=at)
            elif state is not OutboxState.WANTED:
                outbox.settle(db, {letter: ""}, state, now=at)

    def purge(self):
        return retention.purge(self.engine, before=BEFORE, now=NOW)

    def count(self, table):
        with reading(self.engine) as db:
            return db.execute(select(func.count()).select_from(table)).scalar_one()

    def words(self):
        with reading(self.engine) as db:
            return db.execute(select(letters.c.words).order_by(letters.c.id)).scalars().all()


@pytest.fixture
def archive(engine):
    return Archive(engine)


def test_the_parts_of_old_runs_go_and_the_runs_themselves_stay(archive):
    archive.run(OLD)
    archive.run(NOW - DAY)

    gone = archive.purge()

    assert (gone["parts of old runs"], gone["notes of old runs"], gone["alarms of old runs"]) == (
        1,
        1,
        1,
    )
    assert [archive.count(one) for one in (runs, work_items, work_notes, run_alarms)] == [
        2,
        1,
        1,
        1,
    ]


def test_the_newest_run_of_each_kind_stays_whole_however_old(archive):
    archive.run(OLD)
    archive.run(OLD, cause="by hand")

    archive.purge()

    assert archive.count(work_items) == 2


def test_a_run_that_never_ended_is_not_touched(archive):
    archive.run(OLD, is_over=False)
    archive.run(NOW - DAY)

    archive.purge()

    assert archive.count(work_items) == 2


def test_of_settled_letters_the_last_word_on_each_mark_stays(archive):
    run = archive.run(OLD)
    for day, words in enumerate(("Emerging", "Developing", "Mastered")):
        archive.letter(run, OLD + day * DAY, words)

    gone = archive.purge()

    assert gone["replaced marks"] == 2
    assert archive.words() == ["Mastered"]


@pytest.mark.parametrize("state", [OutboxState.SENT, OutboxState.WANTED])
def test_a_letter_that_is_not_settled_stays_whatever_its_age(archive, state):
    run = archive.run(OLD)
    archive.letter(run, OLD, "Emerging", state=state)
    if state is OutboxState.SENT:
        archive.letter(run, NOW - DAY, "Mastered")

    archive.purge()

    assert archive.words()[0] == "Emerging"


def test_a_letter_that_was_settled_lately_stays(archive):
    run = archive.run(OLD)
    archive.letter(run, NOW - DAY, "Emerging")
    archive.letter(run, NOW - DAY, "Mastered")

    archive.purge()

    assert archive.words() == ["Emerging", "Mastered"]


def test_what_nobody_took_up_for_a_week_goes(archive):
    with writing(archive.engine) as db:
        request_refreshes(
            db, [archive.course], cause=RefreshCause.TEACHER, now=NOW - timedelta(days=8)
        )
        signals.note(db, archive.platform, [CourseRef("c1")], now=NOW - timedelta(days=8))

    archive.purge()

    assert (archive.count(refresh_requests), archive.count(course_signals)) == (0, 0)


def test_what_was_asked_for_this_week_stays(archive):
    with writing(archive.engine) as db:
        request_refreshes(db, [archive.course], cause=RefreshCause.TEACHER, now=NOW - DAY)

    archive.purge()

    assert archive.count(refresh_requests) == 1


def test_counting_takes_nothing_out_and_tells_what_would_go(archive):
    archive.run(OLD)
    archive.run(NOW - DAY)

    found = retention.count_old(archive.engine, before=BEFORE, now=NOW)

    assert found == archive.purge()
    assert retention.count_old(archive.engine, before=BEFORE, now=NOW) == dict.fromkeys(found, 0)


def test_what_goes_is_more_than_one_batch(archive, engine):
    run = archive.run(OLD)
    archive.run(NOW - DAY)
    with writing(engine) as db:
        places_ = [(archive.course, part) for part in range(1, 2 * retention.BATCH + 1)]
        sync_state.add_items(db, run, Phase.PULL, places=places_)

    gone = archive.purge()

    assert gone["parts of old runs"] == 2 * retention.BATCH + 1
    assert archive.count(work_items) == 1
