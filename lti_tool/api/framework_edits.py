"""The text of frameworks that are edited here, competency by competency."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from sqlalchemy import Connection

from interchange.assembling import LONGEST_CODE, LONGEST_LANGUAGE, LONGEST_TITLE
from lti_tool import framework_edits
from lti_tool.api.fields import Digest, Reason
from lti_tool.api.frameworks import Framework, told_framework
from lti_tool.api.operations import OPERATIONS, Call
from lti_tool.api.problems import ChangedSince, NotHere, Refused
from lti_tool.framework_edits import (
    LONGEST_INDICATOR,
    LONGEST_STATEMENT,
    Edited,
    Said,
    languages_of,
)
from lti_tool.launch.services import services
from mapping.framework_edits import EditRefused
from mapping.records import Framework as FrameworkRecord
from store.api_tokens import Scope
from store.framework_diffs import StoredRow
from store.indicators import IndicatorKey, indicators_of
from store.session import reading, writing

MOST_AT_ONCE = 200
MOST_BYTES = 4 * 1024 * 1024
_MOST_AHEAD = 100
_ANYTHING = r"^[^\x00]*$"
_SOMETHING = r"^[^\x00]*[^\x00\s][^\x00]*$"
_A_LINE = r"^[^\x00-\x1f]*[^\x00-\x1f\s][^\x00-\x1f]*$"

_Title = Annotated[str, msgspec.Meta(max_length=LONGEST_TITLE, pattern=_A_LINE)]
Language = Annotated[str, msgspec.Meta(max_length=LONGEST_LANGUAGE, pattern=_A_LINE)]
_Code = Annotated[str, msgspec.Meta(max_length=LONGEST_CODE, pattern=_A_LINE)]
_Codes = Annotated[Sequence[_Code], msgspec.Meta(max_length=_MOST_AHEAD)]
_Statement = Annotated[str, msgspec.Meta(max_length=LONGEST_STATEMENT, pattern=_SOMETHING)]
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_INDICATOR, pattern=_ANYTHING)]


class NewFramework(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A framework to begin, which is edited here; its identifier is made of its title."""

    title: _Title
    language: Language = "en"
    reason: Reason = ""


class NewCompetency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A competency to add, as the last of its family.

    ``part_of`` is the code of the strand or competency that groups it, ``after`` has those of the
    competencies that it comes after, ``indicator`` words for learners. All of them may come
    before it in the same request.
    """

    code: _Code
    statement: _Statement
    indicator: Text = ""
    part_of: _Code | None = None
    after: _Codes = ()
    is_strand: bool = False


class NewCompetencies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Competencies to add, all or none of them."""

    competencies: Annotated[
        Sequence[NewCompetency], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)
    ]
    reason: Reason = ""


class ChangedCompetency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a competency says from now on; another ``part_of`` moves it."""

    code: _Code
    statement: _Statement
    indicator: Text
    part_of: _Code | None
    after: _Codes
    is_strand: bool
    seen: Digest
    reason: Reason = ""


class NewCompetencyState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a competency is used, and why."""

    state: Literal["in use", "archived"]
    reason: Reason = ""


class WordedLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A level of the district's scale, and what it looks like, by language."""

    level: str
    texts: Mapping[str, str]


class WholeCompetency(msgspec.Struct, frozen=True, kw_only=True):
    """A competency with all that is said of it; ``seen`` goes back with what is written.

    ``part_of`` and ``after`` are codes. ``is_editable`` says that its framework is edited here, and
    in use; levels are worded in any, in each of ``languages``.
    """

    id: int
    identifier: str
    code: str
    statement: str
    indicator: str
    part_of: str | None
    after: Sequence[str]
    is_strand: bool
    is_archived: bool
    is_editable: bool
    languages: Sequence[str]
    levels: Sequence[WordedLevel]
    seen: str


class Competencies(msgspec.Struct, frozen=True, kw_only=True):
    """Competencies in the order in which they were sent."""

    items: Sequence[WholeCompetency]


COMPETENCY = "/frameworks/<row_id:framework_id>/competencies/<row_id:competency_id>"
SEEN = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
_ADDING = {
    "code": "N.1",
    "statement": "Compares fractions.",
    "indicator": "I can compare fractions.",
    "part_of": "N",
    "after": ["N.0"],
    "is_strand": False,
}


