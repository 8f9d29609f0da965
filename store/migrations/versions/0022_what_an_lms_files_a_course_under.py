"""Courses keep the account or category of their LMS, so that an administrator can say its school.

Until a course is listed again it has none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "courses", sa.Column("school_ref", sa.String(255), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("courses", "school_ref")
