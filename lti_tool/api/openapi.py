"""The description of the API, made of its operations.

Source: OpenAPI Specification 3.1.0.
"""

import inspect
from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec

from lti_tool.api.operations import (
    FILE,
    KEY_HEADER,
    KEY_PATTERN,
    LONGEST_KEY,
    OPERATIONS,
    PATH_PART,
    REPLAYED_HEADER,
    Nothing,
    Operation,
    PageQuery,
    RowId,
)
from lti_tool.api.problems import Problem
from store.api_tokens import Scope

ADDRESS = "/api/v1"
_REF = "#/components/schemas/{name}"
_SCHEME = "token"
_PROBLEM = "application/problem+json"
_JSON = "application/json"


def description() -> dict[str, Any]:
    """The whole API as an OpenAPI document."""
    operations = tuple(OPERATIONS.found)
    types = [Problem, *_types(operations)]
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        path = PATH_PART.sub(r"{\3}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _described(one, components)
    used = {name: schema for name, schema in components.items() if name not in _queries(operations)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waymark",
            "version": version("waymark"),
            "description": (
                "Runs, courses, frameworks, mappings, rules and standings of one district. A token "
                "is made with `waymark token create`; it opens what its scopes say. Lists come in "
                "pages: ask again with `after` set to `next`. A POST with an Idempotency-Key is "
                "done once, however often it is sent within three days. Where two may "
                "write, what is read has a `seen`, which goes back with what is written: 409 says "
                "that somebody changed it meanwhile."
            ),
        },
        "servers": [{"url": ADDRESS}],
        "security": [{_SCHEME: []}],
        "paths": paths,
        "components": {
            "schemas": used,
            "securitySchemes": {
                _SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: " + ", ".join(one.value for one in Scope),
                }
            },
        },
    }


def _types(operations: Iterable[Operation]) -> list[Any]:
    found: list[Any] = []
    for one in operations:
        found += [one.query, *([one.takes] if one.has_body and one.takes is not bytes else [])]
        found += [] if one.answer is None or one.files else [one.answer]
    return found


def _queries(operations: Iterable[Operation]) -> set[str]:
    """Types of queries are told parameter by parameter."""
    return {one.query.__name__ for one in operations}


def _described(operation: Operation, components: dict[str, Any]) -> dict[str, Any]:
    said, _, _ = (inspect.getdoc(operation.work) or "").partition("\n\nRaises:")
    summary, _, more = said.partition("\n\n")
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": summary.replace("\n", " "),
        "tags": [operation.path.split("/")[1]],
        "x-scope": operation.scope.value,
        "parameters": [*_ids(operation), *_parameters(operation, components), *_key(operation)],
        "responses": _responses(operation),
    }
    if more:
        told["description"] = more
    if operation.has_body:
        told["requestBody"] = {"required": True, "content": _taken(operation)}
    return told


def _taken(operation: Operation) -> dict[str, Any]:
    if operation.takes is bytes:
        return {FILE: {"schema": {"type": "string", "format": "binary"}}}
    schema = msgspec.json.schema_components([operation.takes], ref_template=_REF)[0][0]
    example = {} if operation.example is None else {"example": operation.example}
    return {_JSON: {"schema": schema, **example}}


def _ids(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _part(converter, told or "")}
        for converter, told, name in PATH_PART.findall(operation.path)
    ]


def _part(converter: str, told: str) -> dict[str, Any]:
    """What a part of a path may be: a number, one of some words, or a key of so many digits."""
    if converter == "any":
        return {"type": "string", "enum": [one.strip() for one in told.split(",")]}
    if converter == "string":
        return {"type": "string", "pattern": f"^[0-9a-f]{{{told.removeprefix('length=')}}}$"}
    return msgspec.json.schema(RowId)


def _parameters(operation: Operation, components: dict[str, Any]) -> list[dict[str, Any]]:
    if operation.query is Nothing:
        return []
    properties = components[operation.query.__name__].get("properties", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": _without_null(schema)}
        for name, schema in properties.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query says nothing by leaving a parameter out; it has no null."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _key(operation: Operation) -> list[dict[str, Any]]:
    if operation.method != "POST":
        return []
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": KEY_PATTERN}
    return [{"name": KEY_HEADER, "in": "header", "required": False, "schema": schema}]


def _responses(operation: Operation) -> dict[str, Any]:
    well = _well(operation, operation.status)
    later = {}
    if operation.may_be_later:
        begun = _well(operation, HTTPStatus.ACCEPTED)
        where = {"Location": {"schema": {"type": "string"}}}
        later = {"202": {**begun, "headers": {**begun.get("headers", {}), **where}}}
    return {
        str(operation.status.value): well,
        **later,
        **{str(one.value): _problem(one) for one in _refusals(operation)},
    }


def _well(operation: Operation, status: HTTPStatus) -> dict[str, Any]:
    well: dict[str, Any] = {"description": status.phrase}
    if operation.files:
        # Whatever the form of a file, it is no string of JSON.
        well["content"] = {one: {} for one in operation.files}
    elif operation.answer is not None:
        schema = msgspec.json.schema_components([operation.answer], ref_template=_REF)[0][0]
        well["content"] = {_JSON: {"schema": schema}}
    if operation.method == "POST":
        replayed = {"schema": {"type": "string", "enum": ["true"]}}
        well["headers"] = {REPLAYED_HEADER: replayed}
    return well


def _problem(status: HTTPStatus) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=Problem.__name__)}
    return {"description": status.phrase, "content": {_PROBLEM: {"schema": schema}}}


def _refusals(operation: Operation) -> tuple[HTTPStatus, ...]:
    found = [HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN]
    names = operation.query not in {Nothing, PageQuery}
    if PATH_PART.search(operation.path) or operation.has_body or names:
        found.append(HTTPStatus.NOT_FOUND)
    found += [HTTPStatus.CONFLICT] if operation.method in {"POST", "PUT"} else []
    found += (
        [HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE]
        if operation.has_body
        else []
    )
    has_content = operation.has_body or operation.method == "POST"
    found += [HTTPStatus.UNPROCESSABLE_ENTITY] if has_content else []
    return (*found, HTTPStatus.SERVICE_UNAVAILABLE)
