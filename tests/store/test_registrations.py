"""Tenants, platforms and keys, as the database keeps them."""

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mapping.records import CourseRef, LearnerRef, PassbackWay, SchoolRef
from store import registrations
from store.registrations import PlatformEntry, PlatformTaken
from store.secrets import SealBroken, SecretBox
from store.session import reading, writing
from store.tables import platforms, school_refs, schools, tool_keys

NOW = datetime(2026, 11, 20, tzinfo=UTC)
BOX = SecretBox("only-for-tests-only-for-tests-only")
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
    assert registrations.platform_of(connection, 99) is None


def test_a_deployment_belongs_to_its_platform(connection, tenant):
    one = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    two = registrations.save_platform(
        connection, tenant, replace(ENTRY, client_id="2", name="2"), secrets=BOX
    )
    registrations.save_deployments(connection, one, ["d"])

    assert registrations.find_deployment(connection, one, "d").is_approved
    assert registrations.find_deployment(connection, two, "d") is None


def test_a_deployment_can_lose_its_approval(connection, tenant):
    one = registrations.save_platform(connection, tenant, ENTRY, secrets=BOX)
    registrations.save_deployments(connection, one, ["d", "e"])

    registrations.save_deployments(connection, one, ["d"], is_approved=False)

    assert not registrations.find_deployment(connection, one, "d").is_approved
    assert registrations.find_deployment(connection, one, "e").is_approved


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


def test_the_tool_key_is_made_once_and_sealed(connection):
    first = registrations.tool_key(connection, BOX, NOW)
    again = registrations.tool_key(connection, BOX, NOW)

    (stored,) = connection.execute(select(tool_keys.c.private_key)).scalars()
    assert first.kid == again.kid
    assert "PRIVATE KEY" not in stored
    assert first.private_key.key_size == 2048
    assert first.private_key.private_numbers() == again.private_key.private_numbers()


def test_the_key_id_is_the_thumbprint_of_the_public_key(connection):
    key = registrations.tool_key(connection, BOX, NOW)

    jwk = key.public_jwk()
    canonical = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).digest()
    assert key.kid == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert set(jwk) == {"e", "kty", "n", "kid", "alg", "use"}


def test_processes_that_find_no_tool_key_at_once_make_one(engine):
    def make(_number):
        with writing(engine) as connection:
            return registrations.tool_key(connection, BOX, NOW).kid

    with ThreadPoolExecutor(4) as pool:
        kids = set(pool.map(make, range(4)))

    with reading(engine) as connection:
        assert connection.execute(select(tool_keys.c.kid)).scalars().all() == list(kids)
