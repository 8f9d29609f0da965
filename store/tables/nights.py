"""Runs: their work and what it found, courses to be read out of turn, and who is told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from store.tables.columns import Instant, metadata, row_id, to

runs = Table(
    "runs",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("cause", String(32), nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("is_dry", Boolean, nullable=False, server_default=false()),
    Column("phase", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index("ix_runs_tenant_id_started_at", "tenant_id", "started_at"),
)

work_items = Table(
    "work_items",
    metadata,
    row_id(),
    to("runs", "run_id"),
    Column("phase", String(16), nullable=False),
    to("courses", "course_id", nullable=True),
    Column("part", Integer, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("job", String(64), nullable=False),
    Column("enqueued_at", Instant),
    Column("lease_until", Instant),
    Column("not_before", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("cause", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("scores_pulled", Integer, nullable=False),
    Column("scores_new", Integer, nullable=False),
    Column("scores_changed", Integer, nullable=False),
    Column("estimates", Integer, nullable=False),
    Column("statuses_changed", Integer, nullable=False),
    Column("pushed", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("api_calls", Integer, nullable=False),
    Column("scores_skipped", Integer, nullable=False, server_default="0"),
    Column("quota", Float),
    Column("platform_id", BigInteger),
    Index("ix_work_items_run_id_phase_state", "run_id", "phase", "state"),
)

work_notes = Table(
    "work_notes",
    metadata,
    to("work_items", "work_item_id", primary_key=True),
    Column("cause", String(64), primary_key=True),
    Column("message", Text, nullable=False),
)
"""What an LMS granted less of than Waymark can use, as the work on an item found it."""

refresh_requests = Table(
    "refresh_requests",
    metadata,
    to("courses", "course_id", primary_key=True),
    Column("cause", String(16), nullable=False),
    Column("by", String(255), nullable=False, server_default=""),
    Column("requested_at", Instant, nullable=False),
)
"""Courses to be read before the next night: a teacher asked, an LMS told of news, a retry."""

course_signals = Table(
    "course_signals",
    metadata,
    to("courses", "course_id", primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)
"""Courses of which an LMS told news by itself, until their reading is asked for."""

run_alarms = Table(
    "run_alarms",
    metadata,
    row_id(),
    to("runs", "run_id"),
    to("courses", "course_id", nullable=True),
    Column("kind", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("seen_by", String(255), nullable=False, server_default=""),
    Index("ix_run_alarms_run_id", "run_id"),
)
"""What a run found that a person should look at although nothing failed."""

notice_targets = Table(
    "notice_targets",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("channel", String(16), nullable=False),
    Column("address", String(1024), nullable=False),
    Column("secret", Text, nullable=False, server_default=""),
    Column("kinds", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("tenant_id", "channel", "address"),
    CheckConstraint("channel IN ('email', 'webhook')", name="channel"),
)
"""Who is told of runs and alarms, and how; a webhook's secret is sealed."""

notices = Table(
    "notices",
    metadata,
    row_id(),
    to("notice_targets", "target_id"),
    to("runs", "run_id", nullable=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Instant),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("error", Text, nullable=False, server_default=""),
    Index("ix_notices_state", "state"),
)
"""Messages to be sent, then the record of how it went."""
