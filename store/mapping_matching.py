"""What one rule would match, told while it is typed; and a whole set, surveyed over all courses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from mapping.alignment import matches, matches_course, may_align
from mapping.lms_links import KnownNames, links_of_text
from mapping.records import (
    WHATEVER_IS_LINKED,
    CourseId,
    Grading,
    LineItem,
    LineItemId,
    MappingRule,
    TenantId,
)
from mapping.rule_index import Hit, RuleIndex
from store.alignments import known_names
from store.frameworks import framework_titles
from store.item_books import ItemBook, StoredItem, item_books
from store.session import chunks
from store.tables import alignments, courses, line_items, mapping_matches, schools

_MOST_EXAMPLES = 8
_MOST_TOLD = 200
_MOST_TITLES = 2_000
_ITEM = line_items.alias("item")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMatches:
    """What one rule matches of the columns there are.

    Attributes:
        courses: How many courses its course pattern matches.
        all_courses: How many there are.
        items: How many line items it matches in them, or criteria where it speaks of those.
        all_items: How many line items can be evidence at all.
        examples: The names of the first, each with its course.
        links: What the LMS links such work to, None where the rule does not go by that.
    """

    courses: int
    all_courses: int
    items: int
    all_items: int
    examples: Sequence[tuple[str, str]]
    links: "MatchedLinks | None" = None

    @property
    def is_nothing(self) -> bool:
        """Whether it matches nothing, though there is something to match."""
        return self.items == 0 and self.all_items > 0

    @property
    def is_everything(self) -> bool:
        """Whether it matches every line item there is, and there are several."""
        return self.links is None and self.items >= self.all_items > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedLinks:
    """What the LMS links work to that a rule looks at.

    Attributes:
        competencies: The codes that are meant.
        unknown: The surest names of what the rule's framework does not have, the first of them.
        unknown_count: How many such names there are.
    """

    competencies: Sequence[str]
    unknown: Sequence[str]
    unknown_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """A line item that several rules give to the same competency; the first of them holds."""

    course: str
    item: str
    competency: str
    rules: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a mapping set reaches in all courses, and what it does not.

    Attributes:
        hits: How many line items and criteria each rule matches, by its place from 0; one that
            goes by what the LMS links counts each as often as it is linked.
        reached: Competencies that anything speaks for, by framework and code.
        items: How many line items can be evidence.
        unmapped: How many of them no rule speaks of, by course.
        doubles: The first line items that several rules give to the same competency.
        doubles_count: How many there are.
        strange: What the LMS links work to and no framework has that a rule goes by links to,
            with the number of rows; nothing where no rule does.
    """

    hits: Counter[int] = field(default_factory=Counter)
    reached: set[tuple[str, str]] = field(default_factory=set)
    items: int = 0
    unmapped: Counter[CourseId] = field(default_factory=Counter)
    doubles: Sequence[Double] = ()
    doubles_count: int = 0
    strange: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCoverage:
    """How a mapping set covers one course.

    Attributes:
        items: Line items and criteria that any rule speaks of, in the order of the gradebook.
        unmapped: Line items that can be evidence and no rule speaks of.
        cells: The rules, by line item and by competency (framework and code); the first holds.
    """

    items: Sequence[StoredItem]
    unmapped: Sequence[StoredItem]
    cells: dict[tuple[LineItemId, tuple[str, str]], list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """A line item that is called otherwise, or is gone, since the set in force was published.

    ``now`` is None where it is gone; ``rules`` are the rules that spoke of it, from 1.
    """

    course: str
    then: str
    now: str | None
    rules: Sequence[int]


def rule_matches(connection: Connection, tenant: TenantId, rule: MappingRule) -> RuleMatches:
    """What a rule would match now; line items of one name and category are looked at once."""
    titles = _courses_of(connection, tenant, rule)
    everywhere = courses.c.tenant_id == tenant
    found: Sequence[Row[Any]]
    all_courses = connection.execute(
        select(func.count()).select_from(courses).where(everywhere)
    ).scalar_one()
    if len(titles) == all_courses:
        found = connection.execute(_named(rule).where(everywhere)).all()
    else:
        found = [
            row
            for part in chunks(sorted(titles))
            for row in connection.execute(_named(rule).where(_ITEM.c.course_id.in_(part)))
        ]
    hits = [
        row
        for row in found
        if matches(rule.line_item, row.title)
        and matches(rule.category, row.category)
        and (not rule.criterion or matches(rule.criterion, row.criterion))
    ]
    links = None
    if rule.is_of_links:
        hits, links = _linked(hits, rule, known_names(connection, tenant, [rule]))
    return RuleMatches(
        courses=len(titles),
        all_courses=all_courses,
        items=sum(row.many for row in hits),
        all_items=_count_items(connection, tenant),
        examples=[
            (f"{row.title}: {row.criterion}" if row.criterion else row.title, titles[row.course])
            for row in hits[:_MOST_EXAMPLES]
        ],
        links=links,
    )


def _courses_of(connection: Connection, tenant: TenantId, rule: MappingRule) -> dict[int, str]:
    """The courses that a rule speaks of, with their titles."""
    rows = connection.execute(
        select(
            courses.c.id,
            courses.c.title,
            courses.c.code,
            func.coalesce(schools.c.name, "").label("school"),
        )
        .outerjoin(schools, schools.c.id == courses.c.school_id)
        .where(courses.c.tenant_id == tenant)
    )
    return {
        row.id: row.title
        for row in rows
        if matches_course(rule, title=row.title, code=row.code, school=row.school)
    }


def _linked(
    rows: Sequence[Row[Any]], rule: MappingRule, known: KnownNames
) -> tuple[list[Row[Any]], MatchedLinks]:
    """The rows that are linked to something of a rule's framework, and what they are linked to."""
    hits, codes, unknown = [], set[str](), set[str]()
    for row in rows:
        links = links_of_text(row.links)
        meant = known.codes(rule.framework, links)
        codes.update(meant)
        unknown.update(one[0] for one in links if known.meant(rule.framework, one) is None)
        if meant:
            hits.append(row)
    return hits, MatchedLinks(
        competencies=sorted(codes),
        unknown=sorted(unknown)[:_MOST_EXAMPLES],
        unknown_count=len(unknown),
    )


def _named(rule: MappingRule) -> Select[Any]:
    """Line items that can be evidence, or their criteria, by what a rule may look for."""
    if rule.is_of_links:
        return _with_links(rule)
    rows = line_items.alias("row")
    wanted = rows if rule.criterion else _ITEM
    names = (_ITEM.c.title, _ITEM.c.category, wanted.c.criterion)
    query = (
        select(*names, func.count().label("many"), func.min(_ITEM.c.course_id).label("course"))
        .select_from(_ITEM)
        .join(courses, courses.c.id == _ITEM.c.course_id)
        .where(*_is_evidence())
        .group_by(*names)
        .order_by(func.min(_ITEM.c.id))
    )
    if not rule.criterion:
        return query
    is_part = and_(
        rows.c.course_id == _ITEM.c.course_id,
        rows.c.ref == _ITEM.c.ref,
        rows.c.criterion_ref != "",
    )
    return query.join(rows, is_part)


def _with_links(rule: MappingRule) -> Select[Any]:
    """Line items and criteria that the LMS links to anything; criteria alone where so asked."""
    rows = line_items.alias("row")
    names = (_ITEM.c.title, _ITEM.c.category, rows.c.criterion, rows.c.links)
    is_same = and_(rows.c.course_id == _ITEM.c.course_id, rows.c.ref == _ITEM.c.ref)
    query = (
        select(*names, func.count().label("many"), func.min(_ITEM.c.course_id).label("course"))
        .select_from(_ITEM)
        .join(courses, courses.c.id == _ITEM.c.course_id)
        .join(rows, is_same)
        .where(*_is_evidence(), rows.c.links != "", rows.c.is_removed.is_(False))
        .group_by(*names)
        .order_by(func.min(_ITEM.c.id))
    )
    return query.where(rows.c.criterion_ref != "") if rule.criterion else query


def _is_evidence() -> tuple[Any, ...]:
    return (
        _ITEM.c.criterion_ref == "",
        _ITEM.c.is_published,
        _ITEM.c.is_removed.is_(False),
        _ITEM.c.grading != Grading.NOT_GRADED.value,
    )


def _count_items(connection: Connection, tenant: TenantId) -> int:
    query = (
        select(func.count())
        .select_from(_ITEM)
        .join(courses, courses.c.id == _ITEM.c.course_id)
        .where(courses.c.tenant_id == tenant, *_is_evidence())
    )
    return int(connection.execute(query).scalar_one())


def survey(connection: Connection, tenant: TenantId, rules: Sequence[MappingRule]) -> Survey:
    """Apply rules to all courses, and count."""
    known = known_names(connection, tenant, rules)
    index = RuleIndex(rules, known)
    linked = sorted({rule.framework for rule in rules if rule.is_of_links})
    strange: Counter[str] = Counter()
    hits: Counter[int] = Counter()
    reached: set[tuple[str, str]] = set()
    unmapped: Counter[CourseId] = Counter()
    doubles: list[Double] = []
    items = doubles_count = 0
    for books in item_books(connection, tenant):
        for book in books:
            present = [item for item in book.present() if may_align(item)]
            found = index.hits(book.course.record, present)
            hits.update(hit.rule for hit in found)
            reached.update((rules[hit.rule].framework, hit.competency) for hit in found)
            strange.update(_strange(present, linked, known))
            items += len(present)
            missing = len(present) - len({hit.ref for hit in found})
            if missing:
                unmapped[book.course.id] = missing
            several = _doubles(book, found, rules)
            doubles_count += len(several)
            doubles += several[: _MOST_TOLD - len(doubles)]
    return Survey(
        hits=hits,
        reached=reached,
        items=items,
        unmapped=unmapped,
        doubles=doubles,
        doubles_count=doubles_count,
        strange=strange,
    )


def _strange(
    items: Sequence[LineItem], frameworks: Sequence[str], known: KnownNames
) -> Iterator[str]:
    """The surest names of what work is linked to and none of some frameworks has."""
    if not frameworks:
        return
    found = [item.links for item in items]
    found += [criterion.links for item in items for criterion in item.criteria]
    for link in chain.from_iterable(found):
        if all(known.meant(one, link) is None for one in frameworks):
            yield link[0]


def course_coverage(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule], *, course: CourseId
) -> CourseCoverage:
    """Apply rules to one course, and tell which speaks of what."""
    ((book,),) = item_books(connection, tenant, only={course})
    present = [item for item in book.present() if may_align(item)]
    index = RuleIndex(rules, known_names(connection, tenant, rules))
    hits = index.hits(book.course.record, present)
    rows = book.by_key()
    cells: dict[tuple[LineItemId, tuple[str, str]], list[int]] = {}
    for hit in hits:
        place = rows[hit.ref, hit.criterion].id, (rules[hit.rule].framework, hit.competency)
        cells.setdefault(place, []).append(hit.rule)
    spoken = {item for item, _ in cells}
    mapped = {hit.ref for hit in hits}
    return CourseCoverage(
        items=[row for row in book.rows if row.id in spoken],
        unmapped=[rows[item.ref, ""] for item in present if item.ref not in mapped],
        cells=cells,
    )


