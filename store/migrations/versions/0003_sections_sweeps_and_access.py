"""Sections, full sweeps, a passback way for one course, Canvas users' access, earlier attempts."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name, kind in (
        ("oauth_client_id", sa.String(255)),
        ("oauth_client_secret", sa.Text()),
        ("oauth_refresh_token", sa.Text()),
        ("oauth_user", sa.String(255)),
    ):
        op.add_column("platforms", sa.Column(name, kind, nullable=False, server_default=""))
    op.add_column("platforms", sa.Column("oauth_authorized_at", Instant))
    op.add_column("platforms", sa.Column("oauth_revoked_at", Instant))
    op.add_column("courses", sa.Column("swept_at", Instant))
    op.add_column("courses", sa.Column("gone_at", Instant))
    op.add_column("courses", sa.Column("aligned_to", sa.String(64)))
    op.add_column("courses", sa.Column("passback_way", sa.String(32)))
    op.add_column("courses", sa.Column("counted_from", Instant))
    op.add_column("courses", sa.Column("previewed_at", Instant))
    op.create_table(
        "sections",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("course_id", _BIG_ID, nullable=False),
        sa.Column("ref", sa.String(255), nullable=False),
        sa.Column("title", sa.String(512), nullable=False),
        sa.Column("sis_id", sa.String(255)),
        sa.Column("is_group", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_sections_course_id_courses")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint("course_id", "ref", name=op.f("uq_sections_course_id_ref")),
    )
    op.create_table(
        "section_members",
        sa.Column("section_id", _BIG_ID, nullable=False),
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["section_id"], ["sections.id"], name=op.f("fk_section_members_section_id_sections")
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_section_members_learner_id_learners")
        ),
        sa.PrimaryKeyConstraint("section_id", "learner_id", name=op.f("pk_section_members")),
    )
    op.create_index("ix_section_members_learner_id", "section_members", ["learner_id"])
    op.create_table(
        "work_notes",
        sa.Column("work_item_id", _BIG_ID, nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_item_id"],
            ["work_items.id"],
            name=op.f("fk_work_notes_work_item_id_work_items"),
        ),
        sa.PrimaryKeyConstraint("work_item_id", "cause", name=op.f("pk_work_notes")),
    )
    op.create_table(
        "earlier_attempts",
        sa.Column("line_item_id", _BIG_ID, nullable=False),
        sa.Column("learner_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Float()),
        sa.Column("submitted_at", Instant),
        sa.Column("graded_at", Instant),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_item_id"],
            ["line_items.id"],
            name=op.f("fk_earlier_attempts_line_item_id_line_items"),
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_earlier_attempts_learner_id_learners")
        ),
        sa.PrimaryKeyConstraint(
            "line_item_id", "learner_id", "number", name=op.f("pk_earlier_attempts")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_earlier_attempts_learner_id", "earlier_attempts", ["learner_id"])
    op.add_column("enrolments", sa.Column("account_ref", sa.String(255)))
    # Until now a learner had one account on a platform; the least is as good as any other.
    op.execute(
        "UPDATE enrolments SET account_ref = (SELECT min(a.ref) FROM learner_accounts a "
        "JOIN courses c ON c.platform_id = a.platform_id "
        "WHERE c.id = enrolments.course_id AND a.learner_id = enrolments.learner_id)"
    )
