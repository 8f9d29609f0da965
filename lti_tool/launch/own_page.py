"""Whether a form was sent from a page of ours."""

from flask import request

from lti_tool.launch.refusals import ForgedRequest
from lti_tool.launch.services import services


def require_own_page() -> None:
    """Refuse a form that another site, or no browser at all, sent.

    Our pages send no referrer, for which browsers also withhold the origin ("null"); what they
    then say of the site is as good.

    Raises:
        ForgedRequest: It does not come from a page of ours.

    Source: Fetch, 3.2 (``Origin``); Fetch Metadata Request Headers, 2.4 (``Sec-Fetch-Site``).
    """
    origin = request.headers.get("Origin", "null")
    site = request.headers.get("Sec-Fetch-Site", "")
    is_own = origin == services().origin if origin != "null" else site == "same-origin"
    if not is_own or site not in {"", "same-origin"}:
        raise ForgedRequest("origin_other")
