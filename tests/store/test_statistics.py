"""What PostgreSQL knows of tables: looked at again where much was written, and only there."""

import time

import pytest
from sqlalchemy import text

from store import statistics
from store.session import reading, writing
from tests.conftest import empty
from tests.store.places import new_tenant

_FLUSHED_SECONDS = 10.0


@pytest.fixture
def filled(postgres_engine):
    """A database with a table that has grown, at which PostgreSQL does not look by itself."""
    engine = postgres_engine
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE learners SET (autovacuum_enabled = false)"))
        connection.execute(text("ANALYZE learners"))
        tenant = new_tenant(connection)
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO learners (tenant_id, name, sort_name)"
                " SELECT :tenant, 'L', 'L' FROM generate_series(1, 3000)"
            ),
            {"tenant": tenant},
        )
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    yield engine
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE learners RESET (autovacuum_enabled)"))
    empty(engine)


def rows_thought(engine):
    with reading(engine) as connection:
        asked = "SELECT reltuples FROM pg_class WHERE relname = 'learners'"
        return max(0, connection.execute(text(asked)).scalar_one())


def look(engine, patience=_FLUSHED_SECONDS):
    """What was looked at, once the server has told of what was written."""
    deadline = time.monotonic() + patience
    while True:
        with writing(engine) as connection:
            found = statistics.look_again(connection)
        if "learners" in found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_a_table_of_which_much_was_written_is_looked_at(filled):
    before = rows_thought(filled)

    assert "learners" in look(filled)

    assert rows_thought(filled) == before + 3000
    assert "learners" not in look(filled, patience=0.0)


def test_one_that_somebody_else_holds_is_passed_over_and_nobody_waits(filled):
    before = rows_thought(filled)
    with writing(filled) as other:
        other.execute(text("LOCK TABLE learners IN SHARE UPDATE EXCLUSIVE MODE"))

        assert "learners" in look(filled)

    assert rows_thought(filled) == before


def test_sqlite_is_not_asked(sqlite_engine):
    with writing(sqlite_engine) as connection:
        assert statistics.look_again(connection) == ()
