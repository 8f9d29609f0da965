"""Where an administrator begins: what is done and what comes next, last night, what waits."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template
from sqlalchemy import Connection

from bootstrap.access import is_readable
from lti_tool.guards import Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator, changing_administrator, to_page
from mapping.records import TenantId
from store import modes, past_runs, pauses, registrations, rule_proposals, run_reports
from store.dead import dead_groups
from store.desk_roles import Right
from store.first_steps import FirstSteps, first_steps
from store.pauses import Pause
from store.registrations import Platform
from store.run_reports import RunLine
from store.session import reading
from store.sync_state import Run
from workers import queue

blueprint = Blueprint("desk_start", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step from nothing to a first night.

    Attributes:
        title: What is to be done.
        purpose: What it is good for.
        found: What there is of it; empty for nothing.
        page: Where it is done, below the visit; empty where no page does it.
        words: Of the link there.
        otherwise: How it is done where no page does it.
        is_run: Whether a run begun by hand is what it needs.
    """

    title: str
    purpose: str
    is_done: bool
    found: str = ""
    page: str = ""
    words: str = ""
    otherwise: str = ""
    is_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something that waits for a person; ``page`` is where they see to it."""

    count: int
    words: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that the page shows."""

    steps: Sequence[Step]
    waiting: Sequence[Waiting]
    night: RunLine | None
    under_way: Run | None
    pause: Pause | None


@blueprint.get("/desk")
def start(launch_id: str) -> str:
    """The checklist, the last night, and what waits for a person."""
    visit = administrator(launch_id)
    return render_template("desk/start.html", visit=visit, shown=_overview(visit))


@blueprint.post("/desk/run")
def begin(launch_id: str) -> Response:
    """Begin a run now, or go to the one under way; a paused district is left alone."""
    visit = changing_administrator(launch_id, Right.OPERATE)
    with reading(services().engine) as connection:
        paused = pauses.pause_of(connection, visit.record.tenant)
        newest = past_runs.newest_of_all(connection, visit.record.tenant)
    if paused is not None:
        return to_page(visit, "desk")
    if newest is not None and newest.finished_at is None:
        return to_page(visit, f"runs/{newest.id}")
    run_id = queue.enqueue_run(services().container, visit.record.tenant)
    return to_page(visit, f"runs/{run_id}")


def _overview(visit: Visit) -> Overview:
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        known = [one for one in registrations.platforms(connection, tenant) if one.is_active]
        newest = past_runs.newest_of_all(connection, tenant)
        whole = past_runs.newest(connection, tenant)
        lines = run_reports.run_lines(connection, tenant, run=whole.id) if whole else ()
        night = lines[0] if lines else None
        return Overview(
            steps=steps_of(first_steps(connection, tenant), known),
            waiting=_waiting(connection, tenant, night),
            night=night,
            under_way=newest if newest is not None and newest.finished_at is None else None,
            pause=pauses.pause_of(connection, tenant),
        )


def steps_of(found: FirstSteps, platforms: Sequence[Platform]) -> tuple[Step, ...]:
    """The steps in their order, done or not."""
    return (*_lms_steps(found, platforms), *_policy_steps(found), _last_step(found))


def _lms_steps(found: FirstSteps, platforms: Sequence[Platform]) -> tuple[Step, ...]:
    readable = [one.name for one in platforms if is_readable(services().container, one)]
    return (
        Step(
            title="Connect your LMS",
            purpose="People open Waymark from it, and Waymark learns from it who they are.",
            is_done=bool(platforms),
            found=", ".join(one.name for one in platforms),
            page="lms",
            words="Go to the LMSs",
        ),
        Step(
            title="Let Waymark read gradebooks",
            purpose="Scores come from the LMS's own interface, which an LMS administrator opens.",
            is_done=bool(platforms) and len(readable) == len(platforms),
            found=f"{len(readable)} of {_count(len(platforms), 'LMS', 'LMSs')}",
            page="lms",
            words="Give access",
        ),
        Step(
            title="Find your courses",
            purpose="The first run lists every course of your LMSs and reads its gradebook, so "
            "that you can try what comes next on real scores. It writes nothing.",
            is_done=found.courses_read > 0,
            found=_courses(found),
            page="courses" if found.courses_found else "",
            words="Look at the courses",
            is_run=True,
        ),
    )


def _policy_steps(found: FirstSteps) -> tuple[Step, ...]:
    return (
        Step(
            title="Bring in a framework",
            purpose="A framework lists the competencies that learners are to master.",
            is_done=found.competencies > 0,
            found=_framework(found),
            page="frameworks",
            words="Go to the frameworks",
            otherwise="Whoever runs Waymark brings one in: waymark framework import.",
        ),
        Step(
            title="Publish a mapping",
            purpose="A mapping says which work in the LMS is evidence for which competency.",
            is_done=found.mapped_at is not None,
            found=_count(found.mapping_rules, "rule") if found.mapping_rules else "",
            page="mappings",
            words="Go to the mappings",
            otherwise="Whoever runs Waymark loads one: waymark district load.",
        ),
        Step(
            title="Look at the mastery rule",
            purpose="A rule says how much evidence, and how good, makes a competency mastered. "
            "Until you set one, Waymark's own holds.",
            # Who has seen a night through without one is content with Waymark's own.
            is_done=found.rules_set > 0 or found.judged_at is not None,
            found=_count(found.rules_set, "version") if found.rules_set else "",
            page="rules",
            words="Go to the rules",
            otherwise="Whoever runs Waymark sets it: waymark rule.",
        ),
        Step(
            title="Choose who sees what",
            purpose="Each school goes at its own pace: from results that only you see to marks in "
            "gradebooks. Nothing is written to a gradebook before a first yes.",
            is_done=found.choices > 0,
            page="courses",
            words="Choose modes",
        ),
    )


def _last_step(found: FirstSteps) -> Step:
    return Step(
        title="See the first night through",
        purpose="Every night Waymark reads what is new and works out who mastered what.",
        is_done=found.judged_at is not None,
        page="runs",
        words="Look at the runs",
        is_run=found.mapped_at is not None,
    )


def _waiting(
    connection: Connection, tenant: TenantId, night: RunLine | None
) -> tuple[Waiting, ...]:
    failed = sum(
        len(group.items) for group in dead_groups(connection, tenant, now=services().now())
    )
    found = (
        Waiting(
            count=failed,
            words="could not be done; each with what to do about it",
            page="failures",
        ),
        Waiting(
            count=len(modes.courses_waiting(connection, tenant)),
            words="of your courses wait for a first yes to writing marks",
            page="courses/waiting",
        ),
        Waiting(
            count=len(rule_proposals.waiting(connection, tenant)),
            words="to decide upon: changes of rules that wait for a second person",
            page="rules#waiting",
        ),
        Waiting(
            count=night.alarms if night else 0,
            words="noticed in the last night that somebody should look at",
            page=f"runs/{night.id}" if night else "runs",
        ),
    )
    return tuple(one for one in found if one.count)


def _courses(found: FirstSteps) -> str:
    if not found.courses_found:
        return ""
    return f"{_count(found.courses_found, 'course')} found, {found.courses_read:,} read"


def _framework(found: FirstSteps) -> str:
    if not found.competencies:
        return ""
    frameworks = _count(found.frameworks, "framework")
    return f"{frameworks}, {_count(found.competencies, 'competency', 'competencies')}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
