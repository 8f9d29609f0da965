"""The queue: which jobs carry which work items. RQ carries, the database knows.

Jobs carry the ids of work items and nothing else. A job that is lost, doubled or run late does
no harm: the items are claimed in the database under a lease. ``tend`` puts whatever is due into
the queue, so it both starts a run and repairs one.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from redis.exceptions import LockError
from rq import Queue, Retry
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.worker import Worker

from bootstrap.container import Container
from mapping.records import RunId, TenantId
from store import sync_state
from store.session import reading, writing
from store.sync_state import Phase, WorkItem
from workers import schedule

QUEUE_NAME = "waymark"
TEND_EVERY = timedelta(seconds=10)
_JOB_SECONDS = 3_600
_RESULT_SECONDS = 3_600
_FAILURE_SECONDS = 7 * 24 * 3_600
_TENDING_SECONDS = 30
_MOST_ITEMS = 20
_JOBS_WANTED = 48
"""So many jobs that none is long and workers stay even, unless there are very many items."""
_WAITING_PHASES = (Phase.PULL, Phase.PUSH)
_ALIVE = (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED, JobStatus.DEFERRED)


def open_queue(container: Container) -> Queue:
    """The one queue of this installation."""
    return Queue(QUEUE_NAME, connection=container.redis, serializer=JSONSerializer)


def enqueue_run(
    container: Container, tenant: TenantId, *, cause: str = schedule.BY_HAND, is_full: bool = False
) -> RunId:
    """Begin a run, or take up the tenant's unfinished one, and put its work into the queue."""
    run_id = schedule.begin_run(
        container.engine, tenant, cause=cause, is_full=is_full, now=container.now()
    )
    tend(container, run_id)
    enqueue_tending(container, run_id)
    return run_id


def enqueue_due_nights(container: Container) -> tuple[RunId, ...]:
    """Begin every night that is due, and tend every run that has not ended.

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
    with reading(container.engine) as connection:
        unfinished = sync_state.unfinished_runs(connection)
    for run in unfinished:
        tend(container, run.id)
    return tuple(begun)


def tend(container: Container, run_id: RunId) -> Phase:
    """Bring a run on: into its next phase if it is due, and all due work into the queue.

    Returns:
        The phase the run is in.
    """
    phase = schedule.advance(container.engine, run_id, now=container.now())
    tending = container.redis.lock(f"waymark:tending:{run_id}", timeout=_TENDING_SECONDS)
    if phase is Phase.DONE or not tending.acquire(blocking=False):
        return phase
    try:
        _enqueue_due(container, run_id)
    finally:
        # It may have run out meanwhile, or Redis may have been emptied: then it is free.
        with suppress(LockError):
            tending.release()
    return phase


def enqueue_tending(container: Container, run_id: RunId) -> None:
    """Have a worker tend a run in a while, should nobody else."""
    open_queue(container).enqueue_in(
        TEND_EVERY,
        "workers.jobs.tend_run",
        run_id,
        job_timeout=_JOB_SECONDS,
        result_ttl=0,
        failure_ttl=_FAILURE_SECONDS,
    )


def depth(container: Container) -> int:
    """Jobs that wait in the queue."""
    return open_queue(container).count


def live_workers(container: Container) -> int:
    """Worker processes that serve the queue now."""
    return Worker.count(queue=open_queue(container))


def _enqueue_due(container: Container, run_id: RunId) -> None:
    queue = open_queue(container)
    with reading(container.engine) as connection:
        due = sync_state.due_items(connection, run_id, now=container.now())
    lost = [item for item, job in due if not _is_alive(queue, job)]
    size = _job_size(lost, threads=container.settings.threads)
    for start in range(0, len(lost), size or 1):
        _enqueue(container, queue, lost[start : start + size])


def _job_size(items: Sequence[WorkItem], *, threads: int) -> int:
    """So many items that jobs are few; where they wait for an LMS, work for all threads."""
    size = -(-len(items) // _JOBS_WANTED)
    if items and items[0].phase in _WAITING_PHASES:
        # Two jobs at least, for two workers.
        size = max(size, min(threads, -(-len(items) // 2)))
    return min(size, max(_MOST_ITEMS, threads))


def _enqueue(container: Container, queue: Queue, items: Sequence[WorkItem]) -> None:
    ids = [item.id for item in items]
    job_id = f"items-{ids[0]}-{len(ids)}-{items[0].attempts}"
    with writing(container.engine) as connection:
        sync_state.mark_enqueued(connection, ids, job=job_id, now=container.now())
    queue.enqueue(
        "workers.jobs.work_on",
        ids,
        job_id=job_id,
        job_timeout=_JOB_SECONDS,
        result_ttl=_RESULT_SECONDS,
        failure_ttl=_FAILURE_SECONDS,
        # A job whose worker died is run again; what it had finished it finds finished.
        retry=Retry(max=3),
    )


def _is_alive(queue: Queue, job_id: str) -> bool:
    if not job_id:
        return False
    job = Job.fetch_many([job_id], connection=queue.connection, serializer=JSONSerializer)[0]
    return job is not None and job.get_status() in _ALIVE
