"""What a district sets: mappings and what they make of line items, rules, and the trail."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from store.tables.columns import Instant, metadata, row_id, to

mapping_sets = Table(
    "mapping_sets",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("title", String(255), nullable=False, server_default=""),
    Column("author", String(255), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("effective_from", Instant),
    Column("restored", Integer),
    UniqueConstraint("tenant_id", "version"),
)
"""Every mapping set that was ever in force; the highest version is, the others are retired.

``restored`` is the version whose rules a rollback published again.
"""


def _spoken_for() -> tuple[Column[Any], ...]:
    """What a mapping rule speaks for: a competency, or all of a framework that the LMS names."""
    return (
        to("competencies", "competency_id", nullable=True),
        to("frameworks", "framework_id", nullable=True),
        Column("school", String(512), nullable=False, server_default=""),
        Column("steps", String(64), nullable=False, server_default=""),
    )


mapping_rules = Table(
    "mapping_rules",
    metadata,
    row_id(),
    to("mapping_sets", "mapping_set_id"),
    Column("position", Integer, nullable=False),
    *_spoken_for(),
    Column("course", String(512), nullable=False),
    Column("line_item", String(512), nullable=False),
    Column("category", String(512), nullable=False),
    Column("criterion", String(512), nullable=False),
    Column("weight", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    UniqueConstraint("mapping_set_id", "position"),
)

mapping_drafts = Table(
    "mapping_drafts",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("title", String(255), nullable=False),
    Column("author", String(255), nullable=False),
    Column("changed_by", String(512), nullable=False),
    Column("based_on", Integer),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("scheduled_by", String(255)),
    Column("effective_from", Instant),
    Index("ix_mapping_drafts_tenant_id", "tenant_id"),
)
"""Mapping sets in the making; not among the published ones, of which the newest is in force.

``changed_by`` names the last person to change it as nothing else does, ``based_on`` is the
version it began as. One that has ``scheduled_by`` takes force on the first night from
``effective_from`` on.
"""

mapping_draft_rules = Table(
    "mapping_draft_rules",
    metadata,
    row_id(),
    to("mapping_drafts", "draft_id"),
    Column("position", Integer, nullable=False),
    *_spoken_for(),
    *(
        Column(name, String(512), nullable=False)
        for name in ("course", "line_item", "category", "criterion")
    ),
    Column("weight", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Index("ix_mapping_draft_rules_draft_id", "draft_id"),
)

mapping_matches = Table(
    "mapping_matches",
    metadata,
    Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
    Column("line_item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("title", String(1024), nullable=False),
    Column("criterion", String(1024), nullable=False),
    Column("rules", Text, nullable=False),
)
"""What the mapping set in force matched on the day it was published, to tell what drifted since.

Rewritten whole at each publication; ``rules`` are their positions, with spaces between them.
"""

alignments = Table(
    "alignments",
    metadata,
    to("line_items", "line_item_id", primary_key=True),
    to("competencies", "competency_id", primary_key=True),
    Column("weight", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("steps", BigInteger, nullable=False, server_default="0"),
    Index("ix_alignments_competency_id", "competency_id"),
)
"""The published mapping set applied to the line items there are."""

mastery_rules = Table(
    "mastery_rules",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("definition", Text, nullable=False),
    Column("effective_from", Instant, nullable=False),
    Column("scope", String(16), nullable=False, server_default="district"),
    Column("target_id", BigInteger, nullable=False, server_default="0"),
    Column("author", String(255), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("recorded_at", Instant),
    UniqueConstraint("tenant_id", "version"),
)
"""Every version of every rule; versions count up through a tenant, whatever their scope."""

rule_proposals = Table(
    "rule_proposals",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("scope", String(16), nullable=False),
    Column("target_id", BigInteger, nullable=False),
    Column("definition", Text, nullable=False),
    Column("effective_from", Instant),
    Column("author", String(255), nullable=False),
    Column("author_key", String(512), nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("outcome", String(16)),
    Column("decided_by", String(255), nullable=False, server_default=""),
    Column("decided_at", Instant),
    Index("ix_rule_proposals_tenant_id", "tenant_id"),
)
"""Changes of rules that wait for a second person; ``outcome`` is null while they do.

``author_key`` names who proposed it as nothing else does.
"""

effective_rules = Table(
    "effective_rules",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("digest", String(64), nullable=False),
    Column("definition", Text, nullable=False),
    UniqueConstraint("tenant_id", "digest"),
)
"""Rules as scopes made them together and standings were judged by them; never changed."""

policy_changes = Table(
    "policy_changes",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    to("schools", "school_id", nullable=True),
    to("courses", "course_id", nullable=True),
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("at", Instant, nullable=False),
    Index("ix_policy_changes_tenant_id_at", "tenant_id", "at"),
)
"""Who changed what, from what to what, and why: the trail of everything an administrator sets.

``subject`` names what was changed where it is no school, course or tenant: a framework, a draft.
"""

district_words = Table(
    "district_words",
    metadata,
    to("tenants", "tenant_id", primary_key=True),
    Column("term", String(32), primary_key=True),
    Column("singular", String(64), nullable=False),
    Column("plural", String(64), nullable=False),
)
"""What a district calls a term or a status; whatever is not here has Waymark's own word."""

mastery_pages = Table(
    "mastery_pages",
    metadata,
    to("tenants", "tenant_id", primary_key=True),
    Column("token", String(64), nullable=False),
    Column("opened_at", Instant, nullable=False),
    UniqueConstraint("token"),
)
"""Districts that show how mastery works there to everybody who has the link."""
