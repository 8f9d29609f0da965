"""The trail: who changed what, when and why."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import msgspec

from lti_tool.api.fields import Word
from lti_tool.api.operations import OPERATIONS, Call, Limit, Page, RowId, page_of
from lti_tool.api.problems import Refused
from lti_tool.launch.services import services
from store.api_tokens import Scope
from store.policy_changes import PolicyKind, ToldChange
from store.session import reading
from store.trail import TrailWish, trail_behind

_Text = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*$")]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ChangeQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which changes: of a ``kind``, ``by`` somebody named exactly, that hold a ``text``.

    They were made at ``since`` or later, and before ``until``.
    """

    limit: Limit = 50
    after: RowId | None = None
    kind: PolicyKind | None = None
    by: Word = ""
    text: _Text = ""
    since: _Moment | None = None
    until: _Moment | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change: who, what, from what to what, when and why."""

    id: int
    kind: str
    subject: str
    before: str
    after: str
    by: str
    at: datetime
    reason: str
    course: int | None
    school: str


@OPERATIONS.add("GET", "/changes", scope=Scope.READ, answer=Page[Change], query=ChangeQuery)
def list_changes(call: Call) -> Page[Change]:
    """The trail of changes, the newest first."""
    query: ChangeQuery = call.query
    wish = TrailWish(
        kind=query.kind,
        by=query.by,
        text=query.text,
        since=_utc(query.since),
        until=_utc(query.until),
    )
    with reading(services().engine) as connection:
        found = trail_behind(
            *(connection, call.caller.tenant, wish), before=query.after, most=query.limit + 1
        )
    return page_of([(number, _told(number, one)) for number, one in found], query.limit)


def _utc(moment: datetime | None) -> datetime | None:
    """The same moment in UTC.

    Raises:
        Refused: UTC has none such.
    """
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError as error:
        detail = "No trail reaches so far. Name a later moment, or none."
        raise Refused(HTTPStatus.BAD_REQUEST, detail) from error


def _told(number: int, one: ToldChange) -> Change:
    change = one.change
    return Change(
        id=number,
        kind=change.kind.value,
        subject=change.subject,
        before=change.before,
        after=change.after,
        by=change.by,
        at=change.at,
        reason=change.reason,
        course=change.course,
        school=one.school,
    )
