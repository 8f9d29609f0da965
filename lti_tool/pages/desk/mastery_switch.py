"""Whether everybody may read how mastery works here: a link that is made, made anew, taken back."""

import secrets

from flask import Blueprint, Response, render_template, request

from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.pages.desk.mapping_forms import field_text
from lti_tool.pages.mastery import how_it_works, told
from store import mastery_pages
from store.desk_roles import Right
from store.session import reading, writing

blueprint = Blueprint("mastery_switch", __name__)

_PAGE = "rules/mastery"
_BYTES = 16
_MOST_REASON = 2_000


@blueprint.get("/rules/mastery")
def page(launch_id: str) -> str:
    """How mastery works here, and who may read it."""
    visit = administrator(launch_id)
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        shown = how_it_works(connection, tenant, now=services().now())
        opened = mastery_pages.page_of(connection, tenant)
    return render_template(
        "desk/mastery.html",
        visit=visit,
        opened=opened,
        address=f"{services().origin}/how-mastery-works/{opened.token}" if opened else "",
        may_change=visit.may(Right.DESIGN),
        done=request.args.get("done", ""),
        **told(shown),
    )


@blueprint.post("/rules/mastery/open")
def open_to_everybody(launch_id: str) -> Response:
    """Show it by a new link; the one before leads nowhere any more."""
    visit = changing_administrator(launch_id)
    author = author_of(visit, field_text("reason", _MOST_REASON))
    with writing(services().engine) as connection:
        token = secrets.token_hex(_BYTES)
        mastery_pages.open_page(connection, visit.record.tenant, token, author=author)
    return to_page(visit, f"{_PAGE}?done=open#everybody")


@blueprint.post("/rules/mastery/close")
def close_to_everybody(launch_id: str) -> Response:
    """Take the link back."""
    visit = changing_administrator(launch_id)
    author = author_of(visit, field_text("reason", _MOST_REASON))
    with writing(services().engine) as connection:
        mastery_pages.close_page(connection, visit.record.tenant, author=author)
    return to_page(visit, f"{_PAGE}?done=closed#everybody")
