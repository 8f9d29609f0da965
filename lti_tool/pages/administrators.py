"""What every page for administrators begins and ends with."""

from http import HTTPStatus
from typing import cast

from flask import Response, redirect

from lti_tool.guards import Capacity, Visit, require
from lti_tool.launch.services import services
from lti_tool.pages.visits import changing_visit, current_visit
from store.policy_changes import Author


def administrator(launch_id: str) -> Visit:
    """The visit of an administrator who looks at a page."""
    visit = current_visit(launch_id)
    require(visit, Capacity.ADMINISTRATOR)
    return visit


def changing_administrator(launch_id: str) -> Visit:
    """The visit of an administrator who changes something, from a page of ours."""
    visit = changing_visit(launch_id)
    require(visit, Capacity.ADMINISTRATOR)
    return visit


def author_of(visit: Visit, reason: str = "") -> Author:
    """Who changes something now, for the trail."""
    name = visit.record.name or "An administrator"
    return Author(by=name, at=services().now(), reason=reason)


def to_page(visit: Visit, page: str) -> Response:
    """On to another page of the same visit, after something was changed."""
    address = f"/l/{visit.launch_id}/{page}"
    return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))
