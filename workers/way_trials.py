"""Dry runs of a way of passback, for pages: a page never waits for an LMS.

What comes of one is kept in Redis for a day, which is as long as it holds for marks that count.
Each course and way has one at most, so nobody fills Redis or an LMS's queue by asking often.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rq import Retry

from bootstrap.container import Container
from connectors.errors import ConnectorError, RetryLater
from mapping.records import CourseId, PassbackWay, TenantId
from store import courses
from store.secrets import SealBroken
from store.session import reading
from store.ways import PREVIEW_HOLDS
from workers.previews import Preview, PreviewedColumn, PreviewedMark, preview_course
from workers.queue import open_queue

log = logging.getLogger(__name__)

MOST_MARKS = 500
"""Marks of a column that are kept for the page; the others are counted."""
_JOB_SECONDS = 600
_LOST_AFTER = timedelta(seconds=2 * _JOB_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WayTrial:
    """A dry run.

    Attributes:
        asked_at: When somebody asked for it.
        read_at: When the gradebook was read; None while it is not.
        preview: What would be written, with at most ``MOST_MARKS`` marks of each column.
        counts: How many marks each column would take, those that are not kept included.
        trouble: Why it could not be had, and what to do; empty where it could.
        is_lost: Whether it should long have been done; no process will say more.
    """

    asked_at: datetime
    read_at: datetime | None = None
    preview: Preview | None = None
    counts: tuple[int, ...] = ()
    trouble: str = ""
    is_lost: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether somebody is still at it."""
        return self.preview is None and not self.trouble and not self.is_lost

    @property
    def is_whole(self) -> bool:
        """Whether every column could be looked at."""
        return self.preview is not None and not any(one.trouble for one in self.preview.columns)


def ask(container: Container, tenant: TenantId, course: CourseId, *, way: PassbackWay) -> None:
    """Have a way tried dry, unless somebody is at it.

    Args:
        container: Where.
        tenant: Whose course.
        course: The course.
        way: The way to be tried.
    """
    known = trial(container, tenant, course, way=way)
    if known is not None and known.is_waiting:
        return
    name = _name(tenant, course, way)
    pipe = container.redis.pipeline()
    pipe.delete(name)
    pipe.hset(name, mapping={"asked": container.now().isoformat()})
    pipe.expire(name, PREVIEW_HOLDS)
    pipe.execute()
    open_queue(container).enqueue(
        "workers.jobs.try_way",
        *(int(tenant), int(course), way.value),
        at_front=True,
        job_timeout=_JOB_SECONDS,
        result_ttl=0,
        failure_ttl=_JOB_SECONDS,
        retry=Retry(max=1),
    )


def trial(
    container: Container, tenant: TenantId, course: CourseId, *, way: PassbackWay
) -> WayTrial | None:
    """What came of a dry run; None where there was none within a day."""
    kept: dict[Any, Any] = container.redis.hgetall(_name(tenant, course, way))
    if b"asked" not in kept:
        return None
    asked_at = datetime.fromisoformat(kept[b"asked"].decode())
    if b"trouble" in kept:
        return WayTrial(asked_at=asked_at, trouble=kept[b"trouble"].decode())
    if b"preview" not in kept:
        is_lost = container.now() - asked_at > _LOST_AFTER
        return WayTrial(asked_at=asked_at, is_lost=is_lost)
    told = json.loads(kept[b"preview"])
    return WayTrial(
        asked_at=asked_at,
        read_at=datetime.fromisoformat(told["read_at"]),
        preview=_preview(told),
        counts=tuple(told["counts"]),
    )


def work_out(container: Container, tenant: TenantId, course: CourseId, *, way: PassbackWay) -> None:
    """Try a way dry, and keep what comes of it; what nobody asks for any more is passed over."""
    name = _name(tenant, course, way)
    if not container.redis.exists(name):
        return
    now = container.now()
    try:
        with reading(container.engine) as connection:
            platform = courses.course(connection, course).platform
        found = preview_course(
            *(container.gradebook(platform), container.engine, course), way=way, now=now
        )
    except RetryLater as error:
        _keep(container, name, trouble=f"{error} Nothing was written. Try it again in a while.")
    except (ConnectorError, SealBroken) as error:
        _keep(container, name, trouble=str(error))
    except Exception:
        log.exception("dry run of course %s", course)
        told = "Something unexpected happened; the worker's log names the course. Try it again."
        _keep(container, name, trouble=told)
        raise
    else:
        _keep(container, name, preview=json.dumps(_told(found, now)))


def _keep(container: Container, name: str, *, preview: str = "", trouble: str = "") -> None:
    pipe = container.redis.pipeline()
    # A second attempt after a failure tells the later of the two alone.
    pipe.hdel(name, "trouble", "preview")
    pipe.hset(name, "preview" if preview else "trouble", preview or trouble)
    pipe.expire(name, PREVIEW_HOLDS)
    pipe.execute()


def _name(tenant: TenantId, course: CourseId, way: PassbackWay) -> str:
    return f"waymark:way-trial:{tenant}:{course}:{way.value}"


def _told(found: Preview, read_at: datetime) -> dict[str, Any]:
    return {
        "read_at": read_at.isoformat(),
        "course": found.course,
        "title": found.title,
        "way": found.way.value,
        "reason": found.reason,
        "others": {way.value: count for way, count in found.others.items()},
        "counts": [len(one.marks) for one in found.columns],
        "columns": [
            {
                "title": one.title,
                "is_new": one.is_new,
                "marks": [[m.learner, m.now, m.then] for m in one.marks[:MOST_MARKS]],
                "left": [list(two) for two in one.left[:MOST_MARKS]],
                "unchanged": one.unchanged,
                "withheld": one.withheld,
                "trouble": one.trouble,
            }
            for one in found.columns
        ],
    }


def _preview(told: Mapping[str, Any]) -> Preview:
    return Preview(
        course=CourseId(told["course"]),
        title=told["title"],
        way=PassbackWay(told["way"]),
        reason=told["reason"],
        others={PassbackWay(way): count for way, count in told["others"].items()},
        columns=[
            PreviewedColumn(
                title=one["title"],
                is_new=one["is_new"],
                marks=[PreviewedMark(learner=a, now=b, then=c) for a, b, c in one["marks"]],
                left=[(learner, reason) for learner, reason in one["left"]],
                unchanged=one["unchanged"],
                withheld=one["withheld"],
                trouble=one["trouble"],
            )
            for one in told["columns"]
        ],
    )
