"""Frameworks: competencies, what they look like, how they follow one another, their words."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from store.tables.columns import Instant, metadata, row_id, to

frameworks = Table(
    "frameworks",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("identifier", String(255), nullable=False),
    Column("title", String(512), nullable=False),
    Column("creator", String(512), nullable=False),
    Column("language", String(16), nullable=False),
    Column("licence", String(512), nullable=False),
    Column("attribution", Text, nullable=False),
    Column("is_local", Boolean, nullable=False, server_default=false()),
    Column("archived_at", Instant),
    Column("address", String(1024), nullable=False, server_default=""),
    Column("etag", String(255), nullable=False, server_default=""),
    Column("last_modified", String(64), nullable=False, server_default=""),
    UniqueConstraint("tenant_id", "identifier"),
)
"""``is_local`` ones are edited here. ``address``, ``etag`` and ``last_modified`` are of the answer
that one fetched from an address came with."""

competencies = Table(
    "competencies",
    metadata,
    row_id(),
    to("frameworks", "framework_id"),
    Column("identifier", String(255), nullable=False),
    Column("code", String(64), nullable=False),
    Column("statement", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    to("competencies", "parent_id", nullable=True),
    Column("position", Integer, nullable=False),
    Column("is_strand", Boolean, nullable=False),
    Column("is_archived", Boolean, nullable=False),
    Column("is_shelved", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("framework_id", "identifier"),
    UniqueConstraint("framework_id", "code"),
)
"""``is_shelved`` ones were archived with their framework, and come back with it."""

competency_indicators = Table(
    "competency_indicators",
    metadata,
    to("competencies", "competency_id", primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("language", String(16), primary_key=True),
    Column("text", Text, nullable=False),
)
"""What a competency looks like to a learner, at a level of the scale, from 0, in a language."""

competency_links = Table(
    "competency_links",
    metadata,
    to("competencies", "origin_id", primary_key=True),
    Column("kind", String(16), primary_key=True),
    to("competencies", "destination_id", primary_key=True),
    CheckConstraint("kind IN ('precedes', 'exactMatchOf', 'replacedBy')", name="kind"),
    sqlite_with_rowid=False,
)
"""Progressions and equivalents between competencies, by CASE's names."""

framework_versions = Table(
    "framework_versions",
    metadata,
    row_id(),
    to("frameworks", "framework_id"),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(255), nullable=False),
    Column("source", String(1024), nullable=False),
    Column("form", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("restored", Integer, nullable=False),
    Column("report", Text, nullable=False),
    UniqueConstraint("framework_id", "number"),
)
"""Every time that a framework became another one; ``report`` tells what was not taken over."""

framework_drafts = Table(
    "framework_drafts",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("name", String(255), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("choices", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_framework_drafts_tenant_id", "tenant_id"),
)
"""Files that were sent and not yet brought in, with what was chosen for them."""

vague_verbs = Table(
    "vague_verbs",
    metadata,
    to("tenants", "tenant_id", primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("verbs", Text, nullable=False),
)
"""A district's own lists of verbs that cannot be demonstrated, one a line."""

pace_targets = Table(
    "pace_targets",
    metadata,
    row_id(),
    to("competencies", "competency_id"),
    to("learners", "learner_id", nullable=True),
    to("courses", "course_id", nullable=True),
    Column("by", Instant, nullable=False),
    Column("author", String(255), nullable=False, server_default=""),
    Index("ix_pace_targets_learner_id", "learner_id"),
    Index("ix_pace_targets_course_id", "course_id"),
    CheckConstraint("(learner_id IS NULL) <> (course_id IS NULL)", name="of_one"),
)
"""By when a competency is meant to be mastered: a learner's own plan, or a course's."""
