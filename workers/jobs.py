"""RQ's entry points: a container, a use case, and errors made into what happens next.

A job that failed raises. What the LMS may take later is put back with a growing pause; what it
will not is ended with a sentence for a person; either way the run goes on.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.container import Container, Registered, open_container
from bootstrap.settings import Settings
from connectors.errors import ConnectorError, RetryLater
from connectors.gates import LOOKED_EVERY_SECONDS
from connectors.protocol import Gradebook
from mapping.records import CourseId, PassbackWay, PlatformId, RunId, TenantId
from store import dispatch, sync_state
from store.secrets import SealBroken
from store.session import reading, writing
from store.sync_state import LEASE, LeaseLostError, Phase, Run, WorkItem
from workers import (
    framework_fetches,
    passback,
    plan,
    platform_checks,
    queue,
    recompute,
    setbacks,
    sync,
    trials,
    way_trials,
)
from workers.setbacks import DOWN_SECONDS, PAUSE_SECONDS, Endurance
from workers.work import Work
from workers.work_log import telling

log = logging.getLogger(__name__)

SLICE_SECONDS = 20.0
"""A job takes nothing more up after so long, so that other districts have their turn."""
_COMPUTING_THREADS = 1
"""Computing loads ahead by itself; more would only hold memory."""


@dataclass(slots=True)
class _Process:
    """What the parent knows; each work horse opens its own connections."""

    settings: Settings | None = None
    redis_url: str = ""
    pause_seconds: Sequence[float] = PAUSE_SECONDS
    down_seconds: float = DOWN_SECONDS


_process = _Process()


def serve(
    settings: Settings,
    redis_url: str,
    *,
    pause_seconds: Sequence[float] = PAUSE_SECONDS,
    down_seconds: float = DOWN_SECONDS,
) -> None:
    """Say with what this process's jobs work; called once, before the first job."""
    _process.settings, _process.redis_url = settings, redis_url
    _process.pause_seconds, _process.down_seconds = pause_seconds, down_seconds


@dataclass(slots=True, kw_only=True)
class _Shift:
    """One job's time, what it did not come to, and errors that nobody expected.

    What its items have in common is asked for once: ``runs``, ``platforms`` with the moment they
    were looked at, and what standings are computed by.
    """

    container: Container
    ends_at: float
    left: list[int] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    runs: dict[RunId, Run] = field(default_factory=dict)
    platforms: dict[PlatformId, tuple[Registered, float]] = field(default_factory=dict)
    memory: recompute.Memory = field(default_factory=recompute.Memory)

    def run_of(self, connection: Connection, item: WorkItem) -> Run:
        """The run of an item, as it was when this job first met it."""
        if item.run not in self.runs:
            self.runs[item.run] = sync_state.run(connection, item.run)
        return self.runs[item.run]

    def gradebook(self, platform: PlatformId) -> Gradebook:
        """A platform's gradebooks; what is known of it is no older than a pause switch may be."""
        now = time.monotonic()
        found, looked_at = self.platforms.get(platform, (None, now))
        if found is None or now - looked_at >= LOOKED_EVERY_SECONDS:
            found = self.container.registered(platform)
            self.platforms[platform] = found, now
        return self.container.gradebook_of(found)


def work_on(item_ids: list[int]) -> None:
    """Work on items, some at a time, then bring their runs on.

    What goes wrong with one item does not stop the others; the first error that nobody expected
    is raised when all are done, so that RQ records it. What was not taken up in time goes back
    into the queue, behind what waits there. Where nothing waits, and there is time left, this
    process goes on with what comes next in the run.
    """
    container = _container()
    try:
        shift = _Shift(container=container, ends_at=time.monotonic() + SLICE_SECONDS)
        in_hand: Sequence[int] = item_ids
        while in_hand:
            in_hand = _work_on_all(shift, in_hand)
        if shift.errors:
            raise shift.errors[0]
    finally:
        container.close()


def _work_on_all(shift: _Shift, item_ids: Sequence[int]) -> Sequence[int]:
    """Work on items side by side and bring their run on.

    Returns:
        What this process works on next.
    """
    container = shift.container
    with reading(container.engine) as connection:
        first = sync_state.item_of(connection, item_ids[0])
    # Threads are started here, behind RQ's fork; each item has its own connector.
    with ThreadPoolExecutor(_threads(container, first), thread_name_prefix="item") as pool:
        futures = [pool.submit(_work_on, shift, item_id) for item_id in item_ids]
        while wait(futures, timeout=queue.TEND_EVERY.total_seconds()).not_done:
            queue.look_round(container)
    shift.errors += [error for one in futures if (error := one.exception()) is not None]
    if shift.left:
        with writing(container.engine) as connection:
            dispatch.give_back(connection, shift.left)
        shift.left.clear()
    if time.monotonic() < shift.ends_at:
        return queue.tend_and_go_on(container, first.run)
    queue.tend(container, first.run)
    return ()


def tend_run(run_id: int) -> None:
    """Bring one run on."""
    container = _container()
    try:
        queue.tend(container, RunId(run_id))
    finally:
        container.close()