@OPERATIONS.add(
    "POST",
    "/frameworks",
    scope=Scope.DESIGN,
    answer=Framework,
    takes=NewFramework,
    status=HTTPStatus.CREATED,
    example={"title": "Music", "language": "en", "reason": "A subject of our own."},
)
def make_framework(call: Call) -> Framework:
    """Begin a framework that is edited here."""
    wanted: NewFramework = call.body
    with _with_problems(), writing(services().engine) as connection:
        made = framework_edits.make_framework(
            *(connection, call.caller.tenant),
            title=wanted.title.strip(),
            language=wanted.language.strip(),
            author=call.caller.author(wanted.reason),
        )
    return told_framework(call.caller.tenant, made)


@OPERATIONS.add(
    "POST",
    "/frameworks/<row_id:framework_id>/competencies",
    scope=Scope.DESIGN,
    answer=Competencies,
    takes=NewCompetencies,
    status=HTTPStatus.CREATED,
    most_bytes=MOST_BYTES,
    example={"competencies": [_ADDING], "reason": "As agreed in the faculty."},
)
def add_competencies(call: Call) -> Competencies:
    """Add competencies to a framework that is edited here, all or none; one version for all."""
    wanted: NewCompetencies = call.body
    with writing(services().engine) as connection:
        edited = _to_edit(connection, call)
        found, identifiers = edited.record, []
        for at, one in enumerate(wanted.competencies, start=1):
            identifiers.append(framework_edits.new_identifier())
            with _with_problems(f"Competency {at}, {one.code}: "):
                found = framework_edits.with_said(edited, identifiers[-1], _said(one), base=found)
        _save(connection, call, edited, found=found)
        now = _open(connection, call)
        rows = [now.stored.rows[name] for name in identifiers]
        return Competencies(items=_told(connection, call, now, rows=rows))


@OPERATIONS.add("GET", COMPETENCY, scope=Scope.READ, answer=WholeCompetency)
def get_competency(call: Call) -> WholeCompetency:
    """A competency with its progression and its levels in words."""
    with reading(services().engine) as connection:
        return told_one(connection, call)


@OPERATIONS.add(
    "PUT",
    COMPETENCY,
    scope=Scope.DESIGN,
    answer=WholeCompetency,
    takes=ChangedCompetency,
    example={**_ADDING, "seen": SEEN, "reason": "Said more plainly."},
)
def change_competency(call: Call) -> WholeCompetency:
    """Change or move a competency of a framework that is edited here.

    Raises:
        Refused: It is archived.
    """
    wanted: ChangedCompetency = call.body
    with writing(services().engine) as connection:
        edited = _to_edit(connection, call)
        row = row_here(edited, call)
        if row.is_archived:
            detail = "It is archived. Take it up again first (PUT .../state, in use)."
            raise Refused(HTTPStatus.CONFLICT, detail)
        with _with_problems():
            found = framework_edits.with_said(
                *(edited, row.competency.identifier, _said(wanted)), base=edited.record
            )
        if not framework_edits.is_same(edited, found):
            must_be_seen(connection, call, wanted.seen)
            _save(connection, call, edited, found=found)
        return told_one(connection, call)


@OPERATIONS.add(
    "PUT",
    f"{COMPETENCY}/state",
    scope=Scope.DESIGN,
    answer=WholeCompetency,
    takes=NewCompetencyState,
    example={"state": "archived", "reason": "It is taught no more."},
)
def set_competency_state(call: Call) -> WholeCompetency:
    """Archive a competency, or bring it back; statuses in it are kept."""
    wanted: NewCompetencyState = call.body
    with writing(services().engine) as connection:
        edited = _to_edit(connection, call)
        row = row_here(edited, call)
        is_archived = wanted.state == "archived"
        if row.is_archived is not is_archived:
            with _with_problems():
                found = framework_edits.with_archived(edited, row, is_archived=is_archived)
            _save(connection, call, edited, found=found)
        return told_one(connection, call)


def _open(connection: Connection, call: Call) -> Edited:
    """The framework that the address names."""
    framework = call.ids["framework_id"]
    return _here(framework_edits.open_framework(connection, call.caller.tenant, framework))


def to_change(connection: Connection, call: Call) -> Edited:
    """The same, to be changed in this transaction."""
    framework = call.ids["framework_id"]
    return _here(framework_edits.open_to_change(connection, call.caller.tenant, framework))


