"""Districts have words of their own, and may show how mastery works to everybody."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "district_words",
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("term", sa.String(32), nullable=False),
        sa.Column("singular", sa.String(64), nullable=False),
        sa.Column("plural", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_district_words_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "term", name=op.f("pk_district_words")),
    )
    op.create_table(
        "mastery_pages",
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_mastery_pages_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_mastery_pages")),
        sa.UniqueConstraint("token", name=op.f("uq_mastery_pages_token")),
    )


def downgrade() -> None:
    op.drop_table("mastery_pages")
    op.drop_table("district_words")
