"""Frameworks that are edited here: what pages and the API do alike.

Each change is in force at once and is a version of its own. Whoever changes something opens the
framework in the same writing transaction, so that nobody's change of a moment before is undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from sqlalchemy import Connection

from lti_tool.framework_files import slug
from lti_tool.pages.explanations import rule_of
from mapping.framework_edits import EditRefused, with_competency, without_competency
from mapping.progressions.graph import HierarchyRefused
from mapping.records import Competency, Framework, LinkKind, TenantId
from mapping.scales import Level
from store.framework_diffs import StoredFramework, StoredRow
from store.framework_imports import Brought, bring_in
from store.framework_shelf import ListedFramework, framework_of, known_framework
from store.frameworks import framework_id
from store.indicators import set_indicators
from store.policy_changes import Author, PolicyKind, record_change
from store.session import lock

LONGEST_STATEMENT, LONGEST_INDICATOR = 4_000, 2_000
LANGUAGES = ("en", "pt", "es", "fr")
"""In which the levels of every framework may be worded, besides its own language."""
_EDITOR = Brought(source="editor", form="editor", is_local=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A framework that may be edited, as it is stored."""

    listed: ListedFramework
    stored: StoredFramework

    @property
    def record(self) -> Framework:
        """What is in it, without what is archived."""
        return framework_of(self.stored, self.listed.identifier)

    @property
    def is_editable(self) -> bool:
        """Whether it was made here, and is in use; what was imported would be imported again."""
        return self.listed.is_local and self.listed.archived_at is None

    def row_of(self, competency: int | None) -> StoredRow | None:
        """A competency by its id, archived ones included; None where it has none such."""
        return next((one for one in self.stored.rows.values() if one.id == competency), None)

    def comes_after(self, identifier: str) -> list[str]:
        """The codes of those that a competency comes after."""
        codes = {known.identifier: known.code for known in self.record.competencies}
        return [
            codes[link.origin]
            for link in self.record.links
            if link.kind is LinkKind.PRECEDES and link.destination == identifier
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says of a competency.

    Attributes:
        code: Its own in the framework.
        statement: What a learner does who has it.
        indicator: Words for learners, empty for none.
        part_of: Code or identifier of what groups it, empty for none.
        after: Codes of those that it comes after.
        is_strand: Whether it groups others; what does so is one whatever is said.
    """

    code: str
    statement: str
    indicator: str = ""
    part_of: str = ""
    after: Sequence[str] = ()
    is_strand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelWords:
    """What levels of a competency look like in a language, by the level from 0; empty for no more.

    ``labels`` are the levels' names on the scale, for the trail.
    """

    language: str
    texts: Mapping[int, str]
    labels: Sequence[str]


def open_framework(connection: Connection, tenant: TenantId, framework: int) -> Edited | None:
    """A framework of the tenant by its id; None where there is none."""
    known = known_framework(connection, tenant, framework)
    return None if known is None else Edited(listed=known[0], stored=known[1])


def open_to_change(connection: Connection, tenant: TenantId, framework: int) -> Edited | None:
    """The same in a writing transaction, from now on to the end of which nobody else changes it."""
    lock(connection, "frameworks", tenant)
    return open_framework(connection, tenant, framework)


def make_framework(
    connection: Connection, tenant: TenantId, *, title: str, language: str, author: Author
) -> int:
    """Begin a framework that is edited here, and give its id.

    Raises:
        EditRefused: It has no title, or there is one of this name.
    """
    lock(connection, "frameworks", tenant)
    if not title:
        raise EditRefused({"title": "Give it a title."})
    name = slug(title)
    if framework_id(connection, tenant, name) is not None:
        raise EditRefused({"title": "There is one of this name."})
    found = Framework(identifier=name, title=title, creator="", language=language, competencies=())
    bring_in(connection, tenant, found, brought=_EDITOR, author=author)
    made = framework_id(connection, tenant, name)
    assert made is not None  # noqa: S101 - it was just made
    return made


def new_identifier() -> str:
    """An identifier for a competency that is new."""
    return str(uuid4())


def with_said(edited: Edited, identifier: str, said: Said, *, base: Framework) -> Framework:
    """A framework with a competency as somebody says it.

    Args:
        edited: The framework as it is stored.
        identifier: Of the competency; a new one's own.
        said: What is said.
        base: What the framework is to be otherwise.

    Raises:
        EditRefused: Something is missing, the code is another one's, or what it is part of or
            comes after is not there or makes a circle.
    """
    missing = {
        "code": "" if said.code else "Give it a code, such as N.1.",
        "statement": "" if said.statement else "Say what a learner is able to do.",
    }
    problems = {name: sentence for name, sentence in missing.items() if sentence}
    if problems:
        raise EditRefused(problems)
    by_code = {one.code: one.identifier for one in base.competencies}
    row = edited.stored.rows.get(identifier)
    one = Competency(
        identifier=identifier,
        code=said.code,
        statement=said.statement,
        indicator=said.indicator,
        parent=by_code.get(said.part_of, said.part_of) or None,
        position=0 if row is None else row.competency.position,
        is_strand=said.is_strand,
    )
    return with_competency(base, one, after=said.after)


def with_archived(edited: Edited, row: StoredRow, *, is_archived: bool) -> Framework:
    """A framework without a competency, or with one that comes back from the archive.

    It comes back at the top where what it was part of is archived.

    Raises:
        EditRefused: It groups others, or its code is another one's by now.
    """  # noqa: DOC502 - raised by with_competency() and without_competency()
    one = row.competency
    if is_archived:
        return without_competency(edited.record, one.identifier)
    above = edited.stored.rows.get(one.parent or "")
    is_top = above is None or above.is_archived
    return with_competency(edited.record, replace(one, parent=None) if is_top else one, after=())


def is_same(edited: Edited, found: Framework) -> bool:
    """Whether a framework says what is stored of it already, places aside."""
    record = edited.record
    said, stored = (
        {one.identifier: replace(one, position=0) for one in part.competencies}
        for part in (found, record)
    )
    return said == stored and set(found.links) == set(record.links)


def save(
    connection: Connection, tenant: TenantId, edited: Edited, *, found: Framework, author: Author
) -> None:
    """Save a framework as it is to be; competencies that say another thing stand in the trail.

    Args:
        connection: The writing transaction in which it was opened to be changed.
        tenant: Whose framework it is.
        edited: As it was opened.
        found: As it is to be.
        author: Who changes it, and why.

    Raises:
        EditRefused: It would come before itself by way of another framework.
    """
    try:
        bring_in(connection, tenant, found, brought=_EDITOR, author=author)
    except HierarchyRefused as error:
        raise EditRefused({"after": str(error)}) from error
    for now in found.competencies:
        row = edited.stored.rows.get(now.identifier)
        before = "" if row is None else _words(row.competency)
        if before != _words(now):
            change = author.change_of(
                PolicyKind.FRAMEWORK,
                f"{edited.listed.title}: {now.code}",
                before=before,
                after=_words(now),
            )
            record_change(connection, tenant, change)


def languages_of(listed: ListedFramework) -> Sequence[str]:
    """The languages in which levels of a framework's competencies may be worded."""
    return tuple(dict.fromkeys((listed.language, *LANGUAGES)))


def levels_of(connection: Connection, tenant: TenantId) -> Sequence[Level]:
    """The levels that are worded: those of the district's rule."""
    return rule_of(connection, tenant).scale.levels


def word_levels(
    connection: Connection,
    tenant: TenantId,
    edited: Edited,
    *,
    row: StoredRow,
    words: LevelWords,
    author: Author,
) -> None:
    """Say what levels of a competency look like; of imported ones, too."""
    texts = {(level, words.language): text for level, text in words.texts.items()}
    for (level, language), old in set_indicators(connection, row.id, texts).items():
        change = author.change_of(
            PolicyKind.FRAMEWORK,
            f"{edited.listed.title}: {row.competency.code}, {words.labels[level]} ({language})",
            before=old,
            after=texts[level, language],
        )
        record_change(connection, tenant, change)


def _words(one: Competency) -> str:
    return f"{one.code}: {one.statement}" + (f" ({one.indicator})" if one.indicator else "")
