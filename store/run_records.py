"""The words that runs and their work items are told in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from mapping.records import CourseId, PlatformId, RunId, TenantId

LEASE = timedelta(seconds=20)
"""How long a silent holder keeps an item; every transaction of the holder renews it."""
SETTLING = timedelta(seconds=5)
"""How long an item put into the queue is given before anybody asks what became of it."""
LONGEST_PAUSE = timedelta(hours=1)
"""No item is put back for longer; what says more was written before the clock was set back."""

COUNTED = (
    "scores_pulled",
    "scores_new",
    "scores_changed",
    "scores_skipped",
    "estimates",
    "statuses_changed",
    "pushed",
    "refused",
    "api_calls",
)
"""The counts of a work item, as its columns and as ``mapping.records.Counts`` name them."""


class Phase(Enum):
    """The steps of a run, in order."""

    PLAN = "plan"
    PULL = "pull"
    COMPUTE = "compute"
    PUSH = "push"
    DONE = "done"


class ItemState(Enum):
    """Where a work item is."""

    PENDING = "pending"
    WORKING = "working"
    DONE = "done"
    UNCHANGED = "unchanged"
    """A course that was not read, for its LMS said that nothing happened in it."""
    SKIPPED = "skipped"
    FAILED = "failed"


UNFINISHED = (ItemState.PENDING.value, ItemState.WORKING.value)


class LeaseLostError(Exception):
    """Another process holds the work item by now: stop, and leave the work to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One night, or one run by hand, or courses read out of turn.

    ``is_full`` reads everything, whatever the cursors say; ``is_dry`` writes to no gradebook.
    """

    id: RunId
    tenant: TenantId
    cause: str
    is_full: bool
    phase: Phase
    started_at: datetime
    finished_at: datetime | None
    is_dry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One piece of a run: a platform to plan, a course to read or write, learners to compute.

    ``part`` is a platform's id when planning, the number of a share of the learners when
    computing. ``attempts`` counts how often it was taken up, ``platform`` is whose LMS it asks.
    """

    id: int
    run: RunId
    phase: Phase
    course: CourseId | None
    part: int
    attempts: int
    platform: PlatformId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on an item until it runs out."""

    item: WorkItem
    fence: int
