"""Administrators of LMSs, and what each of them may change."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "administrators",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("platform_id", _BIG_ID, nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16)),
        sa.Column("school_id", _BIG_ID),
        sa.Column("first_seen_at", Instant, nullable=False),
        sa.Column("last_seen_at", Instant, nullable=False),
        sa.Column("chosen_by", sa.String(255), server_default="", nullable=False),
        sa.Column("chosen_at", Instant),
        *(
            sa.ForeignKeyConstraint(
                [f"{one}_id"], [f"{one}s.id"], name=op.f(f"fk_administrators_{one}_id_{one}s")
            )
            for one in ("tenant", "platform", "school")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_administrators")),
        sa.UniqueConstraint(
            "tenant_id",
            "platform_id",
            "subject",
            name=op.f("uq_administrators_tenant_id_platform_id_subject"),
        ),
    )


def downgrade() -> None:
    op.drop_table("administrators")
