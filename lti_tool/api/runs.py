"""Runs: the nights, and those that somebody begins."""

from datetime import datetime
from http import HTTPStatus

import msgspec

from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, page_of
from lti_tool.api.problems import NotHere, Refused
from lti_tool.launch.services import services
from mapping.records import RunId
from store import pauses
from store.api_tokens import Scope
from store.run_reports import RunLine, run_lines
from store.session import reading, writing
from workers import queue


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run and what it did; counts are numbers of rows, ``courses`` those that were read."""

    id: int
    cause: str
    phase: str
    is_full: bool
    is_dry: bool
    started_at: datetime
    finished_at: datetime | None
    courses: int
    unchanged: int
    scores_pulled: int
    scores_new: int
    scores_changed: int
    scores_skipped: int
    statuses_changed: int
    pushed: int
    refused: int
    api_calls: int
    failed: int
    alarms: int


class NewRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run to begin: ``is_full`` reads every course whole, ``is_dry`` writes to no gradebook."""

    is_full: bool = False
    is_dry: bool = False


class PauseState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the district is paused, by whom, since when and why."""

    is_paused: bool
    by: str = ""
    since: datetime | None = None
    reason: str = ""


class NewPause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the district is paused."""

    reason: str = ""


@OPERATIONS.add("GET", "/runs", scope=Scope.READ, answer=Page[Run], query=PageQuery)
def list_runs(call: Call) -> Page[Run]:
    """The runs of the district, the newest first."""
    query: PageQuery = call.query
    with reading(services().engine) as connection:
        found = run_lines(connection, call.caller.tenant, before=query.after, most=query.limit + 1)
    return page_of([(one.id, _told(one)) for one in found], query.limit)


@OPERATIONS.add("GET", "/runs/<row_id:run_id>", scope=Scope.READ, answer=Run)
def get_run(call: Call) -> Run:
    """One run."""
    return _run(call, RunId(call.ids["run_id"]))


@OPERATIONS.add(
    "POST",
    "/runs",
    scope=Scope.OPERATE,
    answer=Run,
    takes=NewRun,
    status=HTTPStatus.ACCEPTED,
    example={"is_dry": True},
)
def begin_run(call: Call) -> Run:
    """Begin a run now.

    Where one is under way, that one is answered and none is begun.

    Raises:
        Refused: The district is paused.
    """
    wanted: NewRun = call.body
    with reading(services().engine) as connection:
        pause = pauses.pause_of(connection, call.caller.tenant)
    if pause is not None:
        raise Refused(HTTPStatus.CONFLICT, f"{pause} End it first: DELETE /pause.")
    begun = queue.enqueue_run(
        services().container,
        call.caller.tenant,
        is_full=wanted.is_full,
        is_dry=wanted.is_dry,
    )
    return _run(call, begun)


@OPERATIONS.add("GET", "/pause", scope=Scope.READ, answer=PauseState)
def get_pause(call: Call) -> PauseState:
    """Whether the district is paused."""
    with reading(services().engine) as connection:
        return _state(pauses.pause_of(connection, call.caller.tenant))


@OPERATIONS.add(
    "PUT",
    "/pause",
    scope=Scope.OPERATE,
    answer=PauseState,
    takes=NewPause,
    example={"reason": "The LMS is moved this weekend."},
)
def set_pause(call: Call) -> PauseState:
    """Pause the district: within five seconds nothing is read or written.

    One that is paused stays so as it was.
    """
    wanted: NewPause = call.body
    by = call.caller.author()
    with writing(services().engine) as connection:
        made = pauses.pause(
            connection, call.caller.tenant, by=by.by, reason=wanted.reason, now=by.at
        )
    return _state(made)


@OPERATIONS.add("DELETE", "/pause", scope=Scope.OPERATE, answer=PauseState)
def end_pause(call: Call) -> PauseState:
    """Let the district go on."""
    by = call.caller.author()
    with writing(services().engine) as connection:
        pauses.resume(connection, call.caller.tenant, by=by.by, now=by.at)
    return _state(None)


def _run(call: Call, run: RunId) -> Run:
    """A run of the district.

    Raises:
        NotHere: It has no such run.
    """
    with reading(services().engine) as connection:
        found = run_lines(connection, call.caller.tenant, run=run)
    if not found:
        raise NotHere("run")
    return _told(found[0])


def _told(line: RunLine) -> Run:
    counts = line.counts
    return Run(
        id=line.id,
        cause=line.cause,
        phase=line.phase.value,
        is_full=line.is_full,
        is_dry=line.is_dry,
        started_at=line.started_at,
        finished_at=line.finished_at,
        courses=counts.courses,
        unchanged=counts.unchanged,
        scores_pulled=counts.scores_pulled,
        scores_new=counts.scores_new,
        scores_changed=counts.scores_changed,
        scores_skipped=counts.scores_skipped,
        statuses_changed=counts.statuses_changed,
        pushed=counts.pushed,
        refused=counts.refused,
        api_calls=counts.api_calls,
        failed=line.failed,
        alarms=line.alarms,
    )


def _state(pause: pauses.Pause | None) -> PauseState:
    if pause is None:
        return PauseState(is_paused=False)
    return PauseState(is_paused=True, by=pause.by, since=pause.since, reason=pause.reason)
