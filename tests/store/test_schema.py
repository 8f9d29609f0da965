import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import select

from store import schema
from store.session import open_engine, writing
from store.tables import attempt_events, from_micros, metadata, recompute_queue


def test_upgrading_from_empty_gives_the_tables_of_the_metadata(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        differences = compare_metadata(context, metadata)

    assert differences == []


def test_a_migrated_database_is_current(engine):
    assert schema.is_current(engine)


def test_migrating_twice_changes_nothing(engine):
    schema.migrate(engine)

    assert schema.is_current(engine)


@pytest.fixture
def before_0004(tmp_path):
    """A database of the release before rules had scopes, with a learner and an attempt."""
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    _upgrade(engine, "0003")
    with writing(engine) as connection:
        for statement in _OLD_ROWS:
            connection.exec_driver_sql(statement)
    yield engine
    engine.dispose()


def _upgrade(engine, revision):
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", "store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


_OLD_ROWS = (
    "INSERT INTO tenants VALUES (1, 'District', 'UTC')",
    (
        "INSERT INTO platforms (id, tenant_id, kind, name, issuer, client_id, auth_url, token_url, "
        "jwks_url, api_url, api_token, is_active) "
        "VALUES (1, 1, 'canvas', 'Canvas', 'i', 'c', '', '', '', '', '', 1)"
    ),
    (
        "INSERT INTO courses (id, tenant_id, platform_id, ref, title, code, state) "
        "VALUES (1, 1, 1, 'c1', 'Algebra', 'ALG', 'active')"
    ),
    (
        "INSERT INTO line_items (id, course_id, ref, title, category, grading, minimum, maximum, "
        "is_published, is_removed) VALUES (1, 1, 'quiz', 'Quiz', '', 'points', 0, 10, 1, 0)"
    ),
    "INSERT INTO learners VALUES (1, 1, 'a', 'Ada', 'Ada'), (2, 1, 'b', 'Bo', 'Bo')",
    "INSERT INTO recompute_queue VALUES (2, 77)",
    "INSERT INTO earlier_attempts VALUES (1, 1, 1, 4.0, NULL, NULL, 0)",
    (
        "INSERT INTO score_events (line_item_id, learner_id, state, points, points_deducted, "
        "attempt, is_visible, is_late, is_overridden, recorded_at) "
        "VALUES (1, 1, 1, 7.0, 0, 2, 1, 0, 0, 55)"
    ),
)


def test_attempts_kept_before_are_among_the_events_by_when_their_cell_was_last_read(before_0004):
    _upgrade(before_0004, "head")

    with before_0004.connect() as connection:
        (row,) = connection.execute(select(attempt_events)).all()
    assert (row.number, row.points, row.recorded_at) == (1, 4.0, from_micros(55))


def test_learners_from_before_are_computed_once_more_and_marks_that_wait_stay(before_0004):
    _upgrade(before_0004, "head")

    with before_0004.connect() as connection:
        found = dict(connection.execute(select(recompute_queue)).all())
    assert found == {1: 0, 2: 77}
