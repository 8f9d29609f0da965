"""The trail of changes takes in frameworks, mappings and rules, whatever is said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WIDER = (
    ("kind", sa.String(16), sa.String(32)),
    *((one, sa.String(64), sa.Text()) for one in ("before", "after")),
)


def upgrade() -> None:
    with op.batch_alter_table("policy_changes") as table:
        table.add_column(sa.Column("subject", sa.Text(), server_default="", nullable=False))
        for name, narrow, wide in _WIDER:
            table.alter_column(name, existing_type=narrow, type_=wide, existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("policy_changes") as table:
        for name, narrow, wide in _WIDER:
            table.alter_column(name, existing_type=wide, type_=narrow, existing_nullable=False)
        table.drop_column("subject")
