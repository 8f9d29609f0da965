"""Marks that are due: nothing out of date is missed, and no death loses or doubles a mark."""

import random
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest

from connectors.errors import GiveUp
from mapping.records import Course, CourseRef, LearnerRef, Mode, PassbackWay, SchoolRef
from store import due, frameworks, modes, sync_state, ways
from store.sync_state import Phase
from tests.contracts.fake import FakeGradebook, graded
from tests.store.places import BY, FRAMEWORK, column, publish, pupil, rule, set_rule
from tests.workers.night import COURSE, UnseenGradebook, new_night, small
from workers import passback
from workers.desk import set_desk
from workers.work import Work

ADA = LearnerRef("ada")
OTHER = CourseRef("c2")


class Killed(BaseException):
    """The process is gone."""


@dataclass
class CountingGradebook(FakeGradebook):
    """Counts what is written, and may kill whoever writes, before or after it arrived."""

    written: Counter = field(default_factory=Counter)
    kills: str = ""

    def write_marks(self, course, writes, *, now):
        if self.kills == "before":
            raise Killed
        for one in writes:
            self.written.update((one.column, m.learner_ref, m.words) for m in one.marks)
        outcomes = super().write_marks(course, writes, now=now)
        if self.kills == "after":
            raise Killed
        return outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class MortalWork(Work):
    """Dies when so many transactions are committed."""

    dies_after: int
    commits: list = field(default_factory=list)

    @contextmanager
    def writing(self):
        if len(self.commits) == self.dies_after:
            raise Killed
        with Work.writing(self) as connection:
            yield connection
        self.commits.append(1)


def counting_night(engine, clock):
    night = new_night(engine, clock, book=small(CountingGradebook))
    night.write(publish, night.tenant, rule("N.1", line_item="quiz*"), rule("L.1"))
    return night


def mortal(work, commits):
    return MortalWork(
        engine=work.engine, lease=work.lease, run=work.run, now=work.now, dies_after=commits
    )


def is_settled(night):
    """Nothing is due and no letter is open."""
    return (
        night.ask(due.due_in, night.course()) == due.Due()
        and {state for _, state, _ in night.letters()} <= {"confirmed", "superseded"}
        and not unwritten(night)
    )


def unwritten(night):
    """What whole desks of all courses would still write."""
    found = []
    for way in night.ask(ways.course_ways, night.tenant):
        desk = night.ask(set_desk, way.id, now=night.clock())
        if way.is_written:
            found += [mark for strand in desk.desired for mark in desk.plan(strand).writes]
    return found


# A push of two columns commits: letters, each column and its letters sent, outcomes, the end.
@pytest.mark.parametrize("commits", range(8))
def test_whoever_dies_between_two_transactions_leaves_marks_due_or_letters_open(
    engine, clock, commits
):
    night = counting_night(engine, clock)
    (work,) = night.reach(night.begin(), Phase.PUSH)
    # The push of the last case is over before it would die.
    with suppress(Killed):
        passback.push_course(night.book, mortal(work, commits), work.lease.item.course)

    night.run()

    assert is_settled(night)
    assert len(night.cells()) == 2
    assert set(night.book.written.values()) == {1}


@pytest.mark.parametrize("kills", ["before", "after"])
def test_whoever_dies_while_sending_is_followed_by_who_reads_first(engine, clock, kills):
    night = counting_night(engine, clock)
    (work,) = night.reach(night.begin(), Phase.PUSH)
    night.book.kills = kills
    with pytest.raises(Killed):
        night.perform(work)
    night.book.kills = ""

    night.run()

    assert is_settled(night)
    assert set(night.book.written.values()) == {1}


def push(night, *, failure=None, is_silent=False):
    """A night whose gradebook has a trouble when it is written to."""
    night.clock.advance(hours=24)
    run = night.begin()
    (work,) = night.reach(run, Phase.PUSH)
    night.book.failure, night.book.is_silent = failure, is_silent
    night.perform(work)
    night.book.failure, night.book.is_silent = None, False
    night.reach(run, Phase.DONE)


def test_a_status_that_changed_back_while_a_mark_was_unsettled_is_written_again(engine, clock):
    night = new_night(engine, clock, book=small(UnseenGradebook, is_silent=False))
    night.run()
    night.score("quiz 1", "ada", 1.0)
    push(night, is_silent=True)
    night.score("quiz 1", "ada", 9.0)
    push(night, failure=GiveUp("The column is closed.", cause="column_gone"))

    night.run()

    assert is_settled(night)
    assert night.cells()[ADA].words.startswith("Mastered")


def test_a_mark_that_could_not_be_written_stays_due(night):
    night.run()
    (cells,) = night.book.marks.values()
    cells[ADA] = replace(cells[ADA], words="Excellent", is_ours=False)
    night.score("quiz 1", "ada", 1.0)

    night.run()

    assert set(night.ask(due.due_in, night.course()).learners) == {night.learner("ada")}


