"""Transactions alike on both databases."""

import time

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from mapping.records import LearnerRef
from store import tenants
from store.secrets import SealBroken, SecretBox
from store.session import chunks, lock, open_engine, reading, upsert, writing
from store.tables import guardianships
from store.tables import tenants as tenant_rows
from tests.store.places import enrol, new_tenant


def test_what_is_written_is_there_for_the_next(engine):
    with writing(engine) as connection:
        new_tenant(connection, "District", "Europe/Oslo")

    with reading(engine) as connection:
        (found,) = tenants.all_tenants(connection)
    assert (found.name, found.timezone) == ("District", "Europe/Oslo")


def test_a_transaction_that_breaks_writes_nothing(engine):
    def broken():
        with writing(engine) as connection:
            new_tenant(connection)
            raise LookupError

    with pytest.raises(LookupError):
        broken()

    with reading(engine) as connection:
        assert tenants.all_tenants(connection) == ()


def test_a_lock_can_be_taken_twice_by_its_holder(db):
    lock(db, "course", 1)
    lock(db, "course", 1)

    assert db.execute(select(func.count()).select_from(tenant_rows)).scalar() == 0


def test_a_row_that_is_there_takes_the_other_columns_of_the_new_one(db):
    for zone in ("UTC", "Europe/Oslo"):
        upsert(db, tenant_rows, [{"name": "District", "timezone": zone}], keys=("name",))

    assert [tenant.timezone for tenant in tenants.all_tenants(db)] == ["Europe/Oslo"]


def test_a_row_whose_every_column_is_a_key_may_be_kept_twice(db, algebra):
    learner = enrol(db, algebra, "ada")[LearnerRef("ada")]
    row = {"course_id": algebra, "guardian_ref": "g", "learner_id": learner}

    for _ in range(2):
        upsert(db, guardianships, [row], keys=tuple(row))

    assert len(db.execute(select(guardianships)).all()) == 1


def test_no_rows_are_nothing_to_keep(db):
    upsert(db, tenant_rows, [], keys=("name",))

    assert tenants.all_tenants(db) == ()


def test_chunks_hold_everything_once_and_are_short_enough():
    parts = list(chunks(list(range(7)), 3))

    assert parts == [[0, 1, 2], [3, 4, 5], [6]]


def test_learners_and_deployments_of_a_tenant_are_its_own(db, district, canvas):
    assert tenants.all_learners(db, district) == ()
    assert tenants.approved_deployments(db, canvas) == ()


def test_what_was_sealed_is_opened_with_the_same_key_only():
    sealed = SecretBox("one key").seal("token")

    assert SecretBox("one key").open(sealed) == "token"
    assert "token" not in sealed
    with pytest.raises(SealBroken, match="WAYMARK_SECRET_KEY"):
        SecretBox("another key").open(sealed)


def test_of_many_rows_that_name_one_the_last_holds(db):
    zones = [("A", "UTC"), ("B", "UTC"), ("C", "UTC"), ("A", "Europe/Oslo"), ("D", "UTC")]
    rows = [{"name": name, "timezone": zone} for name, zone in zones]

    upsert(db, tenant_rows, rows, keys=("name",))

    found = {tenant.name: tenant.timezone for tenant in tenants.all_tenants(db)}
    assert found == {"A": "Europe/Oslo", "B": "UTC", "C": "UTC", "D": "UTC"}


@pytest.mark.postgres
def test_the_database_gives_up_on_a_machine_that_was_cut_off_in_a_transaction(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite is on no other machine")

    with reading(engine) as connection:
        shown = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()

    assert shown == "1min"


@pytest.mark.postgres
def test_a_database_url_may_say_how_soon_a_silent_server_is_given_up(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite is on no other machine")
    url = engine.url.update_query_dict({"keepalives_idle": "99"})

    patient = open_engine(url.render_as_string(hide_password=False))
    with patient.connect() as connection:
        parameters = connection.connection.driver_connection.info.get_parameters()
    patient.dispose()

    assert parameters["keepalives_idle"] == "99"
    assert parameters["tcp_user_timeout"] == "35000"


def _ended_while_idle(engine, seconds):
    """Ask by a connection of the pool that the server ended, so long after it was given back."""
    other = open_engine(engine.url.render_as_string(hide_password=False))
    with reading(other) as connection:
        mine = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with reading(engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})
    time.sleep(seconds)
    try:
        with reading(other) as connection:
            return mine, connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    finally:
        other.dispose()


@pytest.mark.postgres
def test_a_connection_that_was_ended_while_it_lay_idle_is_replaced(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite is on no other machine")

    before, after = _ended_while_idle(engine, 0.3)

    assert before != after


@pytest.mark.postgres
def test_a_connection_that_was_just_used_is_not_asked_first(engine, monkeypatch):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite is on no other machine")
    monkeypatch.setattr("store.session._SURE_SECONDS", 60.0)

    with pytest.raises(OperationalError):
        _ended_while_idle(engine, 0.0)
