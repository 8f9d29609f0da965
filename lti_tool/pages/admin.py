"""What the nights did, for the tenant's administrators."""

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.guards import NotThere
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator
from lti_tool.pages.desk.calendar import calendar
from mapping.records import RunId
from store import run_reports
from store.alarms import alarm_lines
from store.nights import night_before
from store.run_notes import note_lines
from store.run_progress import live_run
from store.run_reports import run_lines, work_lines
from store.session import reading

blueprint = Blueprint("admin", __name__)


@blueprint.get("/runs")
def runs(launch_id: str) -> str:
    """The history of runs, the newest first."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        found = run_lines(connection, visit.record.tenant)
        weeks = calendar(connection, visit.record.tenant) if found else ()
    return render_template("runs.html", visit=visit, runs=found, weeks=weeks)


@blueprint.get("/runs/<row_id:run_id>")
def run(launch_id: str, run_id: int) -> str:
    """One run: what it did in each course, and what it skipped and why.

    Raises:
        NotThere: The tenant has no such run.
    """
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        found = run_lines(connection, visit.record.tenant, run=RunId(run_id))
        if not found:
            raise NotThere
        work = work_lines(connection, visit.record.tenant, RunId(run_id))
        shown = {
            "notes": note_lines(connection, RunId(run_id)),
            "alarms": alarm_lines(connection, RunId(run_id)),
            "counts_now": run_reports.counts(connection, RunId(run_id)),
            "live": live_run(connection, visit.record.tenant, RunId(run_id), now=services().now()),
            "earlier": night_before(connection, visit.record.tenant, RunId(run_id)),
        }
    return render_template("run.html", visit=visit, run=found[0], work=work, **shown)


@blueprint.get("/runs/<row_id:run_id>/live")
def live(launch_id: str, run_id: int) -> Response:
    """The part of a run's page that changes while it goes on; 304 where nothing did.

    Raises:
        NotThere: The tenant has no such run.
    """
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        found = live_run(connection, visit.record.tenant, RunId(run_id), now=services().now())
    if found is None:
        raise NotThere
    response = make_response(render_template("_live.html", live=found))
    response.headers["Waymark-Over"] = "yes" if found.is_over else "no"
    response.add_etag()
    response.make_conditional(request)
    return response
