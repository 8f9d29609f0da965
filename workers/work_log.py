"""What the log says of the work on an item: when it was taken up and how long it took."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap import logs
from workers.work import Work

log = logging.getLogger(__name__)


@contextmanager
def telling(work: Work) -> Iterator[None]:
    """Have every line that is written meanwhile name the work, and write when it is over.

    Args:
        work: The item in hand.

    Yields:
        Nothing.
    """
    item = work.lease.item
    with logs.about(
        run=item.run,
        tenant=work.run.tenant,
        course=item.course,
        item=item.id,
        phase=item.phase.value,
    ):
        began = work.now()
        yield
        # Not where another process took it up: then that one tells of it.
        seconds = (work.now() - began).total_seconds()
        log.info("try %d was over after %.2f s", item.attempts, seconds)
