"""What learners are judged by, put together from everything that is kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from mapping.alignment import matches
from mapping.columns import IntArray
from mapping.evidence.tables import NOT_BRIDGED, AlignmentTable
from mapping.judgement.grounds import Grounds
from mapping.pairs import Pairs, joined, root_of
from mapping.progressions.graph import Hierarchy, bridged
from mapping.records import CompetencyId, CourseId, EnrolmentState, LearnerId, TenantId
from mapping.rules.clauses import LineItemCounts, leaves
from mapping.rules.rulebook import Enrolments, RuleBook, check
from mapping.rules.scopes import Scope, ScopedRule
from store import rules
from store.frameworks import competencies_of
from store.item_facts import ItemFacts, aligned_items
from store.links import links_of
from store.overrides import override_table
from store.score_tables import Knowledge, alignment_table, score_table
from store.session import chunks
from store.tables import (
    competencies,
    courses,
    enrolments,
    frameworks,
    line_items,
    to_micros,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the learners of a tenant are judged by, the same for all of them.

    Loaded once, then ``grounds_of`` adds the learners' own.

    Attributes:
        book: The rules in force.
        hierarchy: Parents and their children.
        alignments: Which line item speaks for which competency, equivalents included.
        district_rule: The id of the district's rule version, None where none was published.
        at: The moment.
        codes: The competencies' codes.
        line_items_of: The line items that each pattern of a rule matches.
        courses: Those with a rule of their own.
        is_whole: Whether it is for all competencies, not some.
        items: The line items that speak for a competency, where many learners are to be judged;
            None to look up those of each.
    """

    book: RuleBook
    hierarchy: Hierarchy
    alignments: AlignmentTable
    district_rule: int | None
    at: datetime
    codes: Mapping[int, str]
    line_items_of: Mapping[str, frozenset[int]]
    courses: frozenset[CourseId]
    is_whole: bool = True
    items: ItemFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """At which moment learners are judged, and by what, where that is not what holds now.

    Attributes:
        at: The moment.
        entries: Every rule version known.
        rules_at: Of which moment the rules are that hold.
        alignments: What line items speak for themselves.
    """

    at: datetime
    entries: Sequence[ScopedRule]
    rules_at: datetime
    alignments: AlignmentTable


def policy_of(connection: Connection, tenant: TenantId, *, now: datetime) -> Policy:
    """Load what a tenant's learners are judged by at a moment.

    Args:
        connection: A transaction.
        tenant: The tenant.
        now: The moment.
    """
    setting = Setting(
        at=now,
        entries=rules.scoped_rules(connection, tenant),
        rules_at=now,
        alignments=alignment_table(connection, tenant),
    )
    return policy_in(connection, tenant, setting)


def policy_in(connection: Connection, tenant: TenantId, setting: Setting) -> Policy:
    """Put together what a tenant's learners are judged by in a setting.

    Args:
        connection: A transaction.
        tenant: The tenant.
        setting: The moment, the rules and the alignments.
    """
    aligned = bridged(setting.alignments, links_of(connection, tenant))
    own = _courses_with_rules(setting.entries)
    book = RuleBook.of(
        setting.entries,
        at=to_micros(setting.rules_at),
        framework_of=_frameworks(connection, tenant),
        speaks=_speaks(connection, own, aligned),
    )
    current = rules.district_rule(connection, tenant, now=setting.rules_at)
    return Policy(
        book=book,
        hierarchy=hierarchy(connection, tenant),
        alignments=aligned,
        district_rule=None if current is None else current.id,
        at=setting.at,
        codes=_codes(connection, tenant),
        line_items_of=_matched(connection, tenant, _patterns(book), table=aligned),
        courses=own,
    )


def hierarchy(connection: Connection, tenant: TenantId) -> Hierarchy:
    """The tenant's competencies with their parents."""
    return Hierarchy.of((c.id, c.parent) for c in competencies_of(connection, tenant))


