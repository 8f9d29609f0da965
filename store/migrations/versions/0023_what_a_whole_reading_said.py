"""Courses keep what their last whole reading said, as digests.

Until a course is read whole again it has none, and its cells are compared one by one as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("courses", sa.Column("whole_digest", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("courses", "whole_digest")
