"""Digests of standings, and standings without foreign keys.

A digest spares a night the reading of standings that came out as they are kept; of whom there is
none, the standings are read and compared, and it is written then.

Standings lose their foreign keys as their history did: checking them took 60 % of the time of
writing new ones. They are derived from scores of learners and alignments to competencies, which
keep their own, and neither learners nor competencies are ever deleted. PostgreSQL changes its
catalogue only; SQLite copies the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEYS = {"learner_id": "learners", "competency_id": "competencies"}
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "standing_digests",
        sa.Column("learner_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("high", sa.BigInteger()),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("learner_id", name=op.f("pk_standing_digests")),
    )
    with op.batch_alter_table("standings", table_kwargs={"sqlite_with_rowid": False}) as batch:
        for column, target in _KEYS.items():
            batch.drop_constraint(f"fk_standings_{column}_{target}", type_="foreignkey")
