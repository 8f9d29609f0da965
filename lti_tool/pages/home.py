"""Where a visit begins, and what is said to those for whom there is no page."""

from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, redirect, render_template

from lti_tool.guards import Capacity
from lti_tool.launch.sessions import landing
from lti_tool.pages.visits import current_visit

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home(launch_id: str) -> Response:
    """Go to the page that the person came for."""
    visit = current_visit(launch_id)
    page = landing([Capacity(name) for name in visit.record.capacities], visit.record.message)
    return cast("Response", redirect(f"/l/{launch_id}/{page}", HTTPStatus.SEE_OTHER, Response))


@blueprint.get("/welcome")
def welcome(launch_id: str) -> str:
    """Say that the launch was fine and why there is nothing to see."""
    return render_template("welcome.html", visit=current_visit(launch_id))
