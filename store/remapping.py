"""What another mapping makes of every course there is: told beforehand, or done at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, select, update

from mapping.records import CourseId, LearnerId, LineItemId, MappingRule, TenantId
from mapping.rule_index import Hit, RuleIndex
from mapping.steps import packed, steps_words, unpacked
from store.alignments import ids_by_code, known_names, rules_in_force
from store.columns import delete_equal
from store.due import put_down_courses
from store.frameworks import competencies_of
from store.item_books import ItemBook, item_books
from store.readings import alignment_basis
from store.score_blocks import learners_with
from store.session import upsert, write_rows
from store.tables import (
    alignments,
    courses,
    line_items,
    mapping_matches,
)
from store.waiting import mark_learners

_Pair = tuple[int, int]
"""A line item and a competency."""
_MOST_EXAMPLES = 50


class Worth(NamedTuple):
    """With what weight, as which kind and by which packed steps a line item speaks."""

    weight: float
    kind: str
    steps: int = 0

    @property
    def words(self) -> str:
        """The same in a few words."""
        told = steps_words(unpacked(self.steps))
        return f"{self.kind}, weight {self.weight:g}{told and ', ' + told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAlignment:
    """One line item speaks for one competency otherwise; None where it does not speak for it."""

    course: str
    item: str
    competency: str
    before: Worth | None
    after: Worth | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCourse:
    """How many alignments of a course change."""

    id: CourseId
    title: str
    code: str
    added: int
    removed: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingEffect:
    """What changes in alignments if other rules hold.

    Attributes:
        courses: Those in which anything changes, in the order of their ids.
        learners: How many learners have a score in a line item that changes.
        examples: The first alignments that change.
    """

    courses: Sequence[ChangedCourse]
    learners: int
    examples: Sequence[ChangedAlignment]

    @property
    def added(self) -> int:
        """How many alignments come."""
        return sum(one.added for one in self.courses)

    @property
    def removed(self) -> int:
        """How many alignments go."""
        return sum(one.removed for one in self.courses)

    @property
    def changed(self) -> int:
        """How many alignments get another weight or kind."""
        return sum(one.changed for one in self.courses)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """The alignments of one course, before and after."""

    book: ItemBook
    hits: Sequence[Hit]
    before: Mapping[_Pair, Worth]
    after: Mapping[_Pair, Worth]

    @property
    def removed(self) -> list[_Pair]:
        return [pair for pair in self.before if pair not in self.after]

    @property
    def written(self) -> list[_Pair]:
        return [pair for pair, worth in self.after.items() if self.before.get(pair) != worth]

    @property
    def touched(self) -> list[_Pair]:
        return [*self.removed, *self.written]


@dataclass(slots=True)
class _Tally:
    """What is counted course by course."""

    courses: list[ChangedCourse] = field(default_factory=list)
    learners: set[LearnerId] = field(default_factory=set)
    examples: list[ChangedAlignment] = field(default_factory=list)


def effect_on_alignments(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule]
) -> MappingEffect:
    """What would change in alignments if some rules held; nothing is changed.

    Args:
        connection: A transaction.
        tenant: Whose mapping it would be.
        rules: In order; those for competencies that are not there speak for nothing.
    """
    names = {int(one.id): one.code for one in competencies_of(connection, tenant)}
    tally = _Tally()
    for changes in _changes(connection, tenant, rules):
        for change in changes:
            _add(tally, change, names)
        touched = [item for change in changes for item, _ in change.touched]
        tally.learners |= learners_with(connection, touched)
    return MappingEffect(
        courses=tally.courses, learners=len(tally.learners), examples=tally.examples
    )


def proposed_alignments(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule]
) -> list[tuple[int, int, float, str, int]]:
    """What all line items would speak for if some rules held.

    Args:
        connection: A transaction.
        tenant: Whose mapping it would be.
        rules: In order; those for competencies that are not there speak for nothing.

    Returns:
        Line item, competency, weight, kind and packed steps.
    """
    return [
        (*pair, *worth)
        for changes in _changes(connection, tenant, rules)
        for change in changes
        for pair, worth in change.after.items()
    ]


def apply_mapping(
    connection: Connection,
    tenant: TenantId,
    rules: Sequence[MappingRule],
    *,
    sets: tuple[int | None, int],
    now: datetime,
) -> int:
    """Apply rules to all courses at once, and put down whom that concerns.

    Courses that were read to the end by the former set count as read by this one: all their
    scores are kept, whatever they speak for.

    Args:
        connection: The writing transaction that publishes the rules.
        tenant: Whose mapping it is.
        rules: In order.
        sets: The ids of the mapping set that was in force and of the one that is.
        now: When.

    Returns:
        How many courses have other alignments now.
    """
    _hold_courses(connection, tenant)
    connection.execute(delete(mapping_matches).where(mapping_matches.c.tenant_id == tenant))
    count = 0
    for changes in _changes(connection, tenant, rules):
        moved = [change for change in changes if change.before != change.after]
        count += len(moved)
        _realign(connection, moved, now=now)
        _remember(connection, tenant, changes)
        _count_as_read(connection, changes, sets)
    return count


def follow_links(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Apply the mapping in force again where it goes by links to what a framework holds now.

    Args:
        connection: The writing transaction that changed a framework.
        tenant: Whose mapping it is.
        now: When.
    """
    rules = rules_in_force(connection, tenant)
    if not any(rule.is_of_links for rule in rules):
        return
    _hold_courses(connection, tenant)
    for changes in _changes(connection, tenant, rules):
        _realign(connection, [one for one in changes if one.before != one.after], now=now)


