"""A guardian's children, each with the page that the child sees."""

from flask import Blueprint, render_template

from lti_tool.guards import Capacity, children, launched_course, require, require_shown
from lti_tool.launch.services import services
from lti_tool.pages.visits import current_visit
from mapping.evidence.tables import View
from store.session import reading

blueprint = Blueprint("family", __name__)


@blueprint.get("/family")
def family(launch_id: str) -> str:
    """The learners whom the LMS lets this guardian observe in the launched course."""
    visit = current_visit(launch_id)
    require(visit, Capacity.GUARDIAN)
    with reading(services().engine) as connection:
        course = launched_course(connection, visit)
        found = () if course is None else children(connection, visit, course)
        if course is not None:
            require_shown(connection, visit, course, view=View.LEARNER)
    return render_template("family.html", visit=visit, children=found)
