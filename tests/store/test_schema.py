from datetime import timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import insert, select

from mapping.records import WHATEVER_IS_LINKED, ScoreState
from store import schema
from store.alignments import rules_in_force
from store.course_cells import kept_scores
from store.packing import EPOCH_2000, RETRIED, flags
from store.session import open_engine, writing
from store.tables import (
    attempt_events,
    earlier_attempts,
    from_micros,
    metadata,
    recompute_queue,
    score_events,
    standing_changes,
)
from tests.store.places import new_tenant, publish, rule


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
    _move(engine, command.upgrade, revision)


def _move(engine, act, revision):
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", "store:migrations")
        config.attributes["connection"] = connection
        act(config, revision)


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


_PLACES_0005 = (
    "INSERT INTO tenants (id, name, timezone) VALUES (1, 'District', 'UTC')",
    (
        "INSERT INTO platforms (id, tenant_id, kind, name, issuer, client_id, auth_url, token_url, "
        "jwks_url, api_url, api_token, is_active) "
        "VALUES (1, 1, 'canvas', 'Canvas', 'i', 'c', '', '', '', '', '', true)"
    ),
    (
        "INSERT INTO courses (id, tenant_id, platform_id, ref, title, code, state) "
        "VALUES (1, 1, 1, 'c1', 'Algebra', 'ALG', 'active')"
    ),
    (
        "INSERT INTO line_items (id, course_id, ref, title, category, grading, minimum, maximum, "
        "is_published, is_removed) VALUES (1, 1, 'quiz', 'Quiz', '', 'points', 0, 10, true, false)"
    ),
    (
        "INSERT INTO learners (id, tenant_id, name, sort_name) "
        "VALUES (1, 1, 'Ada', 'Ada'), (2, 1, 'Bo', 'Bo')"
    ),
    (
        "INSERT INTO runs (id, tenant_id, cause, is_full, phase, started_at) "
        "VALUES (9, 1, 'night', false, 'done', 0)"
    ),
)
_2000 = 946_684_800_000_000
_GRADED = f"1, 1, 1, 7.25, 0.5, 40000, true, true, false, {_2000 + 5_999_999}, {_2000 - 60_000_000}"
_MISSING = f"1, 2, 3, NULL, 0, 0, false, false, true, NULL, {2**62}"
_SAID = (
    "line_item_id, learner_id, state, points, points_deducted, attempt, is_visible, is_late, "
    "is_overridden, submitted_at, graded_at"
)
_TRIED = "line_item_id, learner_id, number, points, submitted_at, graded_at, is_late"
_ONE_TRY = f"1, 1, 1, 4.0, {_2000}, NULL, true"
_CELLS_0005 = tuple(
    f"INSERT INTO {table} VALUES {rows}"  # noqa: S608 - our own words
    for table, rows in (
        (f"scores ({_SAID})", f"({_GRADED}), ({_MISSING})"),
        (
            f"score_events ({_SAID}, recorded_at, run_id)",
            f"({_GRADED}, 55, 9), ({_MISSING}, 56, NULL)",
        ),
        (f"earlier_attempts ({_TRIED})", f"({_ONE_TRY})"),
        (f"attempt_events ({_TRIED}, recorded_at, run_id)", f"({_ONE_TRY}, 55, 9)"),
    )
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def before_0006(request, tmp_path):
    """A database of the release before cells were packed, with cells that say a lot."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_engine")
        url = server.url.set(database="before_0006").render_as_string(hide_password=False)
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS before_0006")
            connection.exec_driver_sql("CREATE DATABASE before_0006")
    engine = open_engine(url)
    _upgrade(engine, "0005")
    with writing(engine) as connection:
        for statement in (*_PLACES_0005, *_CELLS_0005):
            connection.exec_driver_sql(statement)
    yield engine
    engine.dispose()


def _rows(engine, table):
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(table.c.learner_id)).mappings()
        return [dict(row) for row in found]


def _cells(engine):
    with engine.connect() as connection:
        return kept_scores(connection, 1)


_PACKED = (
    {
        "line_item_id": 1,
        "learner_id": 1,
        "points": 7.25,
        "points_deducted": 0.5,
        "submitted_at": EPOCH_2000 + timedelta(seconds=5),
        "graded_at": EPOCH_2000 - timedelta(seconds=60),
        "attempt": 2**15 - 1,
        "flags": flags(ScoreState.GRADED, is_visible=True, is_late=True),
    },
    {
        "line_item_id": 1,
        "learner_id": 2,
        "points": None,
        "points_deducted": None,
        "submitted_at": None,
        "graded_at": EPOCH_2000 + timedelta(seconds=2**31 - 1),
        "attempt": 0,
        "flags": flags(ScoreState.MISSING, is_visible=False, is_overridden=True),
    },
)
_ATTEMPT = {
    "line_item_id": 1,
    "learner_id": 1,
    "number": 1,
    "points": 4.0,
    "submitted_at": EPOCH_2000,
    "graded_at": None,
    "is_late": True,
}


def test_cells_say_after_they_were_packed_what_they_said_before(before_0006):
    _upgrade(before_0006, "head")

    assert _cells(before_0006) == list(_PACKED)
    assert _rows(before_0006, earlier_attempts) == [_ATTEMPT]


def test_cells_are_the_same_in_the_release_before_and_back_again(before_0006):
    _upgrade(before_0006, "head")

    _move(before_0006, command.downgrade, "0023")
    with before_0006.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM scores ORDER BY learner_id").all()
    _upgrade(before_0006, "head")

    assert rows == [
        (7.25, 0.5, 1, 1, 5, -60, 2**15 - 1, _PACKED[0]["flags"]),
        (None, None, 1, 2, None, 2**31 - 1, 0, _PACKED[1]["flags"]),
    ]
    assert _cells(before_0006) == list(_PACKED)


def test_cells_that_were_of_another_attempt_once_are_known_after_they_were_packed(before_0006):
    other = _MISSING.replace("3, NULL, 0, 0,", "1, 2.0, 0, 1,")
    with writing(before_0006) as connection:
        connection.exec_driver_sql(
            f"INSERT INTO score_events ({_SAID}, recorded_at) VALUES ({other}, 50)"  # noqa: S608 - our own words
        )

    _upgrade(before_0006, "head")

    first, second = _cells(before_0006)
    assert (first["flags"] & RETRIED, second["flags"] & RETRIED) == (0, RETRIED)


def test_a_history_is_the_same_without_its_foreign_keys(before_0006):
    with writing(before_0006) as connection:
        for statement in _HISTORY_0005:
            connection.exec_driver_sql(statement)

    _upgrade(before_0006, "head")

    (row,) = _rows(before_0006, standing_changes)
    assert (row["id"], row["learner_id"], row["status"], row["at"]) == (7, 1, 4, from_micros(55))


_HISTORY_0005 = (
    (
        "INSERT INTO frameworks (id, tenant_id, identifier, title, creator, language, licence, "
        "attribution) VALUES (1, 1, 'F', '', '', '', '', '')"
    ),
    (
        "INSERT INTO competencies (id, framework_id, identifier, code, statement, indicator, "
        "position, is_strand, is_archived) VALUES (1, 1, 'n', 'N', '', '', 0, false, false)"
    ),
    (
        "INSERT INTO mapping_sets (id, tenant_id, version, digest, published_at) "
        "VALUES (1, 1, 1, '', 0)"
    ),
    (
        "INSERT INTO mastery_rules (id, tenant_id, version, digest, definition, effective_from) "
        "VALUES (1, 1, 1, '', '{}', 0)"
    ),
    (
        "INSERT INTO standing_changes (id, learner_id, competency_id, view, status, "
        "evidence_count, mastered_count, at, mapping_set_id, mastery_rule_id, run_id) "
        "VALUES (7, 1, 1, 0, 4, 2, 1, 55, 1, 1, 9)"
    ),
)


def test_events_keep_their_numbers_and_moments_when_they_are_packed(before_0006):
    _upgrade(before_0006, "head")

    first, second = _rows(before_0006, score_events)
    assert first == {**_PACKED[0], "id": 1, "recorded_at": from_micros(55), "run_id": 9}
    assert second == {**_PACKED[1], "id": 2, "recorded_at": from_micros(56), "run_id": None}
    assert _rows(before_0006, attempt_events) == [
        {**_ATTEMPT, "id": 1, "recorded_at": from_micros(55), "run_id": 9}
    ]


def test_events_after_the_packing_are_numbered_on(before_0006):
    _upgrade(before_0006, "head")

    with writing(before_0006) as connection:
        for table, row in ((score_events, _PACKED[0]), (attempt_events, _ATTEMPT)):
            connection.execute(insert(table), [{**row, "recorded_at": from_micros(77)}])

    assert max(row["id"] for row in _rows(before_0006, score_events)) == 3
    assert max(row["id"] for row in _rows(before_0006, attempt_events)) == 2


def test_a_packed_database_has_the_tables_of_the_metadata(before_0006):
    _upgrade(before_0006, "head")

    with before_0006.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_going_back_leaves_out_rules_that_the_release_before_cannot_tell(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    schema.migrate(engine)
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        publish(connection, tenant, rule("N.1", school="x"), rule(WHATEVER_IS_LINKED))

    _move(engine, command.downgrade, "0017")
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT position, kind FROM mapping_rules").all()
    _upgrade(engine, "head")

    with engine.connect() as connection:
        assert rules_in_force(connection, tenant) == (rule("N.1"),)
    assert kept == [(0, "skill")]
    engine.dispose()
