"""The long-running processes: a worker that serves the queue, a scheduler that begins nights."""

import gc
import logging
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from rq import Queue, worker_registration
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import Worker

import workers.jobs
from bootstrap import machine
from bootstrap.container import Container
from store import retention
from workers import keys, queue, signals, watching

if TYPE_CHECKING:
    from redis.client import Pipeline

log = logging.getLogger(__name__)

# So short that RQ itself runs the work of a worker killed with its horse again within some 80
# seconds; measured with RQ 3.0, see docs/decisions. The runs' own leases are sooner.
_WORKER_TTL_SECONDS = 30
_MAINTENANCE_SECONDS = 15
_MONITORING_SECONDS = 5
_SCHEDULER_SECONDS = 15.0
_PURGED_KEY = "waymark:purged"
_DAY_SECONDS = 24 * 3_600


def serve_queue(container: Container, redis_url: str, *, is_burst: bool = False) -> None:
    """Work until told to stop; with ``is_burst``, until the queue is empty.

    The job modules are imported here, in the parent: a forked horse then starts in
    milliseconds. Connections are not: each horse opens its own.
    """
    workers.jobs.serve(container.settings, redis_url)
    container.engine.dispose()
    worker = _TendingWorker(
        [queue.open_queue(container)],
        connection=container.redis,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_TTL_SECONDS,
        maintenance_interval=_MAINTENANCE_SECONDS,
        job_monitoring_interval=_MONITORING_SECONDS,
        log_job_description=False,
    )
    worker.tend = lambda: queue.ask_to_tend(container)
    machine.keep_freed_memory()
    gc.collect()
    gc.freeze()
    # Nothing is put into the queue for later: what waits, waits in the database.
    worker.work(burst=is_burst, logging_level=container.settings.log_level)


class _TendingWorker(Worker):
    """A worker that, while it is idle, sees to it that runs go on whatever else died.

    Redis may have been emptied: then runs are put into the queue again, and this worker is
    counted again.
    """

    tend: Callable[[], None]
    _is_waiting = False

    @property
    def dequeue_timeout(self) -> int:
        """How long to wait for a job, in seconds."""
        return round(queue.TEND_EVERY.total_seconds())

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a job, and tend runs each time before waiting anew."""
        self._is_waiting = True
        try:
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        finally:
            self._is_waiting = False

    def heartbeat(self, timeout: int | None = None, pipeline: "Pipeline | None" = None) -> None:
        """Say that this worker lives; RQ does so before each wait for a job."""
        super().heartbeat(timeout, pipeline)
        if self._is_waiting and pipeline is None:
            worker_registration.register(self)
            self.tend()


def serve_schedule(container: Container) -> None:
    """Begin nights when they are due, tend runs and rotate keys, until told to stop.

    Any number may run: the database lets one of them begin a night or take a key's step.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info(
        "nights begin at %s %s",
        container.settings.sync_at.isoformat("minutes"),
        container.settings.sync_timezone or "in each district's own time zone",
    )
    while True:
        see_to_signals(container)
        for run_id in queue.enqueue_due_nights(container):
            log.info("began run %s", run_id)
        see_to_keys(container)
        see_to_notices(container)
        see_to_retention(container)
        watching.see_to_watching(container)
        if stop.wait(_SCHEDULER_SECONDS):
            return


def see_to_signals(container: Container) -> None:
    """Ask for the reading of the courses of which LMSs told news."""
    for tenant, courses in signals.take_up(container.engine, now=container.now()).items():
        log.info("news of %d courses of tenant %s is to be read", len(courses), tenant)


def see_to_notices(container: Container) -> None:
    """Ask LMSs that offer notices to send them."""
    troubles = signals.register_handlers(
        container.engine, container.register_notices, now=container.now()
    )
    for offer, trouble in troubles:
        log.warning("notices of platform %s were not registered: %s", offer.platform, trouble)


def see_to_retention(container: Container) -> None:
    """Take out once a day, by one of several schedulers, what is older than is to be kept."""
    now, days = container.now(), container.settings.keep_run_days
    is_mine = days and container.redis.set(_PURGED_KEY, b"1", nx=True, ex=_DAY_SECONDS)
    if not is_mine:
        return
    gone = retention.purge(container.engine, before=now - timedelta(days=days), now=now)
    if any(gone.values()):
        log.info("taken out: %s", ", ".join(f"{count} {name}" for name, count in gone.items()))


def see_to_keys(container: Container) -> None:
    """Take the steps that are due in the rotation of Waymark's own keys, and tell of them."""
    changes = keys.see_to_keys(container.engine, container.secrets, now=container.now())
    for change in changes:
        log.info("tool key %s was %s", change.kid, change.step)
    if changes:
        container.registrations_changed()
