"""Rows derived from others lose their foreign keys, each of which cost more than the row itself.

A history line is written with its standing, which keeps its keys; marks are of learners,
competencies and courses that were read a moment before. The previous release runs on without
them. PostgreSQL changes its catalogue only; SQLite copies the tables.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEYS = {
    "standing_changes": {
        "learner_id": "learners",
        "competency_id": "competencies",
        "mapping_set_id": "mapping_sets",
        "mastery_rule_id": "mastery_rules",
        "run_id": "runs",
    },
    "recompute_pairs": {"learner_id": "learners", "competency_id": "competencies"},
    "passback_due": {"course_id": "courses", "learner_id": "learners"},
}
_NAMED_BY_ROWS = frozenset({"recompute_pairs", "passback_due"})


def upgrade() -> None:
    for table, keys in _KEYS.items():
        with op.batch_alter_table(
            table, table_kwargs={"sqlite_with_rowid": table not in _NAMED_BY_ROWS}
        ) as batch:
            for column, target in keys.items():
                batch.drop_constraint(f"fk_{table}_{column}_{target}", type_="foreignkey")
