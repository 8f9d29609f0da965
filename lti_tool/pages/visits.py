"""The visit a page is shown to."""

from flask import request

from lti_tool.guards import Visit
from lti_tool.launch.services import services
from lti_tool.launch.sessions import find_visit, frame_origins
from lti_tool.pages.headers import allow_frames
from lti_tool.pages.shown import use_timezone


def current_visit(launch_id: str) -> Visit:
    """The visit of this request, whose LMS may frame the page.

    Raises:
        NoSession: This browser has no key to the launch.
        SessionEnded: It has one that does not fit, or no longer.
    """  # noqa: DOC502 - raised by find_visit()
    visit = find_visit(launch_id, services(), request.cookies)
    allow_frames(frame_origins(visit))
    use_timezone(visit.timezone)
    return visit