def _realign(connection: Connection, moved: Sequence[_Change], *, now: datetime) -> None:
    _write(connection, moved)
    touched = [item for one in moved for item, _ in one.touched]
    mark_learners(connection, learners_with(connection, touched), now=now)
    put_down_courses(connection, [one.book.course.id for one in moved], now=now)


def _hold_courses(connection: Connection, tenant: TenantId) -> None:
    """Wait for courses that are being read, before anything is written that they may wait for."""
    held = select(courses.c.id).where(courses.c.tenant_id == tenant).order_by(courses.c.id)
    connection.execute(held.with_for_update(key_share=True)).all()


def _changes(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule]
) -> Iterator[list[_Change]]:
    ids = ids_by_code(connection, tenant)
    index = RuleIndex(rules, known_names(connection, tenant, rules))
    for books in item_books(connection, tenant):
        before = _stored(connection, [book.course.id for book in books])
        found = []
        for book in books:
            hits = index.hits(book.course.record, book.items)
            found.append(
                _Change(
                    book=book,
                    hits=hits,
                    before=before.get(book.course.id, {}),
                    after=_aligned(book, hits, rules, ids=ids),
                )
            )
        yield found


def _stored(connection: Connection, ids: Sequence[CourseId]) -> dict[int, dict[_Pair, Worth]]:
    rows = connection.execute(
        select(
            line_items.c.course_id,
            alignments.c.line_item_id,
            alignments.c.competency_id,
            alignments.c.weight,
            alignments.c.kind,
            alignments.c.steps,
        )
        .join(line_items, line_items.c.id == alignments.c.line_item_id)
        .where(line_items.c.course_id.in_(ids))
    )
    found: dict[int, dict[_Pair, Worth]] = {}
    for course, item, competency, *worth in rows:
        found.setdefault(course, {})[item, competency] = Worth(*worth)
    return found


def _aligned(
    book: ItemBook,
    hits: Sequence[Hit],
    rules: Sequence[MappingRule],
    *,
    ids: Mapping[tuple[str, str], int],
) -> dict[_Pair, Worth]:
    """What hits come to: of several rules for one line item and competency the first holds."""
    rows = book.by_key()
    found: dict[_Pair, Worth] = {}
    for hit in hits:
        rule = rules[hit.rule]
        competency = ids.get((rule.framework, hit.competency))
        if competency is not None:
            pair = rows[hit.ref, hit.criterion].id, competency
            found.setdefault(pair, Worth(rule.weight, rule.kind.value, packed(rule.steps)))
    return found


def _add(tally: _Tally, change: _Change, names: Mapping[int, str]) -> None:
    written, removed = change.written, change.removed
    if not written and not removed:
        return
    added = sum(pair not in change.before for pair in written)
    course = change.book.course
    tally.courses.append(
        ChangedCourse(
            id=course.id,
            title=course.record.title,
            code=course.record.code,
            added=added,
            removed=len(removed),
            changed=len(written) - added,
        )
    )
    room = _MOST_EXAMPLES - len(tally.examples)
    rows = {row.id: row for row in change.book.rows} if room else {}
    for item, competency in (*removed, *written)[:room]:
        tally.examples.append(
            ChangedAlignment(
                course=course.record.title,
                item=rows[LineItemId(item)].name,
                competency=names.get(competency, ""),
                before=change.before.get((item, competency)),
                after=change.after.get((item, competency)),
            )
        )


def _write(connection: Connection, moved: Sequence[_Change]) -> None:
    removed = [pair for one in moved for pair in one.removed]
    columns = np.array(removed, dtype=np.int64).reshape(-1, 2)
    delete_equal(
        connection,
        alignments,
        {"line_item_id": columns[:, 0].copy(), "competency_id": columns[:, 1].copy()},
    )
    upsert(
        connection,
        alignments,
        [
            {"line_item_id": pair[0], "competency_id": pair[1], **one.after[pair]._asdict()}
            for one in moved
            for pair in one.written
        ],
        keys=("line_item_id", "competency_id"),
    )


def _remember(connection: Connection, tenant: TenantId, changes: Sequence[_Change]) -> None:
    """Keep what each line item was called, and which rules spoke of it."""
    rows: list[tuple[int, int, str, str, str]] = []
    for change in changes:
        by_key = change.book.by_key()
        matched: dict[tuple[str, str], list[str]] = {}
        for hit in change.hits:
            numbers = matched.setdefault((hit.ref, hit.criterion), [])
            if numbers[-1:] != [str(hit.rule)]:
                numbers.append(str(hit.rule))
        rows.extend(
            (tenant, row.id, row.title, row.criterion, " ".join(places))
            for key, places in matched.items()
            if not (row := by_key[key]).is_removed
        )
    write_rows(
        connection,
        mapping_matches,
        rows,
        columns=("tenant_id", "line_item_id", "title", "criterion", "rules"),
        keys=("tenant_id", "line_item_id"),
    )


def _count_as_read(
    connection: Connection, changes: Collection[_Change], sets: tuple[int | None, int]
) -> None:
    former, present = sets
    read = [
        change.book.course
        for change in changes
        if change.book.course.aligned_to == alignment_basis(former, change.book.course)
    ]
    if read:
        connection.execute(
            update(courses)
            .where(courses.c.id == bindparam("b_course"))
            .values(aligned_to=bindparam("b_basis")),
            [{"b_course": one.id, "b_basis": alignment_basis(present, one)} for one in read],
        )
