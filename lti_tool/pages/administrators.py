"""What every page for administrators begins and ends with.

All of them read everything; what somebody may change follows from their role at the desk.
"""

from collections.abc import Collection
from dataclasses import replace
from http import HTTPStatus
from typing import cast

from flask import Response, redirect

from lti_tool.guards import Capacity, Visit, require
from lti_tool.launch.services import services
from lti_tool.pages.visits import changing_visit, current_visit
from store import desk_roles
from store.desk_roles import Person, Right
from store.policy_changes import Author
from store.session import reading, writing


class NotYourRole(Exception):  # noqa: N818 - named for what the person finds
    """An administrator wants to change what their role at the desk is not for."""


def administrator(launch_id: str) -> Visit:
    """The visit of an administrator who looks at a page, with what they may change."""
    visit = current_visit(launch_id)
    require(visit, Capacity.ADMINISTRATOR)
    return _seated(visit)


def changing_administrator(launch_id: str, right: Right = Right.DESIGN) -> Visit:
    """The visit of an administrator who changes something, from a page of ours.

    Args:
        launch_id: Of the visit.
        right: What they change.

    Raises:
        NotYourRole: Their role is not for that.
    """
    visit = changing_visit(launch_id)
    require(visit, Capacity.ADMINISTRATOR)
    visit = _seated(visit)
    if not visit.may(right):
        raise NotYourRole
    return visit


def require_schools(visit: Visit, schools: Collection[int | None]) -> None:
    """Let on who may change things of all these schools.

    Raises:
        NotYourRole: They are an operator of one school, and it is not the only one of these.
    """
    own = None if visit.seat is None else visit.seat.school
    if own is not None and set(schools) - {own}:
        raise NotYourRole


def author_of(visit: Visit, reason: str = "") -> Author:
    """Who changes something now, for the trail."""
    name = visit.record.name or "An administrator"
    return Author(by=name, at=services().now(), reason=reason)


def to_page(visit: Visit, page: str) -> Response:
    """On to another page of the same visit, after something was changed."""
    address = f"/l/{visit.launch_id}/{page}"
    return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))


def _seated(visit: Visit) -> Visit:
    """The visit with the person's seat at the desk; that they were here is noted."""
    record = visit.record
    assert record.subject is not None  # noqa: S101 - without one a launch proves no capacity
    person = Person(platform=visit.platform.id, subject=record.subject, name=record.name or "")
    now = services().now()
    with reading(services().engine) as connection:
        seat = desk_roles.seat_of(connection, record.tenant, person)
        is_due = desk_roles.is_sight_due(connection, record.tenant, person, now=now)
    if is_due:
        with writing(services().engine) as connection:
            desk_roles.note_sight(connection, record.tenant, person, now=now)
    return replace(visit, seat=seat)
