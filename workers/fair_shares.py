"""How much of the queue one run may take: a few jobs at a time, spread over its platforms."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mapping.records import PlatformId
from store import dispatch, sync_state
from store.dispatch import DueItems
from store.sync_state import Phase, Run, WorkItem

_JOBS_A_WORKER = 2
"""One in hand and one in the queue: no worker waits, and no district waits long."""
_MOST_COURSES = 50
_MOST_PARTS = 20
_WAITING_PHASES = (Phase.PLAN, Phase.PULL, Phase.PUSH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a run's part of the queue is reckoned from.

    Attributes:
        workers: Worker processes that serve the queue.
        threads: Items that each has in hand at a time, where they wait for an LMS.
        alive: Jobs of the run that the queue still has.
    """

    workers: int
    threads: int
    alive: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The items that one job of the queue carries; all ask the same platform.

    ``is_overdue`` says that some were carried before by a job that was lost.
    """

    job: str
    items: Sequence[int]
    is_overdue: bool = False


def take(connection: Connection, run: Run, share: Share, *, now: datetime) -> tuple[Chunk, ...]:
    """Mark as enqueued what a run may put into the queue now.

    Args:
        connection: The transaction that holds the run, so that one process at a time takes.
        run: Whose items.
        share: What its part of the queue is reckoned from.
        now: When.

    Returns:
        The jobs to be put into the queue once the transaction is committed.
    """
    in_hand = Counter(
        carried.platform
        for job, carried in dispatch.jobs_in_hand(connection, run.id, now=now).items()
        if carried.is_sure or job in share.alive
    )
    room = _JOBS_A_WORKER * max(share.workers, 1) - in_hand.total()
    if room <= 0:
        return ()
    due = dispatch.due_by_platform(connection, run.id, alive=share.alive, now=now)
    parts = _in_turn(due, in_hand, room=room, share=share)
    chunks = (_marked(connection, run, one, alive=share.alive, now=now) for one in parts)
    return tuple(chunk for chunk in chunks if chunk is not None)


def chunk_size(due: DueItems, *, workers: int, threads: int) -> int:
    """So many items in a job that its overhead is small and no worker is without.

    Args:
        due: What is due of one platform.
        workers: Worker processes.
        threads: Items that each has in hand at a time, where they wait for an LMS.

    Returns:
        From 1 to 50.
    """
    even = -(-due.count // (_JOBS_A_WORKER * max(workers, 1)))
    if due.phase not in _WAITING_PHASES:
        return min(max(even, 1), _MOST_PARTS)
    # Work for all threads, but two jobs at least, for two workers.
    least = min(threads, -(-due.count // 2))
    return _in_rounds(due.count, max(min(max(even, least), _MOST_COURSES), 1), workers=workers)


def _in_rounds(count: int, size: int, *, workers: int) -> int:
    """A size near another by which every worker has as many jobs, so that none waits at the end."""
    jobs = -(-count // size)
    even = jobs // max(workers, 1) * max(workers, 1)
    if even == 0:
        return size
    larger = -(-count // even)
    return larger if larger <= _MOST_COURSES else size


def job_name(run: Run, first: WorkItem, former: str) -> str:
    """The name of a job: tenant, date, run, phase, first item, and which time it is carried."""
    last = former.rpartition("-")[2]
    number = int(last) + 1 if last.isdecimal() else 1
    day = f"{run.started_at:%Y-%m-%d}"
    return f"sync-{run.tenant}-{day}-{run.id}-{first.phase.value}-{first.id}-{number}"


def _in_turn(
    due: Sequence[DueItems], in_hand: Counter[PlatformId | None], *, room: int, share: Share
) -> list[DueItems]:
    """Which platform's items come next, as often as there is room: the least served first."""
    left = {
        (one.phase, one.platform): (
            one,
            -(-one.count // chunk_size(one, workers=share.workers, threads=share.threads)),
        )
        for one in due
    }
    served = Counter(in_hand)
    parts: list[DueItems] = []
    while left and len(parts) < room:
        place = min(left, key=lambda one: served[one[1]])
        part, jobs = left[place]
        size = chunk_size(part, workers=share.workers, threads=share.threads)
        parts.append(DueItems(phase=part.phase, platform=part.platform, count=size))
        served[part.platform] += 1
        if jobs == 1:
            del left[place]
        else:
            left[place] = part, jobs - 1
    return parts


def _marked(
    connection: Connection, run: Run, part: DueItems, *, alive: Collection[str], now: datetime
) -> Chunk | None:
    found = sync_state.due_items(
        connection, run.id, now=now, alive=alive, of=(part.phase, part.platform), most=part.count
    )
    if not found:
        # A worker took up, since they were counted, all that was due.
        return None
    first, former = found[0]
    job = job_name(run, first, former)
    ids = [item.id for item, _ in found]
    is_overdue = dispatch.holds_lost(connection, ids)
    sync_state.mark_enqueued(connection, ids, job=job, now=now)
    return Chunk(job=job, items=ids, is_overdue=is_overdue)
