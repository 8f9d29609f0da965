"""The Moodle simulator: REST web services, LTI 1.3 platform, gradebook, a few pages.

Behaves as Moodle 4.5.6 was seen to, oddities included, wherever Waymark can notice; each
module names the section of the contract it follows. Here belongs nothing that Canvas shares:
the state file and the signing of tokens lie one package up.
"""

import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, render_template
from werkzeug.exceptions import NotFound

from simulators import placed_links
from simulators.faults import Faults

# Imported for what they register: web service functions and LTI service handlers.
from simulators.moodle import (
    changes,
    competency_book,
    competency_functions,
    control,
    deep_links,
    faults,
    functions,
    grading_functions,
    group_functions,
    groups,
    line_items,
    members,
    pages,
    platform,
    registering,
    rest,
    rubric_functions,
    scores,
    services,
    site,
)

__all__ = ["create_app"]

_REGISTERING = (
    competency_functions,
    functions,
    grading_functions,
    group_functions,
    line_items,
    members,
    rubric_functions,
    scores,
)
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def create_app(db_path: Path | str, *, clock: Callable[[], float] = time.time) -> Flask:
    """Make the application of one Moodle site.

    Args:
        db_path: A state file of kind moodle; the site's signing key is kept beside it.
        clock: Says what time it is, in seconds since 1970.
    """
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=None)
    found = Faults(clock)
    site.install(app, Path(db_path), found.now)
    faults.install(app, Path(db_path), found)
    for module in (changes, control, deep_links, pages, platform, registering, rest, services):
        app.register_blueprint(module.blueprint)
    app.register_error_handler(NotFound, _not_found)
    placed_links.prepare(Path(db_path))
    competency_book.prepare(Path(db_path))
    groups.prepare(Path(db_path))
    return app


def _not_found(_error: Exception) -> tuple[str, int]:
    return render_template("moodle_error.html", title="Error"), 404
