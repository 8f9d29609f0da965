"""Operations: each says once what it takes and answers, for the server and the description."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import msgspec
from flask import Blueprint, Response, request

from lti_tool.api.callers import Caller, caller
from lti_tool.api.problems import Refused
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
    """A request as an operation gets it: by whom, about what, with what."""

    caller: Caller
    ids: dict[str, int]
    query: Any
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
        takes: Type of the JSON body.
        query: Type of the query.
        status: Of the answer where all is well.
    """

    method: str
    path: str
    scope: Scope
    answer: Any
    work: Callable[[Call], Any]
    takes: type[msgspec.Struct] = Nothing
    query: type[msgspec.Struct] = Nothing
    status: HTTPStatus = HTTPStatus.OK

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
    def serve(**ids: int) -> Response:
        by = caller(operation.scope)
        call = Call(caller=by, ids=ids, query=_query(operation), body=_body(operation))
        asked = _asked(operation, by)
        if asked is None:
            return _response(operation, _text(operation.work(call)))
        return _once(operation, call, asked)

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
        return msgspec.convert(flat, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The query: {error}.") from error


def _body(operation: Operation) -> Any:  # noqa: ANN401 - of the operation's type
    """The body, None where the operation takes none.

    Raises:
        Refused: It is not as described.
    """
    if not operation.has_body:
        return None
    if request.mimetype != _JSON:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the body as {_JSON}.")
    try:
        return msgspec.json.decode(request.get_data(), type=operation.takes)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"The body: {error}.") from error
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
        response = _response(operation, before.body)
        response.headers[REPLAYED_HEADER] = "true"
        return response
    try:
        text = _text(operation.work(call))
    except BaseException:
        # It came to nothing: the next try under this key is a first one.
        with writing(engine) as connection:
            api_answers.forget(connection, asked)
        raise
    with writing(engine) as connection:
        api_answers.keep(connection, asked, Answered(status=operation.status.value, body=text))
    return _response(operation, text)


def _text(answer: Any) -> str:  # noqa: ANN401 - whatever an operation answers
    return "" if answer is None else msgspec.json.encode(answer).decode()


def _response(operation: Operation, text: str) -> Response:
    response = Response(text, status=operation.status, mimetype=_JSON)
    if not text:
        del response.headers["Content-Type"]
    return response
