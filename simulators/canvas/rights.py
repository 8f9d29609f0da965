"""What the service user is refused, to be switched by stories and tests.

Kept as settings ``denied:<what>``; the value is the status with which it is refused.
"""

from flask import Blueprint, Response, request

from simulators.canvas.wire import FORBIDDEN, NOT_FOUND, answer, refuse
from simulators.canvas.world import config, db

blueprint = Blueprint("rights", __name__)

DENIABLE = ("graphql", "audit", "sections", "groups", "columns", "grades")
SCOPES = {"errors": [{"message": "Insufficient scopes on access token."}]}
REFUSALS = {401: SCOPES, 403: FORBIDDEN, 404: NOT_FOUND}


@blueprint.post("/_control/rights")
def rights() -> Response:
    """Refuse things, ``{"graphql": 401, "audit": 403}``; 0 allows them again."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or not sent.keys() <= set(DENIABLE):
        refuse(400, {"error": f"a JSON object of {', '.join(DENIABLE)} is needed"})
    for name, status in sent.items():
        if status and status not in REFUSALS:
            refuse(400, {"error": "a status is 401, 403, 404, or 0"})
        value = str(status) if status else ""
        db().execute("INSERT OR REPLACE INTO config VALUES (?, ?)", (f"denied:{name}", value))
    return answer(sent)


def is_denied(name: str) -> bool:
    """Whether the service user is refused something."""
    return bool(config().get(f"denied:{name}"))


def refuse_denied(name: str) -> None:
    """Go on where the service user may.

    Raises:
        Refused: With the status that was set.
    """
    status = config().get(f"denied:{name}")
    if status:
        refuse(int(status), REFUSALS[int(status)])
