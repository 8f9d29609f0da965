"""Mapping sets in the making: begun, changed, thrown away, published."""

from collections.abc import Sequence
from datetime import date, datetime
from http import HTTPStatus

import msgspec
from sqlalchemy import Connection

from lti_tool.api.fields import Digest, NeededReason, Title, Word, day_begins
from lti_tool.api.mappings import (
    MappingRule,
    MappingVersion,
    Rules,
    rules_told,
    version_here,
    version_told,
)
from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, page_of
from lti_tool.api.problems import ChangedSince, NotHere, Refused, Unusable
from lti_tool.launch.services import services
from mapping.records import MappingRule as RuleRecord
from mapping.steps import StepsRefused, steps_of
from store import alignments, mapping_drafts, mapping_publishing
from store.alignments import UnknownCompetencyError, rules_digest
from store.api_tokens import Scope
from store.mapping_drafts import Draft as StoredDraft
from store.mapping_publishing import Publication, PublishingRefused
from store.session import lock, reading, writing

MOST_BYTES = 8 * 1024 * 1024
"""Of a whole mapping set; a rule has about 200."""


class MappingDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping set in the making; ``effective_from`` where it waits for a day."""

    id: int
    title: str
    author: str
    based_on: int | None
    created_at: datetime
    changed_at: datetime
    effective_from: datetime | None
    reason: str
    count: int


class WholeMappingDraft(MappingDraft, frozen=True, kw_only=True):
    """A draft with its rules; ``seen`` goes back with what is written.

    ``archived`` are the places, from 1, of rules whose competency is no more.
    """

    rules: Sequence[MappingRule]
    archived: Sequence[int]
    seen: str


class NewMappingDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft to begin, with rules or empty."""

    title: Title
    rules: Rules = ()