def test_a_run_looks_at_learners_that_are_due_alone(night):
    night.run()
    night.score("quiz 1", "bo", 10.0)
    night.clock.advance(hours=24)

    night.reach(night.begin(), Phase.PUSH)

    found = night.ask(due.due_in, night.course())
    assert set(found.learners) == {night.learner("bo")}
    assert found.whole is None


def test_a_sweep_looks_at_the_whole_course(night):
    night.run()
    night.clock.advance(hours=24)

    night.reach(night.begin(is_full=True), Phase.PUSH)

    assert night.ask(due.due_in, night.course()).whole is not None


class District:
    """Two courses with learners in common, and everything that may happen to their marks."""

    def __init__(self, engine, clock, seed):
        self.draw = random.Random(seed)
        self.night = new_night(engine, clock, book=small(CountingGradebook))
        book = self.night.book
        book.course_list.append(
            Course(ref=OTHER, title="Biology", code="BIO", school_ref=SchoolRef("s1"))
        )
        book.people[OTHER] = [pupil(name, sis_id=name) for name in ("ada", "bo", "di")]
        book.columns[OTHER] = [column("quiz 1"), column("essay")]
        book.set_score(OTHER, graded("essay", "di", 8.0))

    def change(self):
        for act in self.draw.sample(self.acts, k=2):
            act(self)

    def score(self):
        course = self.draw.choice([COURSE, OTHER])
        item = self.draw.choice(["quiz 1", "quiz 2"] if course == COURSE else ["quiz 1", "essay"])
        learner = self.draw.choice(["ada", "bo"])
        self.night.book.set_score(course, graded(item, learner, self.draw.uniform(0, 10)))

    def come_or_go(self):
        people = self.night.book.people[OTHER]
        names = {one.person.ref for one in people}
        who = self.draw.choice(["ada", "bo", "di", "ed"])
        self.night.book.people[OTHER] = (
            [one for one in people if one.person.ref != who]
            if who in names
            else [*people, pupil(who, sis_id=who)]
        )

    def align(self):
        rules = [rule("N.1", line_item="quiz*"), rule("N.2", line_item="essay"), rule("L.1")]
        chosen = self.draw.sample(rules, k=self.draw.choice([1, 2, 3]))
        self.night.write(publish, self.night.tenant, *chosen, now=self.night.clock())

    def rename(self):
        named = tuple(replace(one, statement=f"{one.statement}!") for one in FRAMEWORK.competencies)
        framework = replace(FRAMEWORK, competencies=named)
        self.night.write(frameworks.save_framework, self.night.tenant, framework)
        self.night.write(due.put_down_tenant, self.night.tenant, now=self.night.clock())

    def judge_otherwise(self):
        mastered = self.draw.choice([2.5, 3.0, 3.5])
        self.night.write(set_rule, self.night.tenant, now=self.night.clock(), mastered=mastered)

    def choose(self):
        course = self.draw.choice(self.night.ask(ways.course_ways, self.night.tenant) or [None])
        if course is not None:
            way = self.draw.choice([None, PassbackWay.MARK_NOT_COUNTED, PassbackWay.NONE])
            self.night.write(ways.set_course_way, course.id, way, author=BY)
            mode = self.draw.choice([None, None, Mode.PUBLISHED])
            options = {"mode": mode, "author": BY}
            self.night.write(modes.set_course_mode, self.night.tenant, course.id, **options)

    acts = (score, score, come_or_go, align, rename, judge_otherwise, choose)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_looking_at_what_is_due_writes_what_looking_at_all_would(
    engine, clock, seed
):
    district = District(engine, clock, seed)
    district.night.run()
    left = []
    for _ in range(5):
        district.change()
        district.night.run()
        left.append(unwritten(district.night))

    assert left == [[]] * 5
    assert district.night.book.written.total() > 4


def test_a_total_that_another_course_changes_is_written_in_all(engine, clock):
    district = District(engine, clock, seed=0)
    night = district.night
    night.run()
    rules = [rule("N.1", line_item="quiz*"), rule("N.2", line_item="essay")]
    night.write(publish, night.tenant, *rules, now=clock())

    night.run()

    (own,) = [cells for ref, cells in night.book.marks.items() if ref.startswith("c1/")]
    assert {mark.words[-27:] for mark in own.values()} == {"of 2 competencies mastered)"}
    assert unwritten(night) == []


def test_a_course_without_news_has_no_work(night):
    night.run()
    night.clock.advance(hours=24)

    run = night.begin()
    night.reach(run, Phase.DONE)

    assert night.ask(sync_state.count_items, run, Phase.PUSH) == 0
