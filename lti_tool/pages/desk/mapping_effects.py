"""What a draft of the mapping would do to where learners stand, before it is published."""

from flask import Blueprint, render_template

from lti_tool.launch.services import services
from lti_tool.pages.administrators import changing_administrator
from lti_tool.pages.desk.mapping_forms import draft_here
from lti_tool.pages.desk.trial_pages import shown_trial
from store import mapping_drafts
from store.alignments import rules_digest
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
    purpose = {
        "kind": "mapping",
        "name": draft.title,
        "page": f"mappings/{draft.id}/publish",
        "seen": rules_digest(rules),
    }
    found = trials.try_out(
        services().container, visit.record.tenant, Proposed(mapping=rules), purpose=purpose
    )
    with reading(services().engine) as connection:
        shown = shown_trial(connection, visit, found)
    return render_template("desk/mapping_effect.html", visit=visit, draft=draft, **shown)
