"""RQ's entry points: a container, a use case, and errors made into what happens next.

A job that failed raises. What the LMS may take later is put back with a growing pause; what it
will not is ended with a sentence for a person; either way the run goes on.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from bootstrap.container import Container, open_container
from bootstrap.settings import Settings
from connectors.errors import ConnectorError, RetryLater
from mapping.records import CourseId, PlatformId, RunId
from store import courses, sync_state
from store.secrets import SealBroken
from store.session import writing
from store.sync_state import LEASE, ItemState, LeaseLostError, Phase, WorkItem
from workers import passback, plan, queue, recompute, sync
from workers.work import Work
from workers.work_log import telling

log = logging.getLogger(__name__)

PAUSE_SECONDS = (1.0, 4.0, 12.0, 30.0)
"""How long an item waits before each further try of the same night."""


@dataclass(slots=True)
class _Process:
    """What the parent knows; each work horse opens its own connections."""

    settings: Settings | None = None
    redis_url: str = ""
    pause_seconds: Sequence[float] = PAUSE_SECONDS


_process = _Process()


def serve(
    settings: Settings, redis_url: str, *, pause_seconds: Sequence[float] = PAUSE_SECONDS
) -> None:
    """Say with what this process's jobs work; called once, before the first job."""
    _process.settings, _process.redis_url = settings, redis_url
    _process.pause_seconds = pause_seconds


def work_on(item_ids: list[int]) -> None:
    """Work on items, some at a time, then bring their runs on.

    What goes wrong with one item does not stop the others; the first error that nobody expected
    is raised when all are done, so that RQ records it.
    """
    container = _container()
    try:
        # Threads are started here, behind RQ's fork; each item has its own connector.
        with ThreadPoolExecutor(
            min(container.settings.threads, len(item_ids)) or 1, thread_name_prefix="item"
        ) as pool:
            futures = [pool.submit(_work_on, container, item_id) for item_id in item_ids]
        done = [future for future in futures if future.exception() is None]
        runs = {future.result() for future in done} - {None}
        for run_id in runs:
            assert run_id is not None  # noqa: S101 - taken out above
            queue.tend(container, run_id)
        for future in futures:
            future.result()
    finally:
        container.close()


def tend_run(run_id: int) -> None:
    """Tend a run, and come back until it is over."""
    container = _container()
    try:
        if queue.tend(container, RunId(run_id)) is not Phase.DONE:
            queue.enqueue_tending(container, RunId(run_id))
    finally:
        container.close()


def _container() -> Container:
    if _process.settings is None:
        raise RuntimeError("workers.jobs.serve() was not called in this process.")
    return open_container(_process.settings, _process.redis_url)


def _work_on(container: Container, item_id: int) -> RunId | None:
    """Do one item; None where it is not to be had, for then another brings its run on."""
    with writing(container.engine) as connection:
        lease = sync_state.claim(connection, item_id, now=container.now())
        if lease is None:
            return None
        run = sync_state.run(connection, lease.item.run)
    work = Work(
        engine=container.engine,
        lease=lease,
        run=run,
        now=container.now,
        sweep_days=container.settings.sweep_days,
    )
    try:
        with telling(work):
            _attempt(container, work)
    except LeaseLostError:
        log.warning("item %s was taken over by another process", item_id)
        return None
    return run.id


def _attempt(container: Container, work: Work) -> None:
    """Do an item, or settle what becomes of it now that it could not be done.

    Raises:
        LeaseLostError: Another process took it up.
    """
    item_id = work.lease.item.id
    try:
        with _kept(work):
            _perform(container, work)
    except LeaseLostError:
        raise
    except RetryLater as error:
        _again_or_failed(work, error)
    except ConnectorError as error:
        _failed(work, cause=error.cause, message=str(error))
    except SealBroken as error:
        _failed(work, cause="sealed", message=str(error))
    except Exception as error:
        log.exception("work item %s", item_id)
        _again_or_failed(work, _unexpected(error, item_id))
        raise


def _perform(container: Container, work: Work) -> None:
    item = work.lease.item
    if item.phase is Phase.COMPUTE:
        recompute.recompute_part(work)
        return
    if item.phase is Phase.PLAN:
        platform = PlatformId(item.part)
        plan.plan_platform(container.gradebook(platform), work, platform)
        return
    course_id = _course(item)
    with work.reading() as connection:
        platform = courses.course(connection, course_id).platform
    gradebook = container.gradebook(platform)
    if item.phase is Phase.PULL:
        sync.sync_course(gradebook, work, course_id)
    else:
        passback.push_course(gradebook, work, course_id)


def _course(item: WorkItem) -> CourseId:
    if item.course is None:
        raise LookupError(f"Work item {item.id} of phase {item.phase.value} names no course.")
    return item.course


@contextmanager
def _kept(work: Work) -> Iterator[None]:
    """Renew the lease while this process lives, however long an LMS takes to answer."""
    is_over = threading.Event()

    def renew() -> None:
        while not is_over.wait(LEASE.total_seconds() / 4):
            try:
                work.beat()
            except LeaseLostError:
                return

    beating = threading.Thread(target=renew, name="lease", daemon=True)
    beating.start()
    try:
        yield
    finally:
        is_over.set()
        beating.join()


def _again_or_failed(work: Work, error: RetryLater) -> None:
    attempts = work.lease.item.attempts
    if attempts > len(_process.pause_seconds):
        _failed(
            work,
            cause=error.cause,
            message=f"{error} It was tried {attempts} times.",
        )
        return
    pause = max(_process.pause_seconds[attempts - 1], error.after_seconds)
    with work.writing() as connection:
        sync_state.put_back(
            connection,
            work.lease,
            not_before=work.now() + timedelta(seconds=pause),
            cause=error.cause,
            message=str(error),
        )


def _failed(work: Work, *, cause: str, message: str) -> None:
    with work.writing() as connection:
        sync_state.finish(
            connection,
            work.lease,
            ItemState.FAILED,
            now=work.now(),
            cause=cause,
            message=message,
        )


def _unexpected(error: Exception, item_id: int) -> RetryLater:
    message = (
        f"Something unexpected happened ({type(error).__name__}); the worker's log names "
        f"item {item_id}."
    )
    return RetryLater(message, cause="unexpected")
