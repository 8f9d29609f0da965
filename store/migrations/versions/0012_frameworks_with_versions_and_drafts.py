"""Frameworks keep their versions, drafts, indicators and where they came from."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "frameworks",
        sa.Column("is_local", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("frameworks", sa.Column("archived_at", Instant))
    for name, length in (("address", 1024), ("etag", 255), ("last_modified", 64)):
        op.add_column(
            "frameworks", sa.Column(name, sa.String(length), server_default="", nullable=False)
        )
    op.add_column(
        "competencies",
        sa.Column("is_shelved", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "competency_indicators",
        sa.Column("competency_id", _BIG_ID, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competency_id"],
            ["competencies.id"],
            name=op.f("fk_competency_indicators_competency_id_competencies"),
        ),
        sa.PrimaryKeyConstraint(
            "competency_id", "level", "language", name=op.f("pk_competency_indicators")
        ),
    )
    op.create_table(
        "framework_versions",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("framework_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("source", sa.String(1024), nullable=False),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("added", "changed", "archived", "restored")
        ),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["framework_id"],
            ["frameworks.id"],
            name=op.f("fk_framework_versions_framework_id_frameworks"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework_versions")),
        sa.UniqueConstraint(
            "framework_id", "number", name=op.f("uq_framework_versions_framework_id_number")
        ),
    )
    op.create_table(
        "framework_drafts",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_framework_drafts_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework_drafts")),
    )
    op.create_index("ix_framework_drafts_tenant_id", "framework_drafts", ["tenant_id"])
    op.create_table(
        "vague_verbs",
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("verbs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_vague_verbs_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "language", name=op.f("pk_vague_verbs")),
    )


def downgrade() -> None:
    for name in (
        "vague_verbs",
        "framework_drafts",
        "framework_versions",
        "competency_indicators",
    ):
        op.drop_table(name)
    with op.batch_alter_table("competencies") as table:
        table.drop_column("is_shelved")
    with op.batch_alter_table("frameworks") as table:
        for name in ("last_modified", "etag", "address", "archived_at", "is_local"):
            table.drop_column(name)
