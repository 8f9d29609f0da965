"""Modes, a first yes, pauses, marks that are due, refreshes, alarms and notices."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("state IN ('wanted', 'sent')")


def upgrade() -> None:
    op.create_table(
        "course_signals",
        sa.Column("course_id", _BIG_ID, nullable=False),
        sa.Column("first_at", Instant, nullable=False),
        sa.Column("last_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_signals_course_id_courses")
        ),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_course_signals")),
    )
    op.create_table(
        "notice_targets",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=1024), nullable=False),
        sa.Column("secret", sa.Text(), server_default="", nullable=False),
        sa.Column("kinds", sa.String(length=255), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'webhook')", name=op.f("ck_notice_targets_channel")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_notice_targets_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_targets")),
        sa.UniqueConstraint(
            "tenant_id",
            "channel",
            "address",
            name=op.f("uq_notice_targets_tenant_id_channel_address"),
        ),
    )
    op.create_table(
        "notices",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("target_id", _BIG_ID, nullable=False),
        sa.Column("run_id", _BIG_ID),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", Instant),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("sent_at", Instant),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_notices_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["target_id"], ["notice_targets.id"], name=op.f("fk_notices_target_id_notice_targets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_state", "notices", ["state"])
    op.create_table(
        "passback_due",
        sa.Column("course_id", _BIG_ID, nullable=False),
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_passback_due_course_id_courses")
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_passback_due_learner_id_learners")
        ),
        sa.PrimaryKeyConstraint("course_id", "learner_id", name=op.f("pk_passback_due")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "passback_due_courses",
        sa.Column("course_id", _BIG_ID, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_passback_due_courses_course_id_courses")
        ),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_passback_due_courses")),
    )
    op.create_table(
        "passback_totals",
        sa.Column("competency_id", _BIG_ID, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competency_id"],
            ["competencies.id"],
            name=op.f("fk_passback_totals_competency_id_competencies"),
        ),
        sa.PrimaryKeyConstraint("competency_id", name=op.f("pk_passback_totals")),
    )
    op.create_table(
        "policy_changes",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("school_id", _BIG_ID),
        sa.Column("course_id", _BIG_ID),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=False),
        sa.Column("after", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_policy_changes_course_id_courses")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["schools.id"], name=op.f("fk_policy_changes_school_id_schools")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_policy_changes_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_changes")),
    )
    op.create_index("ix_policy_changes_tenant_id_at", "policy_changes", ["tenant_id", "at"])
    op.create_table(
        "refresh_requests",
        sa.Column("course_id", _BIG_ID, nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=255), server_default="", nullable=False),
        sa.Column("requested_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_refresh_requests_course_id_courses")
        ),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_refresh_requests")),
    )
    op.create_table(
        "run_alarms",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("run_id", _BIG_ID, nullable=False),
        sa.Column("course_id", _BIG_ID),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("seen_at", Instant),
        sa.Column("seen_by", sa.String(length=255), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_run_alarms_course_id_courses")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_alarms_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_alarms")),
    )
    op.create_index("ix_run_alarms_run_id", "run_alarms", ["run_id"])
    op.add_column("courses", sa.Column("mode", sa.String(length=16)))
    op.add_column("courses", sa.Column("agreed_at", Instant))
    op.add_column(
        "courses", sa.Column("agreed_by", sa.String(length=255), server_default="", nullable=False)
    )
    op.add_column("courses", sa.Column("read_seconds", sa.Float()))
    op.add_column("courses", sa.Column("refreshed_at", Instant))
    op.add_column(
        "platforms",
        sa.Column("events_key_url", sa.String(length=1024), server_default="", nullable=False),
    )
    op.add_column(
        "platforms",
        sa.Column("events_token", sa.String(length=64), server_default="", nullable=False),
    )
    op.add_column("courses", sa.Column("context_ref", sa.String(length=255)))
    for name, length in (("notices_url", 1024), ("notices_offered", 1024), ("notice_types", 255)):
        op.add_column(
            "deployments",
            sa.Column(name, sa.String(length=length), server_default="", nullable=False),
        )
    op.add_column("deployments", sa.Column("notices_tried_at", Instant))
    op.add_column(
        "runs", sa.Column("is_dry", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column(
        "schools",
        sa.Column("mode", sa.String(length=16), server_default="official", nullable=False),
    )
    op.add_column("schools", sa.Column("agreed_at", Instant))
    op.add_column(
        "schools", sa.Column("agreed_by", sa.String(length=255), server_default="", nullable=False)
    )
    op.add_column("tenants", sa.Column("paused_at", Instant))
    op.add_column(
        "tenants", sa.Column("paused_by", sa.String(length=255), server_default="", nullable=False)
    )
    op.add_column(
        "tenants", sa.Column("pause_reason", sa.Text(), server_default="", nullable=False)
    )
    op.add_column(
        "work_items", sa.Column("scores_skipped", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("work_items", sa.Column("quota", sa.Float()))
    op.add_column("work_items", sa.Column("platform_id", sa.BigInteger()))
    _let_no_mark_be_open_twice()
    # Courses of no school are shadows from now on; these were shown until now.
    op.execute("UPDATE courses SET mode = 'published' WHERE school_id IS NULL")
    # Courses that have marks had their first push; whoever let it happen is not known.
    op.execute(
        "UPDATE courses SET agreed_by = 'before this was asked', agreed_at = "
        "(SELECT MIN(passback_marks.confirmed_at) FROM passback_marks "
        "JOIN passback_columns ON passback_columns.id = passback_marks.column_id "
        "WHERE passback_columns.course_id = courses.id)"
        " WHERE id IN (SELECT course_id FROM passback_columns JOIN passback_marks "
        "ON passback_marks.column_id = passback_columns.id)"
    )
    # Which marks are out of date was not kept before: any may be.
    op.execute("INSERT INTO passback_due_courses (course_id, token) SELECT id, 0 FROM courses")


def _let_no_mark_be_open_twice() -> None:
    """Of each mark at most one letter is wanted and one sent; of several the newest stays."""
    op.execute(
        "UPDATE outbox SET state = 'superseded', reason = 'A newer one was under way, too.' "
        "WHERE state IN ('wanted', 'sent') AND id NOT IN (SELECT newest FROM ("
        "SELECT MAX(id) AS newest FROM outbox WHERE state IN ('wanted', 'sent') "
        "GROUP BY course_id, way, competency_id, learner_id, state) AS kept)"
    )
    op.create_index(
        "ux_outbox_open",
        "outbox",
        ["course_id", "way", "competency_id", "learner_id", "state"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
