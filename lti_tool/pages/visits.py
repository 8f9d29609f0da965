"""The visit a page is shown to."""

import hmac

from flask import request

from lti_tool.called import use_words
from lti_tool.guards import Visit
from lti_tool.languages import told_by_the_lms
from lti_tool.launch.refusals import ForgedRequest
from lti_tool.launch.services import services
from lti_tool.launch.sessions import find_visit, frame_origins
from lti_tool.pages.headers import allow_frames
from lti_tool.pages.shown import use_timezone
from store.district_words import terms_of
from store.session import reading


def current_visit(launch_id: str) -> Visit:
    """The visit of this request, whose LMS may frame the page.

    Raises:
        NoSession: This browser has no key to the launch.
        SessionEnded: It has one that does not fit, or no longer.
    """  # noqa: DOC502 - raised by find_visit()
    visit = find_visit(launch_id, services(), request)
    allow_frames(frame_origins(visit.platform))
    use_timezone(visit.timezone)
    told_by_the_lms(visit.record.locale)
    with reading(services().engine) as connection:
        use_words(terms_of(connection, visit.record.tenant))
    return visit


def changing_visit(launch_id: str) -> Visit:
    """The visit of a request that changes something, proven to come from a page of ours.

    The cookie goes along with a foreign site's form too; the field ``csrf`` is known to our own
    pages only.

    Raises:
        ForgedRequest: It does not come from a page of this visit.
    """
    visit = current_visit(launch_id)
    sent = request.form.get("csrf", "").encode("utf-8", "surrogatepass")
    is_foreign = request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
    if is_foreign or not hmac.compare_digest(sent, visit.csrf.encode()):
        raise ForgedRequest("csrf")
    return visit