def unused_links(
    connection: Connection, tenant: TenantId, rules: Sequence[MappingRule], *, course: CourseId
) -> Counter[str]:
    """How many rows of a course the LMS links to a competency that no rule gives them to.

    Returns:
        Line items and criteria by framework, those with any.
    """
    ((book,),) = item_books(connection, tenant, only={course})
    links = [
        MappingRule(framework=framework, competency=WHATEVER_IS_LINKED)
        for framework in framework_titles(connection, tenant)
    ]
    known = known_names(connection, tenant, links)
    unused = _given(links, book, known=known) - _given(rules, book, known=known)
    rows = {(framework, item, criterion) for framework, item, criterion, _ in unused}
    return Counter(framework for framework, _, _ in rows)


def _given(
    rules: Sequence[MappingRule], book: ItemBook, *, known: KnownNames
) -> set[tuple[str, str, str, str]]:
    """Framework, line item, criterion and competency of all that rules give."""
    hits = RuleIndex(rules, known).hits(book.course.record, book.present())
    return {(rules[hit.rule].framework, hit.ref, hit.criterion, hit.competency) for hit in hits}


def _doubles(book: ItemBook, hits: Sequence[Hit], rules: Sequence[MappingRule]) -> list[Double]:
    by_place: dict[tuple[str, str, str, str], list[int]] = {}
    for hit in hits:
        place = hit.ref, hit.criterion, rules[hit.rule].framework, hit.competency
        by_place.setdefault(place, []).append(hit.rule)
    several = {place: found for place, found in by_place.items() if len(found) > 1}
    rows = book.by_key() if several else {}
    return [
        Double(
            course=book.course.record.title,
            item=rows[place[0], place[1]].name,
            competency=place[3],
            rules=[one + 1 for one in found],
        )
        for place, found in several.items()
    ]


