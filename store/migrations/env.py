"""Alembic's entry: migrates over the connection that ``store.schema`` hands it."""

from alembic import context

from store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=False,
)
# The caller's transaction is the migration's: it commits whole or not at all.
context.run_migrations()
