"""Whether this process lives, and whether it can serve."""

import json
from http import HTTPStatus

from flask import Blueprint, Response
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.container import Container
from lti_tool.launch.services import services
from store import schema, tool_keys
from store.secrets import SealBroken
from store.session import reading

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """That the process answers; it asks nobody, or a database that is down would restart it."""
    return _answer({"ok": True}, is_well=True)


@blueprint.get("/readyz")
def readyz() -> Response:
    """Whether the process can serve: which of what it needs is there, and nothing more."""
    container = services().container
    found = {
        "database": _database_is_current(container),
        "redis": _redis_answers(container),
        "secrets": _secrets_open(container),
    }
    return _answer({"ok": all(found.values()), **found}, is_well=all(found.values()))


def _answer(said: dict[str, bool], *, is_well: bool) -> Response:
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(json.dumps(said), status, mimetype="application/json")


def _database_is_current(container: Container) -> bool:
    try:
        return schema.is_current(container.engine)
    except SQLAlchemyError:
        return False


def _redis_answers(container: Container) -> bool:
    try:
        return bool(container.redis.ping())
    except RedisError:
        return False


def _secrets_open(container: Container) -> bool:
    """Whether the newest of Waymark's keys opens; before the first is made there is none to."""
    try:
        with reading(container.engine) as connection:
            keys = tool_keys.stored_keys(connection)
            return not keys or bool(tool_keys.load(keys[-1], container.secrets).kid)
    except (SQLAlchemyError, SealBroken):
        return False
