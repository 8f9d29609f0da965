"""Cells, attempts and events lose their foreign keys, which cost three times the rows.

A cell is of a column and a learner of the course that its writer holds, whose rows are never
deleted; and every event of a night locked the one row of its run, which workers then waited
for. The previous release runs on without them. PostgreSQL changes its catalogue only; SQLite
copies the tables.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEYS = {
    "scores": {"line_item_id": "line_items", "learner_id": "learners"},
    "score_events": {"line_item_id": "line_items", "learner_id": "learners", "run_id": "runs"},
    "earlier_attempts": {"line_item_id": "line_items", "learner_id": "learners"},
    "attempt_events": {"line_item_id": "line_items", "learner_id": "learners", "run_id": "runs"},
}
_WITHOUT_ROWID = frozenset({"scores", "earlier_attempts"})


def upgrade() -> None:
    for table, keys in _KEYS.items():
        with op.batch_alter_table(
            table, table_kwargs={"sqlite_with_rowid": table not in _WITHOUT_ROWID}
        ) as batch:
            for column, target in keys.items():
                batch.drop_constraint(f"fk_{table}_{column}_{target}", type_="foreignkey")
