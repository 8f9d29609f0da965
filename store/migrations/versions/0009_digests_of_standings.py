"""Digests of standings, so that a night need not read those that came out as they are kept.

Derived rows, without foreign keys as the standings' own history: without a digest a learner's
standings are read and compared, and it is written then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "standing_digests",
        sa.Column("learner_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("high", sa.BigInteger()),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("learner_id", name=op.f("pk_standing_digests")),
    )
