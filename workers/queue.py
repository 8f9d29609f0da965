"""The queue: which jobs carry which work items. RQ carries, the database knows.

Jobs carry the ids of work items and nothing else. A job that is lost, doubled or run late does
no harm: the items are claimed in the database under a lease. ``tend`` puts what is due into the
queue, so it both starts a run and repairs one. A run has few jobs in the queue at a time, and
whoever finishes one puts in the next: so runs of several districts take turns.
"""

import logging
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from redis import RedisError
from rq import Queue, Retry
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now as utc_now
from rq.worker import Worker
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.container import Container
from mapping.records import CourseId, RunId, TenantId
from store import dead, dispatch, pauses, refreshes, sync_state
from store.refreshes import RefreshCause
from store.session import reading, writing
from store.sync_state import Phase, Run
from workers import fair_shares, schedule
from workers.fair_shares import Chunk

log = logging.getLogger(__name__)

QUEUE_NAME = "waymark"
TEND_EVERY = timedelta(seconds=5)
_TENDED_BY_LOOKING_SECONDS = 1.0
_TENDED_KEY = "waymark:tended"
_JOB_SECONDS = 3_600
_RESULT_SECONDS = 3_600
_FAILURE_SECONDS = 7 * 24 * 3_600
_STARTING = timedelta(seconds=20)
"""So long a job that was taken from the queue may take to take up its first item."""


class Refresh(Enum):
    """What comes of asking for a course out of turn."""

    STARTED = "started"
    WAITING = "waiting"
    """A run is under way: it reads the course, or the course is read right after it."""
    ASKED_BEFORE = "asked before"
    """Somebody asked a short while ago, and the course is read soon."""
    PAUSED = "paused"
    """Waymark is paused: the course is read once it goes on."""


def open_queue(container: Container) -> Queue:
    """The one queue of this installation."""
    return Queue(QUEUE_NAME, connection=container.redis, serializer=JSONSerializer)


def enqueue_run(
    container: Container,
    tenant: TenantId,
    *,
    cause: str = schedule.BY_HAND,
    is_full: bool = False,
    is_dry: bool = False,
) -> RunId:
    """Begin a run, or take up the tenant's unfinished one, and put its work into the queue."""
    run_id = schedule.begin_run(
        container.engine,
        tenant,
        cause=cause,
        is_full=is_full,
        is_dry=is_dry,
        now=container.now(),
    )
    tend(container, run_id)
    return run_id


def enqueue_due_nights(container: Container) -> tuple[RunId, ...]:
    """Begin every night that is due, and bring on whatever has not ended.

    Returns:
        The runs that were begun now.
    """
    begun = []
    for tenant, zone in schedule.tenants(container.engine):
        run_id = schedule.begin_due_night(
            container.engine,
            tenant,
            at=container.settings.sync_at,
            zone=container.settings.sync_timezone or zone,
            now=container.now(),
        )
        if run_id is not None:
            begun.append(run_id)
    tend_all(container)
    return tuple(begun)


def enqueue_refresh(
    container: Container, tenant: TenantId, course: CourseId, *, cause: RefreshCause, by: str = ""
) -> Refresh:
    """Ask for one course to be read out of turn, and begin with it where nothing is in the way.

    Args:
        container: Where.
        tenant: Whose course.
        course: Which.
        cause: Why.
        by: Who asks, for the record.

    Returns:
        What comes of it.
    """
    with writing(container.engine) as connection:
        is_paused = pauses.pause_of(connection, tenant) is not None
        was_asked = refreshes.is_requested(connection, course)
        if not was_asked:
            refreshes.request_refreshes(
                connection, [course], cause=cause, by=by, now=container.now()
            )
    if is_paused:
        return Refresh.PAUSED
    if bring_on(container, tenant) is not None:
        return Refresh.STARTED
    return Refresh.ASKED_BEFORE if was_asked else Refresh.WAITING