def _here(edited: Edited | None) -> Edited:
    """What is there.

    Raises:
        NotHere: The district has no such framework.
    """
    if edited is None:
        raise NotHere("framework")
    return edited


def _to_edit(connection: Connection, call: Call) -> Edited:
    """The same, whose text is to be changed.

    Raises:
        Refused: It is not edited here.
    """
    edited = to_change(connection, call)
    if edited.is_editable:
        return edited
    address = f"/frameworks/{edited.listed.id}"
    detail = (
        f"This framework is archived. Take it up again first (PUT {address}/state)."
        if edited.listed.is_local
        else "This framework was imported, and is changed where it comes from. Import it again "
        "(POST /framework-imports). What its levels look like is said here."
    )
    raise Refused(HTTPStatus.CONFLICT, detail)


def row_here(edited: Edited, call: Call) -> StoredRow:
    """The competency that the address names.

    Raises:
        NotHere: The framework has none such.
    """
    row = edited.row_of(call.ids["competency_id"])
    if row is None:
        raise NotHere("competency")
    return row


def _said(one: NewCompetency | ChangedCompetency) -> Said:
    return Said(
        code=one.code.strip(),
        statement=one.statement.strip(),
        indicator=one.indicator.strip(),
        part_of=(one.part_of or "").strip(),
        after=[code.strip() for code in one.after],
        is_strand=one.is_strand,
    )


def _save(connection: Connection, call: Call, edited: Edited, *, found: FrameworkRecord) -> None:
    with _with_problems():
        framework_edits.save(
            *(connection, call.caller.tenant, edited),
            found=found,
            author=call.caller.author(call.body.reason),
        )


def must_be_seen(connection: Connection, call: Call, seen: str) -> None:
    """Let on who looked at the competency as it is.

    Raises:
        ChangedSince: Somebody changed it since.
    """
    if told_one(connection, call).seen != seen:
        framework, competency = call.ids["framework_id"], call.ids["competency_id"]
        look = f"GET /frameworks/{framework}/competencies/{competency}"
        raise ChangedSince("Somebody changed this competency since you looked at it.", look)


@contextmanager
def _with_problems(place: str = "") -> Iterator[None]:
    """Tell what cannot be as problems of a request.

    Args:
        place: Begins each of them.

    Raises:
        Refused: Something cannot be.
    """
    try:
        yield
    except EditRefused as error:
        problems = [f"{place}{sentence}" for sentence in error.problems.values()]
        detail = "Nothing was changed."
        raise Refused(HTTPStatus.CONFLICT, detail, problems=problems) from error


def told_one(connection: Connection, call: Call) -> WholeCompetency:
    """The competency that the address names, as it is now."""
    edited = _open(connection, call)
    return _told(connection, call, edited, rows=[row_here(edited, call)])[0]


def _told(
    connection: Connection, call: Call, edited: Edited, *, rows: Sequence[StoredRow]
) -> list[WholeCompetency]:
    levels = framework_edits.levels_of(connection, call.caller.tenant)
    found = []
    for row in rows:
        texts = indicators_of(connection, row.id)
        worded = [
            WordedLevel(level=level.label, texts=_texts_at(texts, at))
            for at, level in enumerate(levels)
        ]
        found.append(_whole(edited, row, worded))
    return found


def _whole(edited: Edited, row: StoredRow, levels: Sequence[WordedLevel]) -> WholeCompetency:
    one = row.competency
    above = edited.stored.rows.get(one.parent or "")
    told = WholeCompetency(
        id=row.id,
        identifier=one.identifier,
        code=one.code,
        statement=one.statement,
        indicator=one.indicator,
        part_of=None if above is None else above.competency.code,
        after=[] if row.is_archived else edited.comes_after(one.identifier),
        is_strand=one.is_strand,
        is_archived=row.is_archived,
        is_editable=edited.is_editable,
        languages=languages_of(edited.listed),
        levels=levels,
        seen="",
    )
    return msgspec.structs.replace(told, seen=_digest(told))


def _texts_at(texts: Mapping[IndicatorKey, str], level: int) -> Mapping[str, str]:
    return {language: text for (at, language), text in texts.items() if at == level}


def _digest(told: WholeCompetency) -> str:
    """What stands for all that is said of a competency."""
    said = (
        *(told.code, told.statement, told.indicator, told.part_of, told.after, told.is_strand),
        *(told.is_archived, [one.texts for one in told.levels]),
    )
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
