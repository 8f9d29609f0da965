"""Mapping sets are drafted, published with a reason, and remember what they matched."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SAID = (("title", sa.String(255)), ("author", sa.String(255)), ("reason", sa.Text()))


def upgrade() -> None:
    for name, kind in _SAID:
        op.add_column("mapping_sets", sa.Column(name, kind, server_default="", nullable=False))
    op.add_column("mapping_sets", sa.Column("effective_from", sa.BigInteger(), nullable=True))
    op.add_column("mapping_sets", sa.Column("restored", sa.Integer(), nullable=True))
    op.add_column(
        "tenants",
        sa.Column("mapping_needs_second", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "mapping_drafts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("changed_by", sa.String(512), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("scheduled_by", sa.String(255), nullable=True),
        sa.Column("effective_from", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_mapping_drafts_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_drafts")),
    )
    op.create_index("ix_mapping_drafts_tenant_id", "mapping_drafts", ["tenant_id"])
    op.create_table(
        "mapping_draft_rules",
        sa.Column("id", _ID, nullable=False),
        sa.Column("draft_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("competency_id", _ID, nullable=False),
        *(
            sa.Column(name, sa.String(512), nullable=False)
            for name in ("course", "line_item", "category", "criterion")
        ),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["competency_id"],
            ["competencies.id"],
            name=op.f("fk_mapping_draft_rules_competency_id_competencies"),
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["mapping_drafts.id"],
            name=op.f("fk_mapping_draft_rules_draft_id_mapping_drafts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_draft_rules")),
    )
    op.create_index("ix_mapping_draft_rules_draft_id", "mapping_draft_rules", ["draft_id"])
    op.create_table(
        "mapping_matches",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("line_item_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(1024), nullable=False),
        sa.Column("criterion", sa.String(1024), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "line_item_id", name=op.f("pk_mapping_matches")),
    )


def downgrade() -> None:
    op.drop_table("mapping_matches")
    op.drop_index("ix_mapping_draft_rules_draft_id", table_name="mapping_draft_rules")
    op.drop_table("mapping_draft_rules")
    op.drop_index("ix_mapping_drafts_tenant_id", table_name="mapping_drafts")
    op.drop_table("mapping_drafts")
    with op.batch_alter_table("tenants") as table:
        table.drop_column("mapping_needs_second")
    with op.batch_alter_table("mapping_sets") as table:
        for name in ("restored", "effective_from", "reason", "author", "title"):
            table.drop_column(name)