def enqueue_retries(
    container: Container, tenant: TenantId, *, cause: str | None = None, by: str
) -> int:
    """Try again what failed and was not done since, now or right after the run under way.

    Args:
        container: Where.
        tenant: Whose.
        cause: Only what failed for this cause; None for all.
        by: Who asks, for the record.

    Returns:
        How many courses are read again.
    """
    with writing(container.engine) as connection:
        asked = dead.try_again(connection, tenant, cause=cause, by=by, now=container.now())
    bring_on(container, tenant)
    return len(asked)


def bring_on(container: Container, tenant: TenantId) -> RunId | None:
    """Begin reading what was asked for out of turn, where nothing is in the way.

    Returns:
        The run that was begun now.
    """
    run_id = schedule.begin_refresh(container.engine, tenant, now=container.now())
    if run_id is not None:
        tend(container, run_id)
    return run_id


def go_on(container: Container, tenant: TenantId) -> None:
    """Bring on at once what waited for the end of a tenant's pause."""
    with writing(container.engine) as connection:
        unfinished = sync_state.unfinished_runs(connection, tenant)
        for run in unfinished:
            dispatch.resume_waiting(connection, run.id, cause=pauses.PAUSED)
    for run in unfinished:
        tend(container, run.id)
    bring_on(container, tenant)


def tend_all(container: Container) -> None:
    """Bring every run on that has not ended, and begin what was asked for out of turn."""
    with reading(container.engine) as connection:
        unfinished = sync_state.unfinished_runs(connection)
        asked = refreshes.tenants_asked(connection)
    for run in unfinished:
        tend(container, run.id)
    for tenant in asked:
        bring_on(container, tenant)


def look_round(container: Container) -> None:
    """Do as ``tend_all``, unless another process did a moment ago; trouble is left for later."""
    try:
        if _is_my_turn(container):
            tend_all(container)
    except (RedisError, SQLAlchemyError) as error:
        log.warning("runs are tended later: %s", type(error).__name__)


def ask_to_tend(container: Container) -> None:
    """Have a worker do as ``tend_all``, unless one did a moment ago; the database is not asked.

    This is what idle workers do, whose own process must not open the database: their jobs are
    forked from it.
    """
    if _is_my_turn(container):
        open_queue(container).enqueue(
            "workers.jobs.tend_all",
            at_front=True,
            job_timeout=_JOB_SECONDS,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
        )


def tend(container: Container, run_id: RunId) -> Phase:
    """Bring a run on: into its next phase if it is due, and due work into the queue.

    Harmless however many do it at once: they mark in turn what they put into the queue.

    Returns:
        The phase the run is in.
    """
    brought = _brought_on(container, run_id)
    _enqueue(container, brought.run, brought.chunks)
    return brought.phase


def tend_and_go_on(container: Container, run_id: RunId) -> Sequence[int]:
    """As ``tend``, but the next job is the caller's, unless it is of another run.

    A process that has work in hand begins the next sooner than one that is forked for it, and it
    knows the statements already.

    Returns:
        The items that the caller works on now; none where the queue has its turn.
    """
    is_queue_empty = open_queue(container).is_empty()
    brought = _brought_on(container, run_id)
    own, others = brought.chunks[:1], brought.chunks[1:]
    if not is_queue_empty:
        own, others = (), brought.chunks
    _enqueue(container, brought.run, others)
    if own:
        return own[0].items
    return _taken_from_queue(container, brought.run)


class Watch:
    """A run seen from outside, until it has ended.

    Its workers bring it on. So does who looks, for a run whose workers died; but not at every
    look, for it costs more than looking.
    """

    def __init__(self, container: Container, run_id: RunId) -> None:
        self._container = container
        self._run = run_id
        self._tended_at = -math.inf

    def look(self) -> Phase:
        """The phase the run is in."""
        now = time.monotonic()
        if now - self._tended_at >= _TENDED_BY_LOOKING_SECONDS:
            self._tended_at = now
            return tend(self._container, self._run)
        with reading(self._container.engine) as connection:
            return sync_state.run(connection, self._run).phase


