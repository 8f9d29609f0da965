"""What people do at a Moodle, offered to stories, tests and the gradebook page."""

from flask import Blueprint, Response, jsonify, request

from simulators.changes import Acts, ImpossibleError, change_of
from simulators.course_changes import acts as common_to_all
from simulators.moodle import cell_changes, course_acts
from simulators.moodle.site import site

blueprint = Blueprint("changes", __name__, url_prefix="/_control")

acts = Acts(common_to_all, cell_changes.acts, course_acts.acts)


@blueprint.get("/change")
def kinds() -> Response:
    """Which acts there are and what each does."""
    return jsonify(dict(acts.told))


@blueprint.post("/change")
def change() -> tuple[Response, int]:
    """Do one: {kind, course, learner, item, value}, as far as it needs them."""
    here = site()
    sent = request.get_json(silent=True)
    try:
        name, wanted = change_of(
            here.connection, sent if isinstance(sent, dict) else {}, now=here.now
        )
        return jsonify({"ok": True} | acts.do(here.connection, name, wanted)), 200
    except ImpossibleError as error:
        here.connection.rollback()
        return jsonify(error=str(error)), 400
