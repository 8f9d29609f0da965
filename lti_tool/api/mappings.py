"""The mapping: the set in force and those before it, drafts, publishing, and the way back."""

from collections.abc import Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from sqlalchemy import Connection

from lti_tool.api.fields import Digest, NeededReason, Seen, Title, Word, day_begins
from lti_tool.api.operations import OPERATIONS, Call, Page, PageQuery, page_of
from lti_tool.api.problems import ChangedSince, NotHere, Refused, Unusable
from lti_tool.launch.services import services
from mapping.records import EvidenceKind
from mapping.records import MappingRule as RuleRecord
from mapping.steps import StepsRefused, steps_of, steps_text
from store import alignments, mapping_drafts, mapping_publishing
from store.alignments import UnknownCompetencyError, rules_digest
from store.api_tokens import Scope
from store.mapping_drafts import MOST_RULES
from store.mapping_drafts import Draft as StoredDraft
from store.mapping_publishing import Publication, PublishingRefused
from store.mapping_publishing import Version as StoredVersion
from store.second_person import needs_second
from store.session import lock, reading, writing

MOST_BYTES = 8 * 1024 * 1024
"""Of a whole mapping set; a rule has about 200."""
_NAMED = r"^[^\x00]*[^\x00\s][^\x00]*$"

_Name = Annotated[str, msgspec.Meta(max_length=512, pattern=_NAMED)]
Pattern = Annotated[str, msgspec.Meta(max_length=512, pattern=r"^[^\x00]*$")]


class MappingRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which line items speak for a competency, by shell patterns; an empty one matches all.

    A competency ``*`` means those of the framework that the LMS itself links the work to;
    ``counts_as`` is empty where a score is taken as it is, else ``pass 60`` or the percents at
    which the second, third and further levels begin, as ``50 70 90``.
    """

    framework: _Name
    competency: _Name
    school: Pattern = ""
    course: Pattern = ""
    line_item: Pattern = ""
    category: Pattern = ""
    criterion: Pattern = ""
    weight: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 1.0
    kind: EvidenceKind = EvidenceKind.SKILL
    counts_as: Annotated[str, msgspec.Meta(max_length=64)] = ""


Rules = Annotated[Sequence[MappingRule], msgspec.Meta(max_length=MOST_RULES)]


class MappingInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping in force, rules in order of precedence.

    ``id`` and ``version`` are null where there is none; ``needs_second`` says that a draft is
    published by another person than the one who changed it last; ``seen`` goes back with a request
    to restore a version.
    """

    id: int | None
    version: int | None
    needs_second: bool
    seen: str
    rules: Sequence[MappingRule]


class MappingVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping set that is or was in force; ``restored`` is whose rules came back with it."""

    version: int
    title: str
    author: str
    reason: str
    published_at: datetime
    effective_from: datetime | None
    restored: int | None
    count: int
    is_in_force: bool


class WholeMappingVersion(MappingVersion, frozen=True, kw_only=True):
    """A mapping set with its rules."""

    rules: Sequence[MappingRule]


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


class Restoring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Going back to a version: why, and what was in force at the last look."""

    seen: Seen
    reason: NeededReason


_RULE = {
    "framework": "math",
    "competency": "N.1",
    "course": "*Grade 6*",
    "line_item": "Fractions*",
    "weight": 2.0,
    "kind": "skill",
}
_SEEN = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"


@OPERATIONS.add("GET", "/mapping", scope=Scope.READ, answer=MappingInForce)
def get_mapping(call: Call) -> MappingInForce:
    """The mapping in force."""
    tenant = call.caller.tenant
    with reading(services().engine) as connection:
        versions = mapping_publishing.versions_of(connection, tenant)
        found = alignments.rules_in_force(connection, tenant)
        is_second = needs_second(connection, tenant)
    return MappingInForce(
        id=versions[0].id if versions else None,
        version=versions[0].version if versions else None,
        needs_second=is_second,
        seen=str(versions[0].version if versions else 0),
        rules=_rules_told(found),
    )


@OPERATIONS.add(
    "GET", "/mapping/versions", scope=Scope.READ, answer=Page[MappingVersion], query=PageQuery
)
def list_mapping_versions(call: Call) -> Page[MappingVersion]:
    """Every mapping set that was ever published, the newest first, by version."""
    query: PageQuery = call.query
    with reading(services().engine) as connection:
        found = mapping_publishing.versions_of(connection, call.caller.tenant)
    behind = [one for one in found if query.after is None or one.version < query.after]
    told = [(one.version, _version_told(one)) for one in behind[: query.limit + 1]]
    return page_of(told, query.limit)


@OPERATIONS.add(
    "GET", "/mapping/versions/<row_id:version>", scope=Scope.READ, answer=WholeMappingVersion
)
def get_mapping_version(call: Call) -> WholeMappingVersion:
    """A version with its rules."""
    with reading(services().engine) as connection:
        found = _version(connection, call)
        rules = alignments.rules_of(connection, found.id)
    told = msgspec.structs.asdict(_version_told(found))
    return WholeMappingVersion(**told, rules=_rules_told(rules))


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
        version = _version(connection, call)
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
    return Published(version=None if done is None else _version_told(done))


@OPERATIONS.add(
    "POST",
    "/mapping/versions/<row_id:version>/restore",
    scope=Scope.DESIGN,
    answer=MappingVersion,
    takes=Restoring,
    example={"seen": "4", "reason": "Version 4 left the essays out."},
)
def restore_mapping(call: Call) -> MappingVersion:
    """Put the rules of a former version in force again, as a new version.

    Raises:
        NotHere: There is no such version.
        Refused: Its rules are in force, or another version is than was seen.
    """
    wanted: Restoring = call.body
    author = call.caller.author(wanted.reason.strip())
    try:
        with writing(services().engine) as connection:
            done = mapping_publishing.roll_back(
                *(connection, call.caller.tenant, call.ids["version"]),
                author=author,
                seen=int(wanted.seen),
            )
    except PublishingRefused as error:
        raise Refused(HTTPStatus.CONFLICT, str(error)) from error
    if done is None:
        raise NotHere("version")
    return _version_told(done)


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


def _version(connection: Connection, call: Call) -> StoredVersion:
    """The version that the address names.

    Raises:
        NotHere: There is none of this number.
    """
    for one in mapping_publishing.versions_of(connection, call.caller.tenant):
        if one.version == call.ids["version"]:
            return one
    raise NotHere("version")


def _version_told(one: StoredVersion) -> MappingVersion:
    return MappingVersion(
        version=one.version,
        title=one.title,
        author=one.author,
        reason=one.reason,
        published_at=one.published_at,
        effective_from=one.effective_from,
        restored=one.restored,
        count=one.rules,
        is_in_force=one.is_in_force,
    )


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
        rules=_rules_told(rules),
        archived=[at for at, one in enumerate(held, start=1) if one.is_archived],
        seen=rules_digest(rules),
    )


def _rules_told(rules: Sequence[RuleRecord]) -> list[MappingRule]:
    return [
        MappingRule(
            framework=one.framework,
            competency=one.competency,
            school=one.school,
            course=one.course,
            line_item=one.line_item,
            category=one.category,
            criterion=one.criterion,
            weight=one.weight,
            kind=one.kind,
            counts_as=steps_text(one.steps),
        )
        for one in rules
    ]


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
