"""Access that somebody authorised: kept sealed, ended with its key, noted once when revoked."""

from datetime import UTC, datetime, timedelta

import pytest

from store import api_access, registrations
from store.secrets import SecretBox
from store.session import reading, writing
from tests.store.places import new_platform, new_tenant

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
FORMER = "a key of the tests, long enough for all"
BOX = SecretBox(FORMER)


@pytest.fixture
def place(engine):
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        return tenant, new_platform(connection, tenant)


@pytest.fixture
def access(engine, place):
    def access():
        with reading(engine) as connection:
            return registrations.platform_of(connection, place[1]).api_access

    return access


@pytest.fixture
def save_key(engine, place):
    def save(client_id="500", secret="hush", tenant=None):  # noqa: S107 - a test's secret
        with writing(engine) as connection:
            return api_access.save_developer_key(
                connection,
                tenant or place[0],
                place[1],
                client_id=client_id,
                client_secret=secret,
                secrets=BOX,
            )

    return save


@pytest.fixture
def authorize(engine, place):
    def authorize(token="r1", *, tenant=None, user="Ada", client_id="500", at=NOW):  # noqa: S107
        with writing(engine) as connection:
            return api_access.save_authorization(
                connection,
                tenant or place[0],
                place[1],
                client_id=client_id,
                user=user,
                refresh_token=token,
                secrets=BOX,
                now=at,
            )

    return authorize


@pytest.fixture
def revoke(engine, place):
    def revoke(known, at=NOW):
        with writing(engine) as connection:
            return api_access.note_revoked(connection, place[1], known, now=at)

    return revoke


def test_a_platform_has_no_access_before_somebody_gives_it(access, save_key):
    before = access()
    save_key()

    assert (before.is_authorized, access().is_authorized) == (False, False)
    assert access().client_id == "500"


def test_key_and_consent_are_kept_sealed(access, save_key, authorize):
    save_key()

    assert authorize()

    found = access()
    assert BOX.open(found.sealed_client_secret) == "hush"
    assert BOX.open(found.sealed_refresh_token) == "r1"
    assert (found.user, found.authorized_at, found.revoked_at) == ("Ada", NOW, None)
    assert "sealed" not in repr(found)


def test_another_tenant_changes_nothing(engine, access, save_key, authorize):
    save_key()
    with writing(engine) as connection:
        other = new_tenant(connection, "Other")

    assert not authorize(tenant=other)
    assert not save_key("501", tenant=other)

    assert (access().client_id, access().is_authorized) == ("500", False)


def test_a_consent_for_a_key_that_was_changed_is_not_kept(access, save_key, authorize):
    save_key("501")

    assert not authorize(client_id="500")

    assert not access().is_authorized


def test_another_key_ends_the_consent_and_a_new_secret_does_not(access, save_key, authorize):
    save_key()
    authorize()

    save_key(secret="new")
    kept = access()
    save_key("501")

    assert (kept.is_authorized, BOX.open(kept.sealed_client_secret)) == (True, "new")
    assert (access().is_authorized, access().user, access().authorized_at) == (False, "", None)


def test_that_a_consent_was_taken_back_is_noted_once(access, save_key, authorize, revoke):
    save_key()
    authorize()

    news = [revoke(access()), revoke(access(), NOW + timedelta(days=1))]

    assert news == [True, False]
    assert access().revoked_at == NOW


def test_what_is_said_of_an_older_consent_does_not_end_the_newer_one(
    access, save_key, authorize, revoke
):
    save_key()
    authorize()
    older = access()
    authorize("r2")

    assert not revoke(older)

    assert access().revoked_at is None


def test_a_new_consent_takes_the_place_of_a_revoked_one(access, save_key, authorize, revoke):
    save_key()
    authorize()
    revoke(access())

    authorize("r2", user="x" * 300, at=NOW + timedelta(days=2))

    assert access().revoked_at is None
    assert (len(access().user), BOX.open(access().sealed_refresh_token)) == (255, "r2")


def test_what_is_forgotten_leaves_nothing(engine, place, access, save_key, authorize):
    save_key()
    authorize()

    with writing(engine) as connection:
        assert api_access.forget_access(connection, *place)

    assert access() == api_access.ApiAccess()


def test_loading_a_platform_again_keeps_its_access(engine, place, access, save_key, authorize):
    save_key()
    authorize()

    with writing(engine) as connection:
        assert new_platform(connection, place[0]) == place[1]

    assert access().is_authorized


def test_key_and_consent_are_sealed_anew_and_what_cannot_be_opened_is_named(
    engine, access, save_key, authorize
):
    save_key()
    authorize()
    fresh = SecretBox("another key of the tests, long enough", [FORMER])
    lost = SecretBox("a third key of the tests, long enough")

    with writing(engine) as connection:
        resealed = api_access.reseal_access(connection, fresh)
        (unopened,) = api_access.reseal_access(connection, lost).unopened

    only = SecretBox("another key of the tests, long enough")
    assert resealed.count == 2
    assert resealed.unopened == []
    assert only.open(access().sealed_refresh_token) == "r1"
    assert only.open(access().sealed_client_secret) == "hush"
    assert unopened


def test_a_reseal_of_all_tokens_covers_them(engine, access, save_key, authorize):
    save_key()
    authorize()
    fresh = SecretBox("another key of the tests, long enough", [FORMER])

    with writing(engine) as connection:
        registrations.reseal_tokens(connection, fresh)

    only = SecretBox("another key of the tests, long enough")
    assert only.open(access().sealed_refresh_token) == "r1"
