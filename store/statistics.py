"""What PostgreSQL knows of how its tables are filled, brought up to date within a night.

It looks by itself once a minute. A night writes more than a table held in less, and what is asked
next is planned by what was true before: joins then go row by row.
"""

from sqlalchemy import Connection, text

from store.tables import metadata

# As much as has PostgreSQL look by itself: autovacuum_analyze_threshold and _scale_factor.
_OUTGROWN = text(
    "SELECT relname FROM pg_stat_user_tables WHERE schemaname = current_schema()"
    " AND n_mod_since_analyze > 50 + 0.1 * n_live_tup ORDER BY relname"
)


def look_again(connection: Connection) -> tuple[str, ...]:
    """Have PostgreSQL look at our tables of which a tenth was written since it looked last.

    One that somebody else holds is passed over. SQLite plans without looking.

    Args:
        connection: A transaction.

    Returns:
        Their names.

    Source: PostgreSQL 15, ANALYZE; The Cumulative Statistics System, pg_stat_all_tables.
    """
    if connection.dialect.name != "postgresql":
        return ()
    found = connection.execute(_OUTGROWN).scalars()
    names = tuple(name for name in found if name in metadata.tables)
    for name in names:
        connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {name}")
    return names
