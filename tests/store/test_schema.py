from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from store import schema
from store.tables import metadata


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
