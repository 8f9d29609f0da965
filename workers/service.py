"""The long-running processes: a worker that serves the queue, a scheduler that begins nights."""

import gc
import logging
import signal
import threading

from rq.serializers import JSONSerializer
from rq.worker import Worker

import workers.jobs
from bootstrap.container import Container
from workers import keys, queue, watching

log = logging.getLogger(__name__)

# So short that work of a worker killed with its horse is taken up within some 80 seconds even
# where nobody tends the run; measured with RQ 3.0, see docs/decisions.
_WORKER_TTL_SECONDS = 30
_MAINTENANCE_SECONDS = 15
_MONITORING_SECONDS = 5
_SCHEDULER_SECONDS = 15.0


def serve_queue(container: Container, redis_url: str, *, is_burst: bool = False) -> None:
    """Work until told to stop; with ``is_burst``, until the queue is empty.

    The job modules are imported here, in the parent: a forked horse then starts in
    milliseconds. Connections are not: each horse opens its own.
    """
    workers.jobs.serve(container.settings, redis_url)
    container.engine.dispose()
    worker = Worker(
        [queue.open_queue(container)],
        connection=container.redis,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_TTL_SECONDS,
        maintenance_interval=_MAINTENANCE_SECONDS,
        job_monitoring_interval=_MONITORING_SECONDS,
        log_job_description=False,
    )
    gc.collect()
    gc.freeze()
    worker.work(burst=is_burst, with_scheduler=True, logging_level=container.settings.log_level)


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
        for run_id in queue.enqueue_due_nights(container):
            log.info("began run %s", run_id)
        see_to_keys(container)
        watching.see_to_watching(container)
        if stop.wait(_SCHEDULER_SECONDS):
            return


def see_to_keys(container: Container) -> None:
    """Take the steps that are due in the rotation of Waymark's own keys, and tell of them."""
    changes = keys.see_to_keys(container.engine, container.secrets, now=container.now())
    for change in changes:
        log.info("tool key %s was %s", change.kid, change.step)
    if changes:
        container.registrations_changed()
