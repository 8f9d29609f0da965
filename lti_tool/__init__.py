"""The web face: what an LMS and its people see of Waymark.

Pages read the database and answer; they never wait for an LMS and never compute mastery on their
own. Syncing, computing and writing back do not belong here.
"""

import json
from http import HTTPStatus

from flask import Blueprint, Flask, Response, render_template
from redis import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from bootstrap.container import Container
from lti_tool import errors
from lti_tool.launch import access_pages, registration_pages, routes
from lti_tool.launch.form import LAUNCH_TOTAL
from lti_tool.launch.platform_keys import FetchJson
from lti_tool.launch.refusals import KeySetUnavailable as KeySetUnavailable
from lti_tool.launch.services import EXTENSION, make_services, services
from lti_tool.pages import (
    admin,
    choose,
    courses,
    family,
    headers,
    home,
    judgements,
    learner,
    refreshing,
    shown,
    teacher,
)
from lti_tool.signals import live_events, notices
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
    rooms = (routes, registration_pages, access_pages, live_events, notices)
    for blueprint in (front, *(room.blueprint for room in rooms)):
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
        choose,
    ):
        app.register_blueprint(page.blueprint, url_prefix="/l/<launch_id:launch_id>")
    errors.register(app)
    headers.register(app)
    shown.register(app)
    return app


@front.get("/")
def index() -> str:
    """What this is, for whoever comes without an LMS."""
    return render_template("front.html")


@front.get("/healthz")
def healthz() -> Response:
    """Whether the database and Redis answer."""
    found = {"database": _database_answers(), "redis": _redis_answers()}
    is_well = all(found.values())
    return Response(
        json.dumps({"ok": is_well, **found}),
        HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE,
        mimetype="application/json",
    )


def _database_answers() -> bool:
    try:
        with reading(services().engine) as connection:
            return connection.execute(select(1)).scalar() == 1
    except SQLAlchemyError:
        return False


def _redis_answers() -> bool:
    try:
        return bool(services().container.redis.ping())
    except RedisError:
        return False
