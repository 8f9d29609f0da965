"""Operations: each says once what it takes and answers, for the server and the description."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import msgspec
from flask import Blueprint, Response, request

from lti_tool.api.callers import Caller, caller
from lti_tool.api.problems import Refused
from lti_tool.framework_files import Export
from lti_tool.launch.services import services
from store import api_answers
from store.api_answers import Answered, Asked
from store.api_tokens import Scope
from store.session import writing

T = TypeVar("T")
MOST_A_PAGE = 200
LONGEST_KEY = 255
KEY_PATTERN = "^[!-~]+$"
KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
PATH_PART = re.compile(r"<(\w+)(?:\(([^)]*)\))?:(\w+)>")
"""A part of a path that is asked for: its converter, what that is told, its name."""
FILE = "application/octet-stream"
"""What a file is sent as, whatever is in it."""
_JSON = "application/json"

RowId: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**18 - 1)]
Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MOST_A_PAGE)]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query, or no body."""


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list: at most ``limit`` entries, from behind the one of id ``after``."""

    limit: Limit = 50
    after: RowId | None = None


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Part of a list; ``next`` is the ``after`` of the part that follows, null at the end."""

    items: Sequence[T]
    next: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as an operation gets it: by whom, about what, with what.

    ``ids`` are the numbers of its address, ``words`` its other parts.
    """

    caller: Caller
    ids: Mapping[str, int]
    words: Mapping[str, str]
    query: Any
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Something was begun; ``body`` has the ``address`` at which to ask what comes of it."""

    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        method: Of HTTP.
        path: Below the API's address, as Flask writes rules.
        scope: What a token must be good for.
        answer: Type of the answer; None for none.
        work: What does it.
        takes: Type of the JSON body; ``bytes`` for a file.
        query: Type of the query.
        status: Of the answer where all is well.
        most_bytes: The largest body that is taken; None for the usual bound of requests.
        example: A body, for the description.
        files: Media types of the files that it answers; none where it answers JSON.
        may_be_later: Whether it may answer that something was begun.
    """

    method: str
    path: str
    scope: Scope
    answer: Any
    work: Callable[[Call], Any]
    takes: type[msgspec.Struct] | type[bytes] = Nothing
    query: type[msgspec.Struct] = Nothing
    status: HTTPStatus = HTTPStatus.OK
    most_bytes: int | None = None
    example: Mapping[str, Any] | None = None
    files: Sequence[str] = ()
    may_be_later: bool = False

    @property
    def name(self) -> str:
        """Its name in the description and among endpoints."""
        return self.work.__name__

    @property
    def has_body(self) -> bool:
        """Whether it takes one."""
        return self.takes is not Nothing


@dataclass(slots=True)
class Operations:
    """All that there are, in the order of their modules."""

    found: list[Operation] = field(default_factory=list)

    def add(
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        answer: Any,  # noqa: ANN401 - a type, which may be a generic one
        **more: Any,  # noqa: ANN401 - types
    ) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
        """Have a function be an operation; ``more`` as ``Operation`` has it."""

        def kept(work: Callable[[Call], Any]) -> Callable[[Call], Any]:
            self.found.append(
                Operation(method=method, path=path, scope=scope, answer=answer, work=work, **more)
            )
            return work

        return kept

    def serve(self, blueprint: Blueprint) -> None:
        """Put all of them on a blueprint."""
        for one in self.found:
            blueprint.add_url_rule(
                one.path,
                one.name,
                _served(one),
                methods=[one.method],
                provide_automatic_options=False,
            )


OPERATIONS = Operations()


def page_of(found: Sequence[tuple[int, T]], limit: int) -> Page[T]:
    """The first entries of what was found, by ids, of which there is one more than asked for."""
    shown = found[:limit]
    more = shown[-1][0] if len(found) > limit else None
    return Page(items=[one for _, one in shown], next=more)


def _served(operation: Operation) -> Callable[..., Response]:
    def serve(**parts: int | str) -> Response:
        by = caller(operation.scope)
        call = Call(
            caller=by,
            ids={name: part for name, part in parts.items() if isinstance(part, int)},
            words={name: part for name, part in parts.items() if isinstance(part, str)},
            query=_query(operation),
            body=_body(operation),
        )
        asked = _asked(operation, by)
        if asked is not None:
            return _once(operation, call, asked)
        found = operation.work(call)
        return (
            _file(found) if operation.files else _response(operation, _answered(operation, found))
        )

    return serve


def _query(operation: Operation) -> Any:  # noqa: ANN401 - of the operation's type
    """The query.

    Raises:
        Refused: It is not as described.
    """
    sent = request.args.to_dict(flat=False)
    twice = sorted(name for name, values in sent.items() if len(values) > 1)
    if twice:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The query names {twice[0]!r} more than once.")
    flat = {name: values[0] for name, values in sent.items()}
    try:
        query = msgspec.convert(flat, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The query: {error}.") from error
    for name in flat:
        if getattr(query, name) is None:
            # Converting takes the word "null" for nothing said.
            raise Refused(HTTPStatus.BAD_REQUEST, f"The query: {name!r} has no null; leave it out.")
    return query


def _body(operation: Operation) -> Any:  # noqa: ANN401 - of the operation's type
    """The body, None where the operation takes none.

    Raises:
        Refused: It is not as described.
    """
    if not operation.has_body:
        return None
    if operation.most_bytes is not None:
        request.max_content_length = operation.most_bytes
    if operation.takes is bytes:
        if request.mimetype != FILE:
            detail = f"Send the file as it is, as {FILE}."
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
        return request.get_data()
    if request.mimetype != _JSON:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the body as {_JSON}.")
    return _decoded(operation)


def _decoded(operation: Operation) -> Any:  # noqa: ANN401 - of the operation's type
    """The body, which is JSON.

    Raises:
        Refused: It is not as described.
    """
    try:
        return msgspec.json.decode(request.get_data(), type=operation.takes)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"The body: {error}.") from error
    except RecursionError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "The body is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The body is no JSON: {error}.") from error


def _asked(operation: Operation, by: Caller) -> Asked | None:
    """What a request with a key asks; only a POST takes one, the others repeat well.

    Raises:
        Refused: The key is none.
    """
    key = request.headers.get(KEY_HEADER)
    if operation.method != "POST" or key is None:
        return None
    if len(key) > LONGEST_KEY or re.fullmatch(KEY_PATTERN, key) is None:
        detail = f"{KEY_HEADER} is 1 to {LONGEST_KEY} visible characters of ASCII."
        raise Refused(HTTPStatus.BAD_REQUEST, detail)
    said = f"{request.method}\n{request.full_path}\n".encode() + request.get_data()
    return Asked(token=by.token.id, key=key, request=hashlib.sha256(said).hexdigest())


def _once(operation: Operation, call: Call, asked: Asked) -> Response:
    """Work on a request that may be sent again, unless it was answered before.

    Raises:
        Refused: Its key belongs to another request, or the same one is under way.
    """
    engine, now = services().engine, services().now()
    try:
        with writing(engine) as connection:
            before = api_answers.begin(connection, asked, now=now)
    except api_answers.KeyOfAnother as error:
        detail = f"This {KEY_HEADER} was sent with another request. Take a new one."
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from error
    except api_answers.StillWorkedOn as error:
        detail = "The same request is still worked on. Ask again in a moment."
        raise Refused(HTTPStatus.CONFLICT, detail, (("Retry-After", "2"),)) from error
    if before is not None:
        response = _response(operation, before)
        response.headers[REPLAYED_HEADER] = "true"
        return response
    try:
        answered = _answered(operation, operation.work(call))
    except BaseException:
        # It came to nothing: the next try under this key is a first one.
        with writing(engine) as connection:
            api_answers.forget(connection, asked)
        raise
    with writing(engine) as connection:
        api_answers.keep(connection, asked, answered)
    return _response(operation, answered)


def _answered(operation: Operation, found: Any) -> Answered:  # noqa: ANN401 - whatever one answers
    status = HTTPStatus.ACCEPTED if isinstance(found, Later) else operation.status
    body = found.body if isinstance(found, Later) else found
    text = "" if body is None else msgspec.json.encode(body).decode()
    return Answered(status=status.value, body=text)


def _response(operation: Operation, answered: Answered) -> Response:
    response = Response(answered.body, status=answered.status, mimetype=_JSON)
    if not answered.body:
        del response.headers["Content-Type"]
    if operation.may_be_later and answered.status == HTTPStatus.ACCEPTED:
        response.headers["Location"] = msgspec.json.decode(answered.body)["address"]
    return response


def _file(found: Export) -> Response:
    response = Response(found.content, mimetype=found.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return response