def mapped_titles(connection: Connection, tenant: TenantId) -> list[tuple[str, int]]:
    """Names of line items that speak for a competency now, with its id: the most usual ones."""
    rows = connection.execute(
        select(line_items.c.title, alignments.c.competency_id)
        .join(alignments, alignments.c.line_item_id == line_items.c.id)
        .join(courses, courses.c.id == line_items.c.course_id)
        .where(courses.c.tenant_id == tenant)
        .group_by(line_items.c.title, alignments.c.competency_id)
        .order_by(func.count().desc(), line_items.c.title, alignments.c.competency_id)
        .limit(_MOST_TITLES)
    )
    return [(row[0], row[1]) for row in rows]


def drift(connection: Connection, tenant: TenantId) -> tuple[Drifted, ...]:
    """Line items renamed or vanished since the set in force was published at the desk.

    Those that came since are not among them; see ``survey`` for what no rule speaks of.
    """
    rows = connection.execute(
        select(
            mapping_matches,
            line_items.c.title.label("title_now"),
            line_items.c.criterion.label("criterion_now"),
            line_items.c.is_removed,
            courses.c.title.label("course"),
        )
        .join(line_items, line_items.c.id == mapping_matches.c.line_item_id)
        .join(courses, courses.c.id == line_items.c.course_id)
        .where(
            mapping_matches.c.tenant_id == tenant,
            (line_items.c.title != mapping_matches.c.title)
            | (line_items.c.criterion != mapping_matches.c.criterion)
            | line_items.c.is_removed,
        )
        .order_by(courses.c.title, mapping_matches.c.line_item_id)
    )
    return tuple(_drifted(row) for row in rows)


def _drifted(row: Row[Any]) -> Drifted:
    now = _name(row.title_now, row.criterion_now)
    return Drifted(
        course=row.course,
        then=_name(row.title, row.criterion),
        now=None if row.is_removed else now,
        rules=[int(one) + 1 for one in row.rules.split()],
    )


def _name(title: str, criterion: str) -> str:
    return f"{title}: {criterion}" if criterion else title


def is_watched(connection: Connection, tenant: TenantId) -> bool:
    """Whether it is known what the set in force matched when it was published."""
    found = select(mapping_matches.c.line_item_id).where(mapping_matches.c.tenant_id == tenant)
    return connection.execute(found.limit(1)).one_or_none() is not None
