"""Mapping rules may name a school, go by what the LMS links work to, and take scores by steps.

A rule of the latter kind names a framework and no competency: the previous release, which asks
for both at once, passes it over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("mapping_rules", "mapping_draft_rules")


def upgrade() -> None:
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.alter_column("competency_id", existing_type=_ID, nullable=True)
            table.add_column(sa.Column("framework_id", _ID, nullable=True))
            table.add_column(sa.Column("school", sa.String(512), server_default="", nullable=False))
            table.add_column(sa.Column("steps", sa.String(64), server_default="", nullable=False))
            table.create_foreign_key(
                op.f(f"fk_{name}_framework_id_frameworks"), "frameworks", ["framework_id"], ["id"]
            )
    op.add_column(
        "alignments", sa.Column("steps", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("line_items", sa.Column("links", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("line_items") as table:
        table.drop_column("links")
    with op.batch_alter_table("alignments") as table:
        table.drop_column("steps")
    for name in reversed(_TABLES):
        rows = sa.table(name, sa.column("competency_id"))
        op.execute(sa.delete(rows).where(rows.c.competency_id.is_(None)))
        with op.batch_alter_table(name) as table:
            table.drop_constraint(op.f(f"fk_{name}_framework_id_frameworks"), type_="foreignkey")
            table.drop_column("steps")
            table.drop_column("school")
            table.drop_column("framework_id")
            table.alter_column("competency_id", existing_type=_ID, nullable=False)
