"""A class read now: what a teacher or an administrator may ask for before the next night."""

from datetime import datetime
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, jsonify, redirect, render_template
from sqlalchemy import Connection

from lti_tool.guards import Capacity, NotThere, NotYourPage, Visit, may_judge, require_class
from lti_tool.launch.services import services
from lti_tool.pages.visits import changing_visit, current_visit
from mapping.records import CourseId
from store.refresh_turns import Turn, take_turn, turn_of
from store.refreshes import RefreshCause, request_refreshes
from store.session import reading, writing
from workers import queue

blueprint = Blueprint("refreshing", __name__)


def may_refresh(visit: Visit) -> bool:
    """Whether a launch may have a class read now; an assistant changes nothing."""
    return visit.has(Capacity.ADMINISTRATOR) or may_judge(visit)


@blueprint.post("/class/<row_id:course_id>/refresh")
def ask(launch_id: str, course_id: int) -> Response:
    """Have a class read now, unless it was within five minutes, and show how that stands.

    Raises:
        NotYourPage: The launch is an assistant's.
    """
    visit = changing_visit(launch_id)
    course, at = CourseId(course_id), services()
    with writing(at.engine) as connection:
        turn = standing(connection, visit, course, now=at.now())
        if not may_refresh(visit):
            raise NotYourPage
        is_begun = turn.paused_at is None and _begin(connection, visit, course)
    if is_begun:
        # The request stands in the database, so nothing is lost where this fails.
        queue.bring_on(at.container, visit.record.tenant)
    page = f"/l/{launch_id}/class/{course_id}#refresh"
    return cast("Response", redirect(page, HTTPStatus.SEE_OTHER, Response))


@blueprint.get("/class/<row_id:course_id>/refresh")
def follow(launch_id: str, course_id: int) -> Response:
    """How a class's reading stands: ``html`` to be shown, ``is_over`` once there is no more."""
    visit = current_visit(launch_id)
    with reading(services().engine) as connection:
        turn = standing(connection, visit, CourseId(course_id), now=services().now())
    html = render_template("refreshing.html", turn=turn)
    return jsonify(html=html, is_over=turn.step is None)


def standing(connection: Connection, visit: Visit, course: CourseId, *, now: datetime) -> Turn:
    """How a class's reading stands, for whom may see the class.

    Raises:
        NotThere: The launch may not, or there is none.
    """
    require_class(connection, visit, course)
    turn = turn_of(connection, visit.record.tenant, course, now=now)
    if turn is None:
        raise NotThere
    return turn


def _begin(connection: Connection, visit: Visit, course: CourseId) -> bool:
    now = services().now()
    if not take_turn(connection, visit.record.tenant, course, now=now):
        return False
    request_refreshes(connection, [course], cause=RefreshCause.TEACHER, by=_asker(visit), now=now)
    return True


def _asker(visit: Visit) -> str:
    return (visit.record.name or "A teacher")[:255]