def with_equivalents(pairs: Pairs, table: AlignmentTable) -> Pairs:
    """The pairs, and the same learners' pairs with what the same line items speak for by links.

    Args:
        pairs: Of competencies that line items are aligned to.
        table: Alignments, equivalents included.
    """
    linked = np.flatnonzero(table.via != NOT_BRIDGED)
    linked = linked[np.argsort(table.via[linked], kind="stable")]
    row, at = joined(pairs.competency, table.via[linked])
    return Pairs.of(
        np.concatenate((pairs.learner, pairs.learner[row])),
        np.concatenate((pairs.competency, table.competency[linked][at])),
    )


def narrowed(policy: Policy, competency: IntArray) -> Policy:
    """The same policy for some competencies, and everything that their standings depend on.

    Args:
        policy: Of a tenant.
        competency: Any number of ids, equivalents among them.

    Returns:
        A policy by which these competencies, and what they are part of, stand as by the whole.
    """
    table = policy.alignments
    roots = np.unique(root_of(competency, policy.hierarchy))
    kept = np.isin(root_of(table.competency, policy.hierarchy), roots)
    table = table.rows(np.flatnonzero(kept))
    items = None if policy.items is None else policy.items.among(table.line_item)
    return replace(policy, alignments=table, items=items, is_whole=False)


def for_many(connection: Connection, tenant: TenantId, policy: Policy) -> Policy:
    """The same policy, made ready for many learners: what is the same for all is loaded once.

    Args:
        connection: A transaction.
        tenant: Whose policy it is.
        policy: By the alignments that hold now.
    """
    items = aligned_items(connection, tenant, policy.alignments.line_item)
    return replace(policy, items=items)


def grounds_of(connection: Connection, policy: Policy, learners: Sequence[LearnerId]) -> Grounds:
    """Load what some learners are judged by.

    Args:
        connection: A transaction.
        policy: Their tenant's.
        learners: Whose scores, enrolments and overrides.
    """
    knowledge = Knowledge(aligned_to=_direct(policy), items=policy.items)
    return grounds_in(connection, policy, learners, knowledge=knowledge)


def grounds_in(
    connection: Connection, policy: Policy, learners: Sequence[LearnerId], *, knowledge: Knowledge
) -> Grounds:
    """Load what some learners are judged by, as far as it is to be known.

    Args:
        connection: A transaction.
        policy: Their tenant's.
        learners: Whose scores, enrolments and overrides.
        knowledge: Of which moment.
    """
    return Grounds(
        scores=score_table(connection, learners, knowledge),
        alignments=policy.alignments,
        book=policy.book,
        hierarchy=policy.hierarchy,
        enrolments=_enrolments(connection, policy.courses, learners),
        overrides=override_table(connection, learners, moment=knowledge.moment),
        line_items_of=policy.line_items_of,
        codes=policy.codes,
        at=to_micros(policy.at),
    )


def _direct(policy: Policy) -> frozenset[CompetencyId] | None:
    """The competencies whose line items are needed; those of equivalents count as theirs."""
    if policy.is_whole:
        return None
    table = policy.alignments
    own = np.where(table.via == NOT_BRIDGED, table.competency, table.via)
    return frozenset(CompetencyId(one) for one in np.unique(own).tolist())


def _courses_with_rules(entries: Iterable[ScopedRule]) -> frozenset[CourseId]:
    """Courses that a rule of their own was ever set for."""
    return frozenset(CourseId(one.target) for one in entries if one.scope is Scope.COURSE)


def _frameworks(connection: Connection, tenant: TenantId) -> dict[int, int]:
    rows = connection.execute(
        select(competencies.c.id, competencies.c.framework_id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant)
    )
    return {row[0]: row[1] for row in rows}


def _codes(connection: Connection, tenant: TenantId) -> dict[int, str]:
    rows = connection.execute(
        select(competencies.c.id, competencies.c.code)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant)
    )
    return {row[0]: row[1] for row in rows}


