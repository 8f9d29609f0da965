"""A district with a gradebook in memory, and its nights, without any queue."""

from dataclasses import dataclass, replace

from sqlalchemy import Engine, select

from connectors.errors import RetryLater
from mapping.evidence.tables import View
from mapping.records import (
    CourseRef,
    LearnerRef,
    Mode,
    PassbackWay,
    PlatformId,
    RunId,
    Score,
    TenantId,
    WriteOutcome,
    WriteState,
)
from store import courses, frameworks, registrations, run_reports, standings, sync_state
from store.session import reading, writing
from store.sync_state import Phase
from store.tables import outbox
from tests.conftest import Clock
from tests.contracts.fake import FakeGradebook, graded, small_gradebook
from tests.store.places import new_platform, new_school, new_tenant, publish, rule, set_rule
from workers import passback, plan, recompute, schedule, sync
from workers.work import Work

COURSE = CourseRef("c1")


@dataclass
class UnseenGradebook(FakeGradebook):
    """Takes marks and does not say so; they arrive, or they do not."""

    is_arriving: bool = True
    is_silent: bool = True

    def write_marks(self, course, writes, *, now):
        if not self.is_silent:
            return super().write_marks(course, writes, now=now)
        if self.is_arriving:
            super().write_marks(course, writes, now=now)
        unseen = WriteState.UNCONFIRMED
        return [
            [WriteOutcome(learner_ref=mark.learner_ref, state=unseen) for mark in one.marks]
            for one in writes
        ]


@dataclass
class RenewedGradebook(FakeGradebook):
    """Makes a deleted column anew under another reference, as an LMS does."""

    generation: int = 1

    def ensure_column(self, course, spec):
        return super().ensure_column(course, replace(spec, tag=f"{spec.tag}/{self.generation}"))

    def delete_columns(self) -> None:
        self.marks.clear()
        self.generation += 1


@dataclass
class Night:
    """``run`` does what a night does: plan, pull, compute, push.

    Courses are read whole by hand only, but where a test says otherwise: which day is a course's
    own depends on its id.
    """

    engine: Engine
    clock: Clock
    book: FakeGradebook
    tenant: TenantId
    platform: PlatformId
    sweep_days: int = 0

    def begin(self, *, is_full: bool = False) -> RunId:
        return schedule.begin_run(
            self.engine, self.tenant, cause="by hand", is_full=is_full, now=self.clock()
        )

    def take(self, run: RunId) -> list[Work]:
        """Everything due now, claimed."""
        with writing(self.engine) as connection:
            due = sync_state.due_items(connection, run, now=self.clock())
            leases = [sync_state.claim(connection, item.id, now=self.clock()) for item, _ in due]
            found = sync_state.run(connection, run)
        return [
            Work(
                engine=self.engine,
                lease=lease,
                run=found,
                now=self.clock,
                sweep_days=self.sweep_days,
            )
            for lease in leases
            if lease is not None
        ]

    def perform(self, work: Work) -> None:
        item = work.lease.item
        self.book.calls = 0
        match item.phase:
            case Phase.PLAN:
                plan.plan_platform(self.book, work, PlatformId(item.part))
            case Phase.PULL:
                sync.sync_course(self.book, work, item.course)
            case Phase.COMPUTE:
                recompute.recompute_part(work)
            case _:
                passback.push_course(self.book, work, item.course)

    def reach(self, run: RunId, phase: Phase) -> list[Work]:
        """Do everything before a phase; what is due in it, claimed."""
        while (reached := schedule.advance(self.engine, run, now=self.clock())) is not phase:
            assert reached is not Phase.DONE, f"the run has nothing to do in {phase}"
            for work in self.take(run):
                self.perform(work)
        return self.take(run)

    def run(self, *, is_full: bool = False) -> RunId:
        self.clock.advance(hours=24)
        run = self.begin(is_full=is_full)
        self.reach(run, Phase.DONE)
        return run

    def score(self, item: str, learner: str, points: float) -> None:
        self.put(graded(item, learner, points))

    def put(self, score: Score) -> None:
        self.book.set_score(COURSE, score)

    def counts(self, run: RunId):
        return self.ask(run_reports.counts, run)

    def troubles(self, run: RunId):
        return self.ask(run_reports.troubles, run)

    def ask(self, question, *arguments, **options):
        with reading(self.engine) as connection:
            return question(connection, *arguments, **options)

    def write(self, change, *arguments, **options):
        with writing(self.engine) as connection:
            return change(connection, *arguments, **options)

    def course(self):
        return self.ask(registrations.find_course, self.platform, COURSE)

    def learner(self, ref: str):
        return self.ask(registrations.find_learner, self.platform, LearnerRef(ref))

    def competency(self, code: str):
        found = self.ask(frameworks.competencies_of, self.tenant)
        return next(one.id for one in found if one.code == code)

    def standing(self, ref: str, code: str = "N.1", view: View = View.TEACHER):
        learner = self.learner(ref)
        found = self.ask(standings.standings_of, [learner])
        return found.get((learner, self.competency(code), view))

    def cells(self):
        """What Waymark's columns say, by learner; there is one column in these courses."""
        return {ref: mark for column in self.book.marks.values() for ref, mark in column.items()}

    def letters(self):
        rows = self.ask(
            lambda c: c.execute(select(outbox.c.words, outbox.c.state, outbox.c.reason)).all()
        )
        return [tuple(row) for row in rows]

    def stored_course(self):
        return self.ask(courses.course, self.course())


def new_night(
    engine: Engine,
    clock: Clock,
    *,
    book: FakeGradebook | None = None,
    way: PassbackWay = PassbackWay.WORDS,
    kind: str = "canvas",
    mode: Mode = Mode.OFFICIAL,
    is_agreed: bool = True,
    is_mapped: bool = True,
) -> Night:
    """A district with a mapping of all quizzes to one competency, and a rule of one piece."""
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant, kind=kind)
        new_school(connection, tenant, platform, way=way, mode=mode, is_agreed=is_agreed)
        if is_mapped:
            publish(connection, tenant, rule("N.1", line_item="quiz*"))
        set_rule(connection, tenant)
    return Night(
        engine=engine, clock=clock, book=book or small_gradebook(), tenant=tenant, platform=platform
    )


def down() -> RetryLater:
    return RetryLater("The LMS is down for maintenance.", cause="maintenance", platform="Canvas")


def small(kind: type[FakeGradebook], **more):
    """The small gradebook with the ways of a special one."""
    plain = small_gradebook()
    return kind(
        course_list=plain.course_list,
        people=plain.people,
        columns=plain.columns,
        _scores=plain._scores,
        **more,
    )
