"""Gradebook cells, their events and attempts in half the space.

Each table is written anew beside the old one and takes its place; keys and indexes are made when
it is full. While that goes on the tables are locked: the previous release must not run, and disk
is needed for both.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CELL = (
    *("points", "points_deducted", "line_item_id", "learner_id", "submitted_at", "graded_at"),
    *("attempt", "flags"),
)
_ATTEMPT = (
    *("points", "line_item_id", "learner_id", "submitted_at", "graded_at", "number", "is_late"),
)
_RETRIED = 64
_LAST_SECOND = 2**31 - 1
_LAST_ATTEMPT = 2**15 - 1
_KINDS: dict[str, Any] = {
    "points": sa.Float(),
    "points_deducted": sa.Float(),
    "line_item_id": sa.Integer(),
    "learner_id": sa.Integer(),
    "submitted_at": sa.Integer(),
    "graded_at": sa.Integer(),
    "attempt": sa.SmallInteger(),
    "number": sa.SmallInteger(),
    "flags": sa.SmallInteger(),
    "is_late": sa.Boolean(),
    "id": _BIG_ID,
    "recorded_at": sa.BigInteger(),
    "run_id": sa.Integer(),
}
_ABSENT = frozenset({"points", "points_deducted", "submitted_at", "graded_at", "run_id"})
_TO = {"line_item_id": "line_items", "learner_id": "learners", "run_id": "runs"}


def _second(name: str) -> str:
    """Whole seconds since 2000 of microseconds since 1970; the last there is for what is later."""
    second = f"{name} / 1000000 - 946684800"
    return (
        f"CASE WHEN {second} > {_LAST_SECOND} THEN {_LAST_SECOND} "
        f"WHEN {second} < -{_LAST_SECOND} THEN -{_LAST_SECOND} ELSE {second} END"
    )


def _bit(name: str, bit: int) -> str:
    return f"CASE WHEN {name} THEN {bit} ELSE 0 END"


def _bounded(name: str) -> str:
    return f"CASE WHEN {name} > {_LAST_ATTEMPT} THEN {_LAST_ATTEMPT} ELSE {name} END"


_MADE_OF = {
    "points_deducted": "NULLIF(points_deducted, 0)",
    "submitted_at": _second("submitted_at"),
    "graded_at": _second("graded_at"),
    "attempt": _bounded("attempt"),
    "number": _bounded("number"),
    "flags": " + ".join(
        ("state", _bit("is_visible", 8), _bit("is_late", 16), _bit("is_overridden", 32))
    ),
}


def upgrade() -> None:
    _write_anew("scores", _CELL, key=("line_item_id", "learner_id"), index=("learner_id",))
    _write_anew(
        "earlier_attempts",
        _ATTEMPT,
        key=("line_item_id", "learner_id", "number"),
        index=("learner_id",),
    )
    for table, said in (("score_events", _CELL), ("attempt_events", _ATTEMPT)):
        _write_anew(
            table,
            ("id", "recorded_at", *said, "run_id"),
            key=("id",),
            index=("learner_id", "line_item_id"),
        )
    op.execute(
        f"UPDATE scores SET flags = flags | {_RETRIED} WHERE EXISTS (SELECT 1 FROM score_events e "  # noqa: S608 - our names
        "WHERE e.learner_id = scores.learner_id AND e.line_item_id = scores.line_item_id "
        "AND e.attempt <> scores.attempt)"
    )


def _write_anew(
    table: str, columns: tuple[str, ...], *, key: tuple[str, ...], index: tuple[str, ...]
) -> None:
    beside = f"{table}_beside"
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite takes no constraint later; in PostgreSQL the old ones still have the names.
    constraints = _constraints(table, columns, key) if is_sqlite else ()
    op.create_table(
        beside,
        *(_column(name, is_key=name in key) for name in columns),
        *constraints,
        sqlite_with_rowid=key == ("id",),
    )
    made = ", ".join(_MADE_OF.get(name, name) for name in columns)
    # Along the key, so that a course's cells lie side by side.
    op.execute(
        f"INSERT INTO {beside} ({', '.join(columns)}) SELECT {made} FROM {table} "  # noqa: S608 - our names
        f"ORDER BY {', '.join(key)}"
    )
    op.drop_table(table)
    op.rename_table(beside, table)
    if not is_sqlite:
        _bind(table, columns, key)
    op.create_index(f"ix_{table}_{'_'.join(index)}", table, list(index))


def _column(name: str, *, is_key: bool) -> sa.Column[Any]:
    return sa.Column(
        name, _KINDS[name], nullable=name in _ABSENT and not is_key, autoincrement=False
    )


def _constraints(table: str, columns: tuple[str, ...], key: tuple[str, ...]) -> list[sa.Constraint]:
    return [
        *(
            sa.ForeignKeyConstraint([name], [f"{_TO[name]}.id"], name=_foreign(table, name))
            for name in columns
            if name in _TO
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    ]


def _foreign(table: str, name: str) -> str:
    return op.f(f"fk_{table}_{name}_{_TO[name]}")


def _bind(table: str, columns: tuple[str, ...], key: tuple[str, ...]) -> None:
    op.create_primary_key(op.f(f"pk_{table}"), table, list(key))
    for name in columns:
        if name in _TO:
            op.create_foreign_key(_foreign(table, name), table, _TO[name], [name], ["id"])
    if key == ("id",):
        op.execute(f"CREATE SEQUENCE {table}_id_seq OWNED BY {table}.id")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')")
        op.execute(
            f"SELECT setval('{table}_id_seq', COALESCE(MAX(id), 0) + 1, false) FROM {table}"  # noqa: S608 - our names
        )