class CarryingForward(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft to begin as a version was.

    To carry a mapping forward to another term, ``new`` takes the place of ``former`` in the
    patterns of courses.
    """

    title: Title
    former: Word = ""
    new: Word = ""


class NewRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules that take the place of all that a draft has."""

    rules: Rules
    seen: Digest


class Publishing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Publishing a draft as it was looked at: why, and from which day of the district on."""

    seen: Digest
    reason: NeededReason
    begins: date | None = msgspec.field(default=None, name="from")


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What came of publishing: the version in force, or null where the draft waits for its day."""

    version: MappingVersion | None


_RULE = {
    "framework": "math",
    "competency": "N.1",
    "course": "*Grade 6*",
    "line_item": "Fractions*",
    "weight": 2.0,
    "kind": "skill",
}
_SEEN = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"


@OPERATIONS.add(
    "GET", "/mapping/drafts", scope=Scope.READ, answer=Page[MappingDraft], query=PageQuery
)
def list_mapping_drafts(call: Call) -> Page[MappingDraft]:
    """The mapping sets in the making, by id."""
    query: PageQuery = call.query
    with reading(services().engine) as connection:
        found = mapping_drafts.drafts_of(connection, call.caller.tenant)
    behind = sorted(
        (one for one in found if query.after is None or one.id > query.after),
        key=lambda one: one.id,
    )
    return page_of([(one.id, _draft_told(one)) for one in behind], query.limit)


@OPERATIONS.add(
    "POST",
    "/mapping/drafts",
    scope=Scope.DESIGN,
    answer=WholeMappingDraft,
    takes=NewMappingDraft,
    status=HTTPStatus.CREATED,
    most_bytes=MOST_BYTES,
    example={"title": "Grade 6", "rules": [_RULE]},
)
def begin_mapping_draft(call: Call) -> WholeMappingDraft:
    """Begin a draft.

    Raises:
        Refused: It names competencies that are not there.
    """
    wanted: NewMappingDraft = call.body
    rules = _records(wanted.rules)
    with writing(services().engine) as connection:
        try:
            alignments.competency_ids(connection, call.caller.tenant, rules)
        except UnknownCompetencyError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from error
        return _begun(connection, call, wanted.title, rules=rules)


@OPERATIONS.add(
    "POST",
    "/mapping/versions/<row_id:version>/drafts",
    scope=Scope.DESIGN,
    answer=WholeMappingDraft,
    takes=CarryingForward,
    status=HTTPStatus.CREATED,
    example={"title": "Grade 6, 2027", "former": "2026", "new": "2027"},
)
def carry_mapping_forward(call: Call) -> WholeMappingDraft:
    """Begin a draft with the rules of a version, but for those whose competency is no more."""
    wanted: CarryingForward = call.body
    with writing(services().engine) as connection:
        version = version_here(connection, call)
        rules = mapping_drafts.carried_forward(
            alignments.rules_of(connection, version.id), former=wanted.former, new=wanted.new
        )
        return _begun(connection, call, wanted.title, rules=rules, based_on=version.version)


@OPERATIONS.add(
    "GET", "/mapping/drafts/<row_id:draft_id>", scope=Scope.READ, answer=WholeMappingDraft
)
def get_mapping_draft(call: Call) -> WholeMappingDraft:
    """A draft with its rules."""
    with reading(services().engine) as connection:
        return _whole(connection, draft_here(connection, call))


@OPERATIONS.add(
    "PUT",
    "/mapping/drafts/<row_id:draft_id>/rules",
    scope=Scope.DESIGN,
    answer=WholeMappingDraft,
    takes=NewRules,
    most_bytes=MOST_BYTES,
    example={"rules": [_RULE], "seen": _SEEN},
)
def set_mapping_rules(call: Call) -> WholeMappingDraft:
    """Replace all rules of a draft; one that waited for its day is a plain draft again.

    Raises:
        ChangedSince: Somebody changed the draft since it was looked at.
        Refused: The rules name competencies that are not there.
    """
    wanted: NewRules = call.body
    rules = _records(wanted.rules)

    def replace_all(held: list[RuleRecord]) -> tuple[str, str]:
        before = f"{len(held)} rules"
        held[:] = rules
        return before, f"{len(held)} rules"

    with writing(services().engine) as connection:
        lock(connection, mapping_publishing.DESK, call.caller.tenant)
        draft = draft_here(connection, call)
        present = mapping_drafts.rules_in(connection, draft.id)
        if present != rules:
            if rules_digest(present) != wanted.seen:
                look = f"GET /mapping/drafts/{draft.id}"
                raise ChangedSince("Somebody changed this draft since you looked at it.", look)
            try:
                mapping_drafts.change_rules(
                    *(connection, call.caller.tenant, draft),
                    editor=call.caller.editor(),
                    change=replace_all,
                )
            except UnknownCompetencyError as error:
                raise Refused(HTTPStatus.CONFLICT, str(error)) from error
        return _whole(connection, draft_here(connection, call))


@OPERATIONS.add(
    "DELETE",
    "/mapping/drafts/<row_id:draft_id>",
    scope=Scope.DESIGN,
    answer=None,
    status=HTTPStatus.NO_CONTENT,
)
def discard_mapping_draft(call: Call) -> None:
    """Throw a draft away."""
    with writing(services().engine) as connection:
        draft = draft_here(connection, call)
        mapping_drafts.discard(connection, call.caller.tenant, draft, author=call.caller.author())


@OPERATIONS.add(
    "POST",
    "/mapping/drafts/<row_id:draft_id>/publish",
    scope=Scope.DESIGN,
    answer=Published,
    takes=Publishing,
    example={"seen": _SEEN, "reason": "As agreed in the faculty.", "from": "2027-02-01"},
)
def publish_mapping_draft(call: Call) -> Published:
    """Put a draft in force as it was looked at, now or on the first night of a day to come.

    The draft is a version from then on. Where the district asks for a second person, all tokens
    of one person are that person.

    Raises:
        Refused: It was changed since, needs a second person, or changes nothing.
    """
    wanted: Publishing = call.body
    tenant = call.caller.tenant
    with writing(services().engine) as connection:
        draft = draft_here(connection, call)
        publication = Publication(
            by=call.caller.editor(wanted.reason.strip()),
            effective_from=day_begins(connection, tenant, wanted.begins),
            seen=wanted.seen,
        )
        try:
            done = mapping_publishing.publish_draft(
                connection, tenant, draft.id, publication=publication
            )
        except (PublishingRefused, UnknownCompetencyError) as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from error
    return Published(version=None if done is None else version_told(done))


def _begun(
    connection: Connection,
    call: Call,
    title: str,
    *,
    rules: Sequence[RuleRecord],
    based_on: int | None = None,
) -> WholeMappingDraft:
    made = mapping_drafts.new_draft(
        *(connection, call.caller.tenant, title.strip()),
        editor=call.caller.editor(),
        rules=rules,
        based_on=based_on,
    )
    return _whole(connection, draft_here(connection, call, made))


def draft_here(connection: Connection, call: Call, draft: int | None = None) -> StoredDraft:
    """The draft that the address names, or another.

    Raises:
        NotHere: The district has none such.
    """
    number = call.ids["draft_id"] if draft is None else draft
    found = mapping_drafts.find_draft(connection, call.caller.tenant, number)
    if found is None:
        raise NotHere("draft")
    return found


def _draft_told(one: StoredDraft) -> MappingDraft:
    return MappingDraft(
        id=one.id,
        title=one.title,
        author=one.author,
        based_on=one.based_on,
        created_at=one.created_at,
        changed_at=one.changed_at,
        effective_from=one.effective_from,
        reason=one.reason,
        count=one.rules,
    )


def _whole(connection: Connection, draft: StoredDraft) -> WholeMappingDraft:
    held = mapping_drafts.draft_rules(connection, draft.id)
    rules = [one.rule for one in held]
    return WholeMappingDraft(
        **msgspec.structs.asdict(_draft_told(draft)),
        rules=rules_told(rules),
        archived=[at for at, one in enumerate(held, start=1) if one.is_archived],
        seen=rules_digest(rules),
    )


def _records(rules: Sequence[MappingRule]) -> tuple[RuleRecord, ...]:
    """Rules as they are kept.

    Raises:
        Unusable: One says no way in which a score counts.
    """
    found, problems = [], []
    for at, one in enumerate(rules, start=1):
        said = msgspec.structs.asdict(one)
        try:
            steps = steps_of(said.pop("counts_as"))
        except StepsRefused as error:
            problems.append(
                f"Rule {at}: {one.counts_as!r} does not say how a score counts. {error}"
            )
            continue
        found.append(RuleRecord(**said, steps=steps))
    if problems:
        raise Unusable("Not all rules can be used; nothing was changed.", problems)
    return tuple(found)
