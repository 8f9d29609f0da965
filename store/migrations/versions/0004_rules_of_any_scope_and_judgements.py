"""Rules of any scope, levels, overrides, exclusions, progressions, pace, every attempt."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "effective_rules",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_effective_rules_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effective_rules")),
        sa.UniqueConstraint(
            "tenant_id", "digest", name=op.f("uq_effective_rules_tenant_id_digest")
        ),
    )
    op.create_table(
        "competency_links",
        sa.Column("origin_id", _BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("destination_id", _BIG_ID, nullable=False),
        sa.CheckConstraint(
            "kind IN ('precedes', 'exactMatchOf', 'replacedBy')",
            name=op.f("ck_competency_links_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["competencies.id"],
            name=op.f("fk_competency_links_destination_id_competencies"),
        ),
        sa.ForeignKeyConstraint(
            ["origin_id"],
            ["competencies.id"],
            name=op.f("fk_competency_links_origin_id_competencies"),
        ),
        sa.PrimaryKeyConstraint(
            "origin_id", "kind", "destination_id", name=op.f("pk_competency_links")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "overrides",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.Column("competency_id", _BIG_ID, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("given_at", Instant, nullable=False),
        sa.Column("until", Instant),
        sa.Column("revoked_at", Instant),
        sa.Column("revoked_by", sa.String(length=255), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["competency_id"],
            ["competencies.id"],
            name=op.f("fk_overrides_competency_id_competencies"),
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_overrides_learner_id_learners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
    )
    op.create_index("ix_overrides_learner_id", "overrides", ["learner_id"])
    op.create_table(
        "pace_targets",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("competency_id", _BIG_ID, nullable=False),
        sa.Column("learner_id", _BIG_ID),
        sa.Column("course_id", _BIG_ID),
        sa.Column("by", Instant, nullable=False),
        sa.Column("author", sa.String(length=255), server_default="", nullable=False),
        sa.CheckConstraint(
            "(learner_id IS NULL) <> (course_id IS NULL)", name=op.f("ck_pace_targets_of_one")
        ),
        sa.ForeignKeyConstraint(
            ["competency_id"],
            ["competencies.id"],
            name=op.f("fk_pace_targets_competency_id_competencies"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_pace_targets_course_id_courses")
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_pace_targets_learner_id_learners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pace_targets")),
    )
    op.create_index("ix_pace_targets_course_id", "pace_targets", ["course_id"])
    op.create_index("ix_pace_targets_learner_id", "pace_targets", ["learner_id"])
    op.create_table(
        "recompute_pairs",
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.Column("competency_id", _BIG_ID, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competency_id"],
            ["competencies.id"],
            name=op.f("fk_recompute_pairs_competency_id_competencies"),
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_recompute_pairs_learner_id_learners")
        ),
        sa.PrimaryKeyConstraint("learner_id", "competency_id", name=op.f("pk_recompute_pairs")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempt_events",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("line_item_id", _BIG_ID, nullable=False),
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("points", sa.Float()),
        sa.Column("submitted_at", Instant),
        sa.Column("graded_at", Instant),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("run_id", _BIG_ID),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_attempt_events_learner_id_learners")
        ),
        sa.ForeignKeyConstraint(
            ["line_item_id"],
            ["line_items.id"],
            name=op.f("fk_attempt_events_line_item_id_line_items"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_attempt_events_run_id_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_events")),
    )
    op.create_index(
        "ix_attempt_events_learner_id_line_item_id",
        "attempt_events",
        ["learner_id", "line_item_id"],
    )
    op.create_table(
        "exclusions",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.Column("line_item_id", _BIG_ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("given_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant),
        sa.Column("revoked_by", sa.String(length=255), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_exclusions_learner_id_learners")
        ),
        sa.ForeignKeyConstraint(
            ["line_item_id"], ["line_items.id"], name=op.f("fk_exclusions_line_item_id_line_items")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusions")),
    )
    op.create_index("ix_exclusions_learner_id", "exclusions", ["learner_id"])
    op.create_table(
        "given_dates",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.Column("line_item_id", _BIG_ID, nullable=False),
        sa.Column("occurred_at", Instant, nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("given_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant),
        sa.Column("revoked_by", sa.String(length=255), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_given_dates_learner_id_learners")
        ),
        sa.ForeignKeyConstraint(
            ["line_item_id"], ["line_items.id"], name=op.f("fk_given_dates_line_item_id_line_items")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_given_dates")),
    )
    op.create_index("ix_given_dates_learner_id", "given_dates", ["learner_id"])
    op.add_column(
        "mastery_rules",
        sa.Column("scope", sa.String(length=16), server_default="district", nullable=False),
    )
    op.add_column(
        "mastery_rules", sa.Column("target_id", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "mastery_rules",
        sa.Column("author", sa.String(length=255), server_default="", nullable=False),
    )
    op.add_column(
        "mastery_rules", sa.Column("reason", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("mastery_rules", sa.Column("recorded_at", Instant))
    op.add_column(
        "standing_changes",
        sa.Column("level", sa.SmallInteger(), server_default="-1", nullable=False),
    )
    op.add_column("standing_changes", sa.Column("mastered_at", Instant))
    op.add_column("standing_changes", sa.Column("review_at", Instant))
    op.add_column(
        "standing_changes",
        sa.Column("override", sa.SmallInteger(), server_default="0", nullable=False),
    )
    op.add_column("standing_changes", sa.Column("effective_rule_id", sa.BigInteger()))
    op.add_column(
        "standings", sa.Column("level", sa.SmallInteger(), server_default="-1", nullable=False)
    )
    op.add_column("standings", sa.Column("mastered_at", Instant))
    op.add_column("standings", sa.Column("review_at", Instant))
    op.add_column(
        "standings", sa.Column("override", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column("standings", sa.Column("effective_rule_id", sa.BigInteger()))
    op.create_index("ix_standings_review_at", "standings", ["review_at"])
    # When a kept attempt was first seen is not known: by the last time its cell said anything new.
    op.execute(
        "INSERT INTO attempt_events (line_item_id, learner_id, number, points, submitted_at, "
        "graded_at, is_late, recorded_at) SELECT line_item_id, learner_id, number, points, "
        "submitted_at, graded_at, is_late, COALESCE((SELECT MAX(recorded_at) FROM score_events "
        "WHERE score_events.line_item_id = earlier_attempts.line_item_id AND "
        "score_events.learner_id = earlier_attempts.learner_id), 0) FROM earlier_attempts"
    )
    # Standings from before know no level; the next night says it, and nothing else new.
    op.execute(
        "INSERT INTO recompute_queue (learner_id, token) SELECT id, 0 FROM learners "
        "WHERE id NOT IN (SELECT learner_id FROM recompute_queue)"
    )
