"""What a draft of the mapping would do to where learners stand, before it is published."""

from flask import Blueprint, render_template

from lti_tool.launch.services import services
from lti_tool.pages.administrators import changing_administrator
from lti_tool.pages.desk import effects
from lti_tool.pages.desk.mapping_forms import draft_here
from store import mapping_drafts
from store.session import reading
from workers import trials
from workers.effects import Proposed

blueprint = Blueprint("mapping_effects", __name__)


@blueprint.post("/mappings/<row_id:draft_id>/effect")
def try_out(launch_id: str, draft_id: int) -> str:
    """Try a draft on all evidence; nothing is changed."""
    visit = changing_administrator(launch_id)
    with reading(services().engine) as connection:
        draft = draft_here(connection, visit, draft_id)
        rules = mapping_drafts.rules_in(connection, draft.id)
    found = trials.try_out(services().container, visit.record.tenant, Proposed(mapping=rules))
    is_waiting = isinstance(found, str)
    with reading(services().engine) as connection:
        shown = None if isinstance(found, str) else effects.shown(connection, visit, found)
    return render_template(
        "desk/mapping_effect.html",
        visit=visit,
        draft=draft,
        shown=shown,
        key=found if is_waiting else "",
        trial=None,
    )
