"""What people do at a Canvas, offered to stories, tests and the gradebook page."""

from flask import Blueprint, Response, request

from simulators.canvas import cell_changes, course_changes
from simulators.canvas.wire import answer, refuse
from simulators.canvas.world import db, now
from simulators.changes import Acts, ImpossibleError, change_of
from simulators.course_changes import acts as common_to_all

blueprint = Blueprint("changes", __name__)

acts = Acts(common_to_all, cell_changes.acts, course_changes.acts)


@blueprint.get("/_control/change")
def kinds() -> Response:
    """Which acts there are and what each does."""
    return answer(dict(acts.told))


@blueprint.post("/_control/change")
def change() -> Response:
    """Do one: {kind, course, learner, item, value, criterion}, as far as it needs them."""
    sent = request.get_json(silent=True)
    try:
        name, wanted = change_of(db(), sent if isinstance(sent, dict) else {}, now=now())
        return answer({"ok": True} | acts.do(db(), name, wanted))
    except ImpossibleError as error:
        refuse(400, {"error": str(error)})
