"""The web face: what an LMS and its people see of Waymark.

Pages read the database and answer; they never wait for an LMS and never compute mastery on their
own. Syncing, computing and writing back do not belong here.
"""

from flask import Blueprint, Flask, render_template
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from bootstrap.container import Container
from lti_tool import errors, health, languages, metrics, request_log
from lti_tool.api import routes as api_routes
from lti_tool.launch import access_pages, registration_pages, routes
from lti_tool.launch.form import LAUNCH_TOTAL
from lti_tool.launch.platform_keys import FetchJson
from lti_tool.launch.refusals import KeySetUnavailable as KeySetUnavailable
from lti_tool.launch.services import EXTENSION, make_services, services
from lti_tool.pages import (
    admin,
    choose,
    courses,
    failures,
    family,
    headers,
    home,
    judgements,
    learner,
    mastery,
    people,
    refreshing,
    shown,
    teacher,
    wording,
)
from lti_tool.pages.desk import (
    calendar,
    changes,
    framework_editor,
    framework_imports,
    frameworks,
    gradebooks,
    mapping_effects,
    mapping_review,
    mapping_rules,
    mapping_sets,
    mapping_suggestions,
    mastery_switch,
    method_comparisons,
    rule_waiting,
    rules,
    schools,
    sections,
    start,
    trial_pages,
    words,
)
from lti_tool.pages.lms import desk as lms
from lti_tool.pages.lms import first
from lti_tool.signals import live_events, notices
from store import tenants
from store.session import reading

front = Blueprint("front", __name__)


class _LaunchIdConverter(BaseConverter):
    regex = "[0-9a-f]{32}"


class _RowIdConverter(BaseConverter):
    """A database id; digits beyond 18 fit no column and are no address."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)


def create_app(container: Container, fetch_key_set: FetchJson | None = None) -> Flask:
    """The web application.

    Args:
        container: What the process works with; the app does not close it.
        fetch_key_set: Gets a platform's key set; None takes the container's own way, over the
            network.

    Returns:
        A WSGI application, safe for threads. Processes that fork make their own.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LAUNCH_TOTAL
    app.config["MAX_FORM_MEMORY_SIZE"] = LAUNCH_TOTAL
    app.extensions[EXTENSION] = make_services(container, fetch_key_set or container.fetch_key_set)
    # An address is not mended by a redirect: it would lead to whatever the Host header says.
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.url_map.converters["launch_id"] = _LaunchIdConverter
    app.url_map.converters["row_id"] = _RowIdConverter
    if container.settings.trusted_proxies:
        hops = container.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign] # as Flask says it is done
    rooms = (routes, registration_pages, access_pages, first, live_events, notices, api_routes)
    for blueprint in (
        front,
        health.blueprint,
        metrics.blueprint,
        mastery.everybody,
        *(r.blueprint for r in rooms),
    ):
        app.register_blueprint(blueprint)
    for page in (
        home,
        learner,
        judgements,
        teacher,
        refreshing,
        family,
        admin,
        courses,
        failures,
        people,
        choose,
        frameworks,
        framework_imports,
        framework_editor,
        rules,
        rule_waiting,
        trial_pages,
        method_comparisons,
        mastery_switch,
        mastery,
        words,
        mapping_sets,
        mapping_rules,
        mapping_effects,
        mapping_review,
        mapping_suggestions,
        start,
        changes,
        calendar,
        lms,
        gradebooks,
        schools,
    ):
        app.register_blueprint(page.blueprint, url_prefix="/l/<launch_id:launch_id>")
    request_log.register(app)
    errors.register(app)
    headers.register(app)
    shown.register(app)
    wording.register(app)
    sections.register(app)
    languages.register(app)
    return app


@front.get("/")
def index() -> str:
    """What this is, for whoever comes without an LMS."""
    with reading(services().engine) as connection:
        is_empty = not tenants.all_tenants(connection)
    return render_template("front.html", is_empty=is_empty)
