"""Changes of rules that wait for another administrator's yes, and what became of them."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rule_proposals",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("effective_from", Instant),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("author_key", sa.String(512), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_at", Instant, nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("decided_by", sa.String(255), server_default="", nullable=False),
        sa.Column("decided_at", Instant),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_rule_proposals_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_proposals")),
    )
    op.create_index("ix_rule_proposals_tenant_id", "rule_proposals", ["tenant_id"])


def downgrade() -> None:
    op.drop_index("ix_rule_proposals_tenant_id", table_name="rule_proposals")
    op.drop_table("rule_proposals")