def tend_all() -> None:
    """Bring every run on that has not ended, and begin what was asked for out of turn."""
    container = _container()
    try:
        queue.tend_all(container)
    finally:
        container.close()


def try_change(tenant: int, key: str) -> None:
    """Try a change of policy out, for whoever looks at a page.

    Args:
        tenant: Whose policy.
        key: Of the trial.
    """
    container = _container()
    try:
        trials.work_out(container, TenantId(tenant), key)
    finally:
        container.close()


def look_over(platform: int) -> None:
    """Look an LMS over, for whoever looks at a page.

    Args:
        platform: Which.
    """
    container = _container()
    try:
        platform_checks.look_over(container, PlatformId(platform))
    finally:
        container.close()


def try_way(tenant: int, course: int, way: str) -> None:
    """Try a way of passback dry, for whoever looks at a page.

    Args:
        tenant: Whose course.
        course: The course.
        way: The way.
    """
    container = _container()
    try:
        way_trials.work_out(container, TenantId(tenant), CourseId(course), way=PassbackWay(way))
    finally:
        container.close()


def fetch_framework(tenant: int, key: str) -> None:
    """Fetch a framework's file from an address, for whoever looks at a page.

    Args:
        tenant: Who wants it.
        key: Of the fetch.
    """
    container = _container()
    try:
        framework_fetches.work_out(container, TenantId(tenant), key)
    finally:
        container.close()


def _container() -> Container:
    if _process.settings is None:
        raise RuntimeError("workers.jobs.serve() was not called in this process.")
    return open_container(_process.settings, _process.redis_url)


def _threads(container: Container, first: WorkItem) -> int:
    """How many items are in hand at once: few where they compute."""
    most = container.settings.threads
    return min(most, _COMPUTING_THREADS) if first.phase is Phase.COMPUTE else most


def _work_on(shift: _Shift, item_id: int) -> None:
    """Do one item, where there is time left and nobody else has it."""
    container = shift.container
    if time.monotonic() >= shift.ends_at:
        shift.left.append(item_id)
        return
    with writing(container.engine) as connection:
        lease = sync_state.claim(connection, item_id, now=container.now())
        if lease is None:
            return
        run = shift.run_of(connection, lease.item)
    work = Work(
        engine=container.engine,
        lease=lease,
        run=run,
        now=container.now,
        sweep_days=container.settings.sweep_days,
    )
    try:
        with telling(work):
            _attempt(shift, work)
    except LeaseLostError:
        log.warning("item %s was taken over by another process", item_id)


def _attempt(shift: _Shift, work: Work) -> None:
    """Do an item, or settle what becomes of it now that it could not be done.

    Raises:
        LeaseLostError: Another process took it up.
    """
    item_id, container = work.lease.item.id, shift.container
    endurance = Endurance(
        draw=container.draw,
        pause_seconds=_process.pause_seconds,
        down_seconds=_process.down_seconds,
    )
    try:
        with _kept(work):
            container.gate(work.run.tenant).check()
            _perform(shift, work)
    except LeaseLostError:
        raise
    except RetryLater as error:
        setbacks.later_or_failed(work, error, endurance)
    except ConnectorError as error:
        setbacks.fail(work, cause=error.cause, message=str(error))
    except SealBroken as error:
        setbacks.fail(work, cause="sealed", message=str(error))
    except Exception as error:
        log.exception("work item %s", item_id)
        setbacks.later_or_failed(work, _unexpected(error, item_id), endurance)
        raise


def _perform(shift: _Shift, work: Work) -> None:
    item = work.lease.item
    if item.phase is Phase.COMPUTE:
        recompute.recompute_part(work, shift.memory)
        return
    if item.phase is Phase.PLAN:
        platform = PlatformId(item.part)
        plan.plan_platform(shift.gradebook(platform), work, platform)
        return
    course_id = _course(item)
    gradebook = shift.gradebook(_platform(item))
    if item.phase is Phase.PULL:
        sync.sync_course(gradebook, work, course_id)
    else:
        passback.push_course(gradebook, work, course_id)


def _course(item: WorkItem) -> CourseId:
    if item.course is None:
        raise LookupError(f"Work item {item.id} of phase {item.phase.value} names no course.")
    return item.course


def _platform(item: WorkItem) -> PlatformId:
    if item.platform is None:
        raise LookupError(f"Work item {item.id} of phase {item.phase.value} names no platform.")
    return item.platform


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
            except SQLAlchemyError:
                # The work itself finds out whether the database stays away.
                log.warning("the lease of item %s could not be renewed", work.lease.item.id)

    beating = threading.Thread(target=renew, name="lease", daemon=True)
    beating.start()
    try:
        yield
    finally:
        is_over.set()
        beating.join()


def _unexpected(error: Exception, item_id: int) -> RetryLater:
    message = (
        f"Something unexpected happened ({type(error).__name__}); the worker's log names "
        f"item {item_id}."
    )
    return RetryLater(message, cause="unexpected")
