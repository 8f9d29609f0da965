"""A simulated Canvas: REST, GraphQL, the LTI platform and a few pages.

Here belongs what Canvas does on the wire, as strict and as odd as the contract says. Here does
not belong what a district is (``simulators.generate``) nor anything of Waymark.

Optional settings in the table ``config``: ``throttle_status`` (403 or 429),
``outcomes_new_decaying_average_calculation`` (1),
``progress_seconds``, ``ags_concluded_422`` (1), ``registration_deployment`` (1),
``refresh_token`` with ``client_secret``, ``late_policy:<course>``, ``storage_mode`` and
``storage_target``.
"""

import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from simulators import fault_control, placed_links
from simulators.canvas import (
    accounts,
    api_keys,
    assignments,
    audit,
    changes,
    columns,
    consent,
    control,
    deep_links,
    gate,
    graph,
    launches,
    line_items,
    live_events,
    members,
    notice_handlers,
    outcomes,
    pages,
    registering,
    rights,
    scores,
    sections,
    service_tokens,
    storage,
    submissions,
    tools,
    user_tokens,
)
from simulators.canvas.world import World
from simulators.faults import Faults
from simulators.signing import PlatformKey
from simulators.state import StatePool

__all__ = ["create_app"]

TEMPLATES = Path(__file__).parent.parent / "templates"
ROOMS = (
    accounts,
    api_keys,
    assignments,
    audit,
    changes,
    columns,
    consent,
    control,
    deep_links,
    graph,
    launches,
    line_items,
    live_events,
    members,
    notice_handlers,
    outcomes,
    pages,
    registering,
    rights,
    scores,
    sections,
    service_tokens,
    storage,
    submissions,
    user_tokens,
)


def create_app(db_path: Path | str, *, clock: Callable[[], float] = time.time) -> Flask:
    """Make a Canvas out of a filled state file.

    Args:
        db_path: What ``simulators.state.fill`` wrote; the platform's key is kept beside it.
        clock: Seconds since 1970.
    """
    path = Path(db_path)
    app = Flask(__name__, template_folder=TEMPLATES, static_folder=None)
    key = PlatformKey.load_or_create(path.with_suffix(".pem"))
    event_key = PlatformKey.load_or_create(path.with_suffix(".events.pem"))
    faults = Faults(clock)
    app.extensions["canvas"] = World(
        states=StatePool(path), key=key, event_key=event_key, clock=faults.now
    )
    fault_control.install(app, path, faults)
    gate.install(app)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    app.register_error_handler(404, gate.not_found)
    api_keys.prepare(path)
    audit.prepare(path)
    notice_handlers.prepare(path)
    outcomes.prepare(path)
    sections.prepare(path)
    tools.prepare(path)
    placed_links.prepare(path)
    return app
