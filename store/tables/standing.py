"""Where learners stand: now, once, and by persons' judgement; and who is to be computed."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, SmallInteger, String, Table, Text

from store.tables.columns import Instant, metadata, of, row_id, to

standings = Table(
    "standings",
    metadata,
    of("learner_id", primary_key=True),
    of("competency_id", primary_key=True),
    Column("view", SmallInteger, primary_key=True),
    Column("status", SmallInteger, nullable=False),
    Column("estimate", Float),
    Column("evidence_count", Integer, nullable=False),
    Column("mastered_count", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("level", SmallInteger, nullable=False, server_default="-1"),
    Column("mastered_at", Instant),
    Column("review_at", Instant),
    Column("override", SmallInteger, nullable=False, server_default="0"),
    Column("effective_rule_id", BigInteger),
    Index("ix_standings_review_at", "review_at"),
    sqlite_with_rowid=False,
)
"""Where each learner stands now, in each of the two views."""

standing_digests = Table(
    "standing_digests",
    metadata,
    of("learner_id", primary_key=True),
    Column("high", BigInteger),
    Column("low", BigInteger, nullable=False),
)
"""What the standings of a learner in both views come to; no ``high`` where that is not known."""

standing_changes = Table(
    "standing_changes",
    metadata,
    row_id(),
    of("learner_id"),
    of("competency_id"),
    Column("view", SmallInteger, nullable=False),
    Column("previous_status", SmallInteger),
    Column("status", SmallInteger, nullable=False),
    Column("estimate", Float),
    Column("evidence_count", Integer, nullable=False),
    Column("mastered_count", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    of("mapping_set_id"),
    of("mastery_rule_id"),
    of("run_id", nullable=True),
    Column("level", SmallInteger, nullable=False, server_default="-1"),
    Column("mastered_at", Instant),
    Column("review_at", Instant),
    Column("override", SmallInteger, nullable=False, server_default="0"),
    Column("effective_rule_id", BigInteger),
    Index(
        "ix_standing_changes_learner_id_competency_id",
        "learner_id",
        "competency_id",
    ),
)
"""Every change of a standing, never changed, never deleted."""

recompute_queue = Table(
    "recompute_queue",
    metadata,
    to("learners", "learner_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
)
"""Learners whose standing may be out of date; written with the cause, removed with the cure."""

recompute_pairs = Table(
    "recompute_pairs",
    metadata,
    of("learner_id", primary_key=True),
    of("competency_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""As ``recompute_queue``, where only some competencies of a learner may be out of date."""

overrides = Table(
    "overrides",
    metadata,
    row_id(),
    to("learners", "learner_id"),
    to("competencies", "competency_id"),
    Column("status", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("until", Instant),
    Column("revoked_at", Instant),
    Column("revoked_by", String(255), nullable=False, server_default=""),
    Index("ix_overrides_learner_id", "learner_id"),
)
"""What persons said in place of computed statuses; revoked, never deleted."""

exclusions = Table(
    "exclusions",
    metadata,
    row_id(),
    to("learners", "learner_id"),
    to("line_items", "line_item_id"),
    Column("reason", Text, nullable=False),
    Column("author", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", String(255), nullable=False, server_default=""),
    Index("ix_exclusions_learner_id", "learner_id"),
)
"""Evidence that persons took out, with the reason; revoked, never deleted."""

given_dates = Table(
    "given_dates",
    metadata,
    row_id(),
    to("learners", "learner_id"),
    to("line_items", "line_item_id"),
    Column("occurred_at", Instant, nullable=False),
    Column("author", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", String(255), nullable=False, server_default=""),
    Index("ix_given_dates_learner_id", "learner_id"),
)
"""Dates that teachers gave to pieces of evidence; revoked, never deleted."""
