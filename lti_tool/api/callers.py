"""Who calls: a program with a token of a district."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import request

from lti_tool.api.problems import Refused
from lti_tool.launch.services import services
from mapping.records import TenantId
from store import api_tokens
from store.api_tokens import ApiToken, Scope
from store.mapping_drafts import Editor
from store.policy_changes import Author
from store.session import reading, writing

_BEARER = "bearer "
_LONGEST_NAME = 115
"""Two of them, and the words between, fit the columns that say who."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program that may do what it asks."""

    token: ApiToken

    @property
    def tenant(self) -> TenantId:
        """Whose data it sees."""
        return self.token.tenant

    def author(self, reason: str = "") -> Author:
        """Who it is in the trail of changes: the token, and who made it."""
        name, maker = (
            text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
            for text in (self.token.name, self.token.made_by)
        )
        by = f"API ({name}, made by {maker})"
        return Author(by=by, at=services().now(), reason=reason)

    def editor(self, reason: str = "") -> Editor:
        """Who changes a mapping set: all tokens of one person are that person."""
        return Editor(author=self.author(reason), key=self.token.made_by)


def caller(scope: Scope) -> Caller:
    """The program behind this request.

    Args:
        scope: What its token must be good for.

    Raises:
        Refused: It shows no token, none that is good, or one that is not good for this.
    """
    sent = request.headers.get("Authorization", "")
    if not sent.lower().startswith(_BEARER):
        detail = "Send the header Authorization: Bearer and a token (waymark token create)."
        raise Refused(HTTPStatus.UNAUTHORIZED, detail, (("WWW-Authenticate", "Bearer"),))
    now = services().now()
    with reading(services().engine) as connection:
        found = api_tokens.token_shown(connection, sent[len(_BEARER) :].strip(), now=now)
    if found is None:
        detail = "This token is unknown, has ended or was revoked. Make one: waymark token create"
        error = (("WWW-Authenticate", 'Bearer error="invalid_token"'),)
        raise Refused(HTTPStatus.UNAUTHORIZED, detail, error)
    if scope not in found.scopes:
        detail = f'This token is not good for "{scope.value}". Make one that is.'
        error = (("WWW-Authenticate", 'Bearer error="insufficient_scope"'),)
        raise Refused(HTTPStatus.FORBIDDEN, detail, error)
    if api_tokens.is_use_due(found, now):
        with writing(services().engine) as connection:
            api_tokens.note_use(connection, found, now=now)
    return Caller(token=found)
