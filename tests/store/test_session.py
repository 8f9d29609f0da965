"""Transactions alike on both databases."""

import pytest
from sqlalchemy import func, select

from store import tenants
from store.secrets import SealBroken, SecretBox
from store.session import chunks, lock, reading, upsert, writing
from store.tables import school_refs, schools
from store.tables import tenants as tenant_rows
from tests.store.places import new_platform, new_tenant


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


def test_rows_of_keys_alone_may_be_kept_twice(db, district):
    platform = new_platform(db, district)
    new_school = {"tenant_id": district, "name": "North", "passback_way": "none"}
    upsert(db, schools, [new_school], keys=("tenant_id", "name"))
    school = db.execute(select(schools.c.id)).scalar()
    row = {"platform_id": platform, "ref": "1", "school_id": school}

    for _ in range(2):
        upsert(db, school_refs, [row], keys=("platform_id", "ref", "school_id")[:2])
        upsert(db, tenant_rows, [], keys=("name",))

    assert len(db.execute(select(school_refs)).all()) == 1


def test_a_row_whose_every_column_is_a_key_is_left_as_it_is(db, district):
    row = {"id": district, "name": "District", "timezone": "UTC"}

    upsert(db, tenant_rows, [row], keys=("id",))
    upsert(db, tenant_rows, [{"name": "District", "timezone": "UTC"}], keys=("name",))

    assert len(tenants.all_tenants(db)) == 1


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
