"""Keys that rotate, platforms that are invited, suspended or pending, deployments that ask."""

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("platforms", sa.Column("suspended_at", Instant))
    op.add_column("platforms", sa.Column("pinned_kid", sa.String(64)))
    op.add_column(
        "platforms", sa.Column("audience", sa.String(1024), nullable=False, server_default="")
    )
    op.add_column(
        "deployments", sa.Column("about", sa.String(512), nullable=False, server_default="")
    )
    op.add_column("deployments", sa.Column("requested_at", Instant))
    op.add_column("tool_keys", sa.Column("signs_from", Instant))
    op.add_column("tool_keys", sa.Column("retired_at", Instant))
    op.create_table(
        "invitations",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("issuer", sa.String(512), nullable=False),
        sa.Column("api_url", sa.String(1024), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("used_at", Instant),
        sa.Column("platform_id", _BIG_ID),
        sa.CheckConstraint("kind IN ('canvas', 'moodle')", name=op.f("ck_invitations_kind")),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], name=op.f("fk_invitations_platform_id_platforms")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id_tenants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_invitations_token_digest")),
    )
