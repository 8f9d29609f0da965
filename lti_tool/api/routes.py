"""Where the API is served: its operations, its description, and errors in its own form."""

import msgspec
from flask import Blueprint, Response

from lti_tool.api import (
    competency_levels,
    courses,
    framework_edits,
    framework_imports,
    frameworks,
    mapping_drafts,
    mapping_effects,
    mappings,
    rules,
    runs,
    schools,
    trail,
    trials,
)
from lti_tool.api.openapi import ADDRESS, description
from lti_tool.api.operations import OPERATIONS
from lti_tool.api.problems import Refused, told

__all__ = [
    "blueprint",
    "competency_levels",
    "courses",
    "framework_edits",
    "framework_imports",
    "frameworks",
    "mapping_drafts",
    "mapping_effects",
    "mappings",
    "rules",
    "runs",
    "schools",
    "trail",
    "trials",
]

blueprint = Blueprint("api", __name__, url_prefix=ADDRESS)
blueprint.register_error_handler(Refused, told)
OPERATIONS.serve(blueprint)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of the API; it names no district, and needs no token."""
    return Response(msgspec.json.encode(description()), mimetype="application/json")
