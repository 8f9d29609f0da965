"""What the nights did, for the tenant's administrators."""

from flask import Blueprint, render_template

from lti_tool.guards import Capacity, NotThere, Visit, require
from lti_tool.launch.services import services
from lti_tool.pages.visits import current_visit
from mapping.records import RunId
from store.run_notes import note_lines
from store.run_reports import run_lines, work_lines
from store.session import reading

blueprint = Blueprint("admin", __name__)


@blueprint.get("/runs")
def runs(launch_id: str) -> str:
    """The history of runs, the newest first."""
    visit = _administrator(launch_id)
    with reading(services().engine) as connection:
        found = run_lines(connection, visit.record.tenant)
    return render_template("runs.html", visit=visit, runs=found)


@blueprint.get("/runs/<row_id:run_id>")
def run(launch_id: str, run_id: int) -> str:
    """One run: what it did in each course, and what it skipped and why.

    Raises:
        NotThere: The tenant has no such run.
    """
    visit = _administrator(launch_id)
    with reading(services().engine) as connection:
        found = run_lines(connection, visit.record.tenant, run=RunId(run_id))
        if not found:
            raise NotThere
        work = work_lines(connection, visit.record.tenant, RunId(run_id))
        notes = note_lines(connection, RunId(run_id))
    return render_template("run.html", visit=visit, run=found[0], work=work, notes=notes)


def _administrator(launch_id: str) -> Visit:
    visit = current_visit(launch_id)
    require(visit, Capacity.ADMINISTRATOR)
    return visit