def depth(container: Container) -> int:
    """Jobs that wait in the queue."""
    return open_queue(container).count


def live_workers(container: Container) -> int:
    """Worker processes that serve the queue now."""
    return Worker.count(queue=open_queue(container))


@dataclass(frozen=True, slots=True, kw_only=True)
class _BroughtOn:
    """A run, the phase it is in now, and the jobs that are marked and in no queue yet."""

    run: Run
    phase: Phase
    chunks: Sequence[Chunk] = ()


def _brought_on(container: Container, run_id: RunId) -> _BroughtOn:
    phase = schedule.advance(container.engine, run_id, now=container.now())
    with reading(container.engine) as connection:
        run = sync_state.run(connection, run_id)
        is_paused = pauses.pause_of(connection, run.tenant) is not None
        in_hand = dispatch.jobs_in_hand(connection, run_id, now=container.now())
    if phase is Phase.DONE:
        bring_on(container, run.tenant)
    if phase is Phase.DONE or is_paused:
        return _BroughtOn(run=run, phase=phase)
    sure = {job for job, carried in in_hand.items() if carried.is_sure}
    alive = sure | _alive(open_queue(container), in_hand.keys() - sure)
    share = fair_shares.Share(
        workers=live_workers(container), threads=container.settings.threads, alive=alive
    )
    with writing(container.engine) as connection:
        sync_state.hold_run(connection, run.id)
        chunks = fair_shares.take(connection, run, share, now=container.now())
    return _BroughtOn(run=run, phase=phase, chunks=chunks)


def _enqueue(container: Container, run: Run, chunks: Sequence[Chunk]) -> None:
    queue = open_queue(container)
    for chunk in chunks:
        queue.enqueue(
            "workers.jobs.work_on",
            list(chunk.items),
            job_id=chunk.job,
            at_front=chunk.is_overdue or run.cause == schedule.REFRESH,
            job_timeout=_JOB_SECONDS,
            result_ttl=_RESULT_SECONDS,
            failure_ttl=_FAILURE_SECONDS,
            # A job whose worker died is run again; what it had finished it finds finished.
            retry=Retry(max=3),
        )


def _taken_from_queue(container: Container, run: Run) -> Sequence[int]:
    """Take the next job out of the queue, where it is a run's; nobody else gets it then."""
    queue = open_queue(container)
    for name in queue.get_job_ids(0, 1):
        with writing(container.engine) as connection:
            items = dispatch.take_over(connection, run.id, name, now=container.now())
        # A worker may have taken it since.
        if items and queue.remove(name):
            Job(name, connection=queue.connection, serializer=JSONSerializer).delete(
                remove_from_queue=False
            )
            return items
    return ()


def _alive(queue: Queue, jobs: Collection[str]) -> frozenset[str]:
    """Jobs that wait in the queue, or that a worker has just taken from it.

    One that was taken and holds nothing died with its worker. RQ sees that after a minute and a
    half; here its items go into another job at once, and whoever claims one first has it.
    """
    if not jobs:
        return frozenset()
    waiting = set(jobs).intersection(queue.job_ids)
    taken = sorted(set(jobs) - waiting)
    found = Job.fetch_many(taken, connection=queue.connection, serializer=JSONSerializer)
    return frozenset(waiting | {job.id for job in found if job is not None and _is_starting(job)})


def _is_starting(job: Job) -> bool:
    if job.get_status() is not JobStatus.STARTED or job.started_at is None:
        return False
    return abs(utc_now() - job.started_at) < _STARTING


def _is_my_turn(container: Container) -> bool:
    span = round(TEND_EVERY.total_seconds() * 1000)
    return bool(container.redis.set(_TENDED_KEY, b"1", nx=True, px=span))
