"""Who is behind an account: who is known waits for nobody, who is new is met by one at a time."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from mapping.records import LearnerRef, Person
from store import people
from store.session import lock, reading, writing
from tests.store.places import new_platform, new_tenant

ADA = Person(ref=LearnerRef("1"), name="Ada", sort_name="Ada", sis_id="A")
BO = Person(ref=LearnerRef("2"), name="Bo", sort_name="Bo", sis_id=None)


def place_with_two(db):
    tenant = new_tenant(db)
    platform = new_platform(db, tenant)
    people.save_people(db, platform, [ADA, BO], tenant=tenant)
    return tenant, platform


def test_everybody_is_found_again_by_their_account(db):
    tenant, platform = place_with_two(db)

    found = people.save_people(db, platform, [ADA, BO], tenant=tenant)

    known = people.known_people(db, platform, [ADA.ref, BO.ref, LearnerRef("3")])
    assert {ref: one.learner for ref, one in known.items()} == found
    assert [known[one.ref].sis_id for one in (ADA, BO)] == ["A", None]


def test_two_new_accounts_of_one_sis_id_are_one_learner(db):
    tenant, platform = place_with_two(db)
    both = [
        Person(ref=LearnerRef(ref), name="Cy", sort_name="Cy", sis_id="C") for ref in ("5", "6")
    ]

    found = people.save_people(db, platform, both, tenant=tenant)

    assert found[LearnerRef("5")] == found[LearnerRef("6")]


def test_new_accounts_without_a_sis_id_are_learners_of_their_own(db):
    tenant, platform = place_with_two(db)
    # One is called by the other's SIS id: an account's name is no SIS id.
    both = [
        Person(ref=LearnerRef("C"), name="Cy", sort_name="Cy", sis_id=None),
        Person(ref=LearnerRef("7"), name="Di", sort_name="Di", sis_id="C"),
    ]

    found = people.save_people(db, platform, both, tenant=tenant)

    assert len(set(found.values())) == 2


def test_who_has_another_name_now_is_renamed(db):
    tenant, platform = place_with_two(db)
    renamed = Person(ref=BO.ref, name="Bodil", sort_name="Bodil", sis_id=None)

    people.save_people(db, platform, [ADA, renamed], tenant=tenant)

    assert people.known_people(db, platform, [BO.ref])[BO.ref].name == "Bodil"


@pytest.mark.postgres
def test_only_who_meets_somebody_waits_for_others_who_do(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with writing(engine) as db:
        tenant, platform = place_with_two(db)
    stranger = Person(ref=LearnerRef("9"), name="Eve", sort_name="Eve", sis_id=None)

    with writing(engine) as holder:
        lock(holder, "learners", tenant)
        with writing(engine) as db:
            db.execute(text("SET LOCAL lock_timeout = '200ms'"))
            found = people.save_people(db, platform, [ADA, BO], tenant=tenant)
        with writing(engine) as db:
            db.execute(text("SET LOCAL lock_timeout = '200ms'"))
            with pytest.raises(OperationalError), db.begin_nested():
                people.save_people(db, platform, [ADA, stranger], tenant=tenant)

    with reading(engine) as db:
        assert people.known_people(db, platform, [stranger.ref]) == {}
    assert set(found) == {ADA.ref, BO.ref}