def _speaks(
    connection: Connection, own: Collection[CourseId], table: AlignmentTable
) -> list[tuple[int, int]]:
    """Course and competency, where a line item of a course with a rule speaks for it."""
    if not own:
        return []
    course_of: dict[int, int] = dict(
        connection.execute(
            select(line_items.c.id, line_items.c.course_id).where(
                line_items.c.course_id.in_(sorted(own))
            )
        ).all()
    )
    pairs = zip(table.line_item.tolist(), table.competency.tolist(), strict=True)
    return sorted({(course_of[item], one) for item, one in pairs if item in course_of})


def _patterns(book: RuleBook) -> frozenset[str]:
    return frozenset(
        leaf.pattern
        for effective in book.rules
        for leaf in leaves(effective.rule.criteria)
        if isinstance(leaf, LineItemCounts)
    )


def _matched(
    connection: Connection, tenant: TenantId, patterns: Iterable[str], *, table: AlignmentTable
) -> dict[str, frozenset[int]]:
    """The aligned line items whose title each pattern matches."""
    wanted = sorted(patterns)
    if not wanted:
        return {}
    aligned = set(np.unique(table.line_item).tolist())
    rows = connection.execute(
        select(line_items.c.id, line_items.c.title)
        .join(courses, courses.c.id == line_items.c.course_id)
        .where(courses.c.tenant_id == tenant)
    ).all()
    return {
        pattern: frozenset(
            row.id for row in rows if row.id in aligned and matches(pattern, row.title)
        )
        for pattern in wanted
    }


def _enrolments(
    connection: Connection, own: Collection[CourseId], learners: Sequence[LearnerId]
) -> Enrolments:
    """Who of some learners is active in the courses with a rule."""
    if not own:
        return Enrolments.none()
    found: list[tuple[int, int]] = []
    for part in chunks(learners):
        rows = connection.execute(
            select(enrolments.c.learner_id, enrolments.c.course_id).where(
                enrolments.c.learner_id.in_(part),
                enrolments.c.course_id.in_(sorted(own)),
                enrolments.c.state == EnrolmentState.ACTIVE.value,
            )
        )
        found.extend((row[0], row[1]) for row in rows)
    return Enrolments(learner=_column(found, 0), course=_column(found, 1))


def _column(rows: Sequence[tuple[int, int]], place: int) -> IntArray:
    return np.array([row[place] for row in rows], dtype=np.int64)


def proposed_book(connection: Connection, tenant: TenantId, entry: ScopedRule) -> RuleBook:
    """The rules as they will be with a version that is not published yet.

    Args:
        connection: A transaction.
        tenant: Whose rules.
        entry: The version.

    Returns:
        The rules of the moment from which it holds.

    Raises:
        ScopeRefused: It makes no rule with what other scopes say, then or later.
    """  # noqa: DOC502 - raised by check()
    return _checked(connection, tenant, [entry], since=entry.effective_from)


def check_rules(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    """Refuse rules that make none together, now or at any later moment.

    Args:
        connection: A transaction.
        tenant: Whose rules.
        now: The moment.

    Raises:
        ScopeRefused: The first scope that makes no rule is named.
    """  # noqa: DOC502 - raised by check()
    _checked(connection, tenant, [], since=to_micros(now))


def _checked(
    connection: Connection, tenant: TenantId, more: Sequence[ScopedRule], *, since: int
) -> RuleBook:
    entries = (*rules.scoped_rules(connection, tenant), *more)
    own = _courses_with_rules(entries)
    aligned = bridged(alignment_table(connection, tenant), links_of(connection, tenant))
    framework_of = _frameworks(connection, tenant)
    speaks = _speaks(connection, own, aligned)
    check(entries, since=since, framework_of=framework_of, speaks=speaks)
    return RuleBook.of(entries, at=since, framework_of=framework_of, speaks=speaks)
