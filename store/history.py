"""What learners were judged by at a past moment, from everything that was recorded until then.

Scores, attempts, exclusions, dates and overrides are as they were recorded; rules and the
mapping are those in force then, or rules of another moment. Columns and people are as they are
now: of those no past is kept.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from mapping.alignment import resolve
from mapping.evidence.tables import AlignmentTable
from mapping.judgement.grounds import Grounds
from mapping.records import LearnerId, TenantId
from mapping.steps import packed
from store import alignments, rules
from store.courses import courses_of
from store.grounds import Policy, Setting, grounds_in, policy_in
from store.item_rows import known_line_items
from store.score_tables import Knowledge, alignment_table, alignments_of
from store.tables import competencies, frameworks

_Row = tuple[int, int, float, str, int]


def policy_at(
    connection: Connection,
    tenant: TenantId,
    *,
    moment: datetime,
    rules_at: datetime | None = None,
) -> Policy:
    """What a tenant's learners were judged by at a moment.

    Args:
        connection: A transaction.
        tenant: The tenant.
        moment: The moment.
        rules_at: Of which moment the rules are; None for the same.

    Raises:
        RuleRefused: What scopes said together makes no rule; the scope is named.
    """  # noqa: DOC502 - raised by policy_in()
    rules_at = rules_at or moment
    setting = Setting(
        at=moment,
        entries=rules.scoped_rules(connection, tenant, known_by=rules_at),
        rules_at=rules_at,
        alignments=_alignments_at(connection, tenant, moment),
    )
    return policy_in(connection, tenant, setting)


def grounds_at(
    connection: Connection,
    tenant: TenantId,
    learners: Sequence[LearnerId],
    *,
    moment: datetime,
    rules_at: datetime | None = None,
) -> Grounds:
    """What some learners were judged by at a moment: judging it gives their standings of then.

    Args:
        connection: A transaction.
        tenant: Theirs.
        learners: Whose.
        moment: The moment; what was recorded later is not known.
        rules_at: Of which moment the rules are, for example today's; None for the same.

    Raises:
        RuleRefused: What scopes said together makes no rule; the scope is named.
    """  # noqa: DOC502 - raised by policy_at()
    policy = policy_at(connection, tenant, moment=moment, rules_at=rules_at)
    return grounds_in(connection, policy, learners, knowledge=Knowledge(moment=moment))


def _alignments_at(connection: Connection, tenant: TenantId, moment: datetime) -> AlignmentTable:
    """What line items spoke for; a mapping no longer in force is applied to them again."""
    mapping_set = alignments.mapping_at(connection, tenant, moment)
    if mapping_set == alignments.mapping_in_force(connection, tenant):
        return alignment_table(connection, tenant)
    if mapping_set is None:
        return alignments_of(())
    ids = _competency_ids(connection, tenant)
    mapping = alignments.rules_of(connection, mapping_set)
    names = alignments.known_names(connection, tenant, mapping)
    rows: list[_Row] = []
    for course in courses_of(connection, tenant):
        items, keys = known_line_items(connection, course.id)
        rows.extend(
            (
                keys[key],
                ids[one.framework, one.competency],
                one.weight,
                one.kind.value,
                packed(one.steps),
            )
            for one in resolve(mapping, course.record, items, known=names)
            if (key := (one.line_item_ref, one.criterion_ref)) in keys
        )
    return alignments_of(rows)


def _competency_ids(connection: Connection, tenant: TenantId) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        select(frameworks.c.identifier, competencies.c.code, competencies.c.id)
        .join(frameworks, frameworks.c.id == competencies.c.framework_id)
        .where(frameworks.c.tenant_id == tenant)
    )
    return {(row[0], row[1]): row[2] for row in rows}
