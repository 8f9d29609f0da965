"""Gradebooks as they were read: courses, their line items, and what every cell ever said."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from store.packing import Second2000
from store.tables.columns import Instant, metadata, narrow, row_id, to

courses = Table(
    "courses",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    to("platforms", "platform_id"),
    Column("ref", String(255), nullable=False),
    to("schools", "school_id", nullable=True),
    Column("school_ref", String(255), nullable=False, server_default=""),
    Column("title", String(512), nullable=False),
    Column("code", String(255), nullable=False),
    Column("sis_id", String(255)),
    Column("state", String(16), nullable=False),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("cursor", Text),
    Column("synced_at", Instant),
    Column("swept_at", Instant),
    Column("gone_at", Instant),
    Column("aligned_to", String(64)),
    Column("passback_way", String(32)),
    Column("counted_from", Instant),
    Column("previewed_at", Instant),
    Column("mode", String(16)),
    Column("agreed_at", Instant),
    Column("agreed_by", String(255), nullable=False, server_default=""),
    Column("read_seconds", Float),
    Column("refreshed_at", Instant),
    Column("context_ref", String(255)),
    Column("whole_digest", LargeBinary),
    UniqueConstraint("platform_id", "ref"),
    Index("ix_courses_tenant_id", "tenant_id"),
)

line_items = Table(
    "line_items",
    metadata,
    row_id(),
    to("courses", "course_id"),
    Column("ref", String(255), nullable=False),
    Column("criterion_ref", String(255), nullable=False, server_default=""),
    Column("title", String(1024), nullable=False),
    Column("criterion", String(1024), nullable=False, server_default=""),
    Column("category", String(512), nullable=False),
    Column("grading", String(16), nullable=False),
    Column("minimum", Float, nullable=False),
    Column("maximum", Float, nullable=False),
    Column("due_at", Instant),
    Column("is_published", Boolean, nullable=False),
    Column("is_removed", Boolean, nullable=False),
    Column("links", Text, nullable=False, server_default=""),
    UniqueConstraint("course_id", "ref", "criterion_ref"),
)
"""``links`` is what the LMS itself links the row to, as ``mapping.lms_links`` writes it."""


score_blocks = Table(
    "score_blocks",
    metadata,
    narrow("course_id", primary_key=True),
    narrow("learner_id", primary_key=True),
    Column("graded", Integer, nullable=False),
    Column("cells", LargeBinary, nullable=False),
    Column("deducted", LargeBinary),
    Index("ix_score_blocks_learner_id", "learner_id"),
    postgresql_with={"toast_tuple_target": 8160},
)
"""What a learner's cells of a course say now, the newest of ``score_events``: ``cells`` as
``score_blocks.CELL`` has them, by line item, and what is deducted of each, NaN for nothing; none
where nothing is of any. ``graded`` counts those with points."""

score_events = Table(
    "score_events",
    metadata,
    row_id(),
    Column("recorded_at", Instant, nullable=False),
    # Wide columns first, so that no byte is lost to alignment.
    Column("points", Float),
    Column("points_deducted", Float),
    narrow("line_item_id"),
    narrow("learner_id"),
    Column("submitted_at", Second2000),
    Column("graded_at", Second2000),
    Column("attempt", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    narrow("run_id", nullable=True),
    Index("ix_score_events_learner_id_line_item_id", "learner_id", "line_item_id"),
)
"""Everything a gradebook cell ever said, never changed, never deleted; ``packing`` reads ``flags``,
and no ``points_deducted`` is none."""


def _attempt(*, is_key: bool) -> list[Column[Any]]:
    return [
        Column("points", Float),
        narrow("line_item_id", primary_key=is_key),
        narrow("learner_id", primary_key=is_key),
        Column("submitted_at", Second2000),
        Column("graded_at", Second2000),
        Column("number", SmallInteger, primary_key=is_key, nullable=False, autoincrement=False),
        Column("is_late", Boolean, nullable=False),
    ]


earlier_attempts = Table(
    "earlier_attempts",
    metadata,
    *_attempt(is_key=True),
    Index("ix_earlier_attempts_learner_id", "learner_id"),
    sqlite_with_rowid=False,
)
"""Graded attempts before the one that a score is of, as last seen; never deleted."""

attempt_events = Table(
    "attempt_events",
    metadata,
    row_id(),
    Column("recorded_at", Instant, nullable=False),
    *_attempt(is_key=False),
    narrow("run_id", nullable=True),
    Index("ix_attempt_events_learner_id_line_item_id", "learner_id", "line_item_id"),
)
"""Everything that ``earlier_attempts`` ever said, never changed, never deleted."""
