"""Tenants and platforms, as the database keeps them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mapping.records import CourseRef, LearnerRef, PassbackWay, SchoolRef
from store import registrations
from store.registrations import PlatformEntry, PlatformTaken
from store.secrets import SealBroken, SecretBox
from store.session import writing
from store.tables import platforms, school_refs, schools

NOW = datetime(2026, 11, 20, tzinfo=UTC)
FORMER = "only-for-tests-only-for-tests-only"
BOX = SecretBox(FORMER)
ENTRY = PlatformEntry(
    kind="canvas",
    name="Canvas",
    issuer="https://canvas.instructure.com",
    client_id="1",
    auth_url="https://sso.example/auth",
    token_url="https://sso.example/token",
    jwks_url="https://sso.example/jwks",
    api_url="https://school.example/api",
    api_token="a-secret-token",
)


@pytest.fixture
def connection(engine):
    with writing(engine) as connection:
        yield connection


@pytest.fixture
def tenant(connection):
    return registrations.save_tenant(connection, "District", "Europe/Oslo")


def test_a_tenant_saved_again_is_the_same_with_its_new_time_zone(connection, tenant):
    again = registrations.save_tenant(connection, "District", "America/Lima")

    assert again == tenant
    assert registrations.timezone_of(connection, tenant) == "America/Lima"


def test_a_school_saved_again_is_the_same_with_its_new_way(connection, tenant):
    first = registrations.save_school(connection, tenant, "North", passback_way=PassbackWay.WORDS)
    again = registrations.save_school(connection, tenant, "North", passback_way=PassbackWay.NONE)

    rows = connection.execute(select(schools.c.id, schools.c.passback_way)).all()
    assert rows == [(first, "none")]
    assert again == first


def test_schools_of_two_tenants_may_have_one_name(connection, tenant):
    other = registrations.save_tenant(connection, "Other", "UTC")

    ids = {
        registrations.save_school(connection, owner, "North", passback_way=PassbackWay.WORDS)
        for owner in (tenant, other)
    }

    assert len(ids) == 2


def test_a_platform_saved_again_is_the_same_with_its_new_values(connection, tenant):
    first = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    changed = replace(ENTRY, name="Canvas 2", api_token="another")
    again = registrations.save_platform(connection, tenant, changed, secrets=BOX)

    (found,) = registrations.platforms(connection)
    assert again == first == found.id
    assert found.name == "Canvas 2"
    assert registrations.api_token(found, BOX) == "another"


def test_t09_a_platform_of_another_tenant_cannot_be_taken_and_its_owner_is_not_named(
    connection, tenant
):
    registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    other = registrations.save_tenant(connection, "Other", "UTC")

    with pytest.raises(PlatformTaken) as caught:
        registrations.save_platform(connection, other, ENTRY, secrets=BOX)

    assert "District" not in str(caught.value)
    assert registrations.platforms(connection, other) == ()


def test_the_api_token_is_neither_in_the_database_nor_in_a_representation(connection, tenant):
    registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)

    (stored,) = connection.execute(select(platforms.c.api_token)).scalars()
    (found,) = registrations.platforms(connection)
    assert "a-secret-token" not in stored
    assert stored not in repr(found)
    assert "a-secret-token" not in repr(ENTRY)


def test_a_token_sealed_under_another_key_cannot_be_opened(connection, tenant):
    registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    (found,) = registrations.platforms(connection)

    with pytest.raises(SealBroken):
        registrations.api_token(found, SecretBox("another-key-another-key-another-k"))


def test_platforms_of_a_tenant_are_its_own(connection, tenant):
    other = registrations.save_tenant(connection, "Other", "UTC")
    mine = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    theirs = registrations.save_platform(
        connection, other, replace(ENTRY, client_id="2"), secrets=BOX
    )

    assert [p.id for p in registrations.platforms(connection, tenant)] == [mine]
    assert [p.id for p in registrations.platforms(connection)] == [mine, theirs]


def test_an_issuer_with_two_clients_is_told_apart_by_the_client(connection, tenant):
    for client_id in ("1", "2", "3"):
        entry = replace(ENTRY, client_id=client_id, name=client_id)
        registrations.save_platform(connection, tenant, entry, secrets=BOX)

    assert len(registrations.find_platforms(connection, ENTRY.issuer)) == 2
    (found,) = registrations.find_platforms(connection, ENTRY.issuer, "2")
    assert found.client_id == "2"
    assert registrations.find_platforms(connection, ENTRY.issuer.upper(), "2") == ()


def test_an_inactive_platform_is_listed_and_not_found(connection, tenant):
    entry = replace(ENTRY, is_active=False)
    saved = registrations.save_platform(connection, tenant, entry, secrets=BOX)

    assert registrations.find_platforms(connection, ENTRY.issuer, "1") == ()
    assert not registrations.platform_of(connection, saved).is_active
    assert registrations.platform_of(connection, 10**9) is None


def test_school_references_are_kept_once(connection, tenant):
    platform = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    north, south = (
        registrations.save_school(connection, tenant, name, passback_way=PassbackWay.WORDS)
        for name in ("North", "South")
    )

    registrations.save_school_refs(connection, platform, {SchoolRef("5"): north})
    registrations.save_school_refs(connection, platform, {SchoolRef("5"): south})

    assert connection.execute(select(school_refs.c.school_id)).scalars().all() == [south]


def test_courses_and_learners_not_read_yet_are_not_found(connection, tenant):
    platform = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)

    assert registrations.find_course(connection, platform, CourseRef("1")) is None
    assert registrations.find_learner(connection, platform, LearnerRef("1")) is None


def test_a_platform_is_active_suspended_and_active_again(connection, tenant):
    saved = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)

    def enter(state):
        assert registrations.set_platform_state(connection, tenant, saved, state, now=NOW)
        return registrations.platform_of(connection, saved)

    suspended, resumed = enter("suspended"), enter("active")
    assert (suspended.state, suspended.is_active, suspended.suspended_at) == (
        "suspended",
        False,
        NOW,
    )
    assert (resumed.state, resumed.is_active, resumed.suspended_at) == ("active", True, None)


def test_a_platform_saved_inactive_is_pending_until_it_is_approved(connection, tenant):
    entry = replace(ENTRY, is_active=False)
    saved = registrations.save_platform(connection, tenant, entry, secrets=BOX)

    assert registrations.platform_of(connection, saved).state == "pending"


def test_another_tenant_can_neither_suspend_nor_pin_a_platform(connection, tenant):
    saved = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    other = registrations.save_tenant(connection, "Other", "UTC")

    did = (
        registrations.set_platform_state(connection, other, saved, "suspended", now=NOW),
        registrations.pin_key(connection, other, saved, kid="k"),
    )

    found = registrations.platform_of(connection, saved)
    assert did == (False, False)
    assert (found.state, found.pinned_kid) == ("active", None)


def test_a_platform_saved_again_stays_suspended_and_keeps_its_pinned_key_and_audience(
    connection, tenant
):
    entry = replace(ENTRY, pinned_kid="k", audience="https://aud.example")
    saved = registrations.save_platform(connection, tenant, entry, secrets=BOX)
    registrations.set_platform_state(connection, tenant, saved, "suspended", now=NOW)

    registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)

    found = registrations.platform_of(connection, saved)
    assert (found.state, found.pinned_kid) == ("suspended", "k")
    assert found.audience == "https://aud.example"


def test_a_pinned_key_can_be_let_go(connection, tenant):
    saved = registrations.save_platform(
        connection, tenant, replace(ENTRY, pinned_kid="k"), secrets=BOX
    )

    assert registrations.pin_key(connection, tenant, saved, kid=None)
    assert registrations.platform_of(connection, saved).pinned_kid is None


def test_tokens_are_sealed_anew_and_those_that_cannot_be_opened_are_named(connection, tenant):
    for name, box in (("Old", BOX), ("Lost", SecretBox("a key that nobody has any more"))):
        entry = replace(ENTRY, name=name, client_id=name)
        registrations.save_platform(connection, tenant, entry, secrets=box)
    present = SecretBox("the present key of this installation", [FORMER])

    done = registrations.reseal_tokens(connection, present)

    old, _ = registrations.platforms(connection)
    assert (done.count, done.unopened) == (1, ["Lost"])
    assert registrations.api_token(old, SecretBox("the present key of this installation")) == (
        "a-secret-token"
    )
