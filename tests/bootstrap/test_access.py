"""Which token is used: what somebody authorised goes before what was pasted."""

from dataclasses import replace

import pytest

from bootstrap import checkup
from bootstrap.access import user_tokens
from connectors.errors import Unauthorized
from store import api_access, registrations
from store.secrets import SealBroken, SecretBox
from store.session import reading, writing
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.store.places import new_platform, new_tenant

COURSES = "/api/v1/accounts/self/courses"
TOKEN = "/login/oauth2/token"
DEAD = answer_json({"error": "invalid_grant", "error_description": "refresh_token not found"}, 400)


@pytest.fixture
def lms():
    scripted = ScriptedLms()
    scripted.on("GET", COURSES, answer_json([]))
    scripted.on("POST", TOKEN, answer_json({"access_token": "a1", "expires_in": 3600}))
    with serving(scripted) as url:
        scripted.url = url
        yield scripted


@pytest.fixture
def platform(container, lms):
    with writing(container.engine) as connection:
        tenant = new_tenant(connection)
        return new_platform(connection, tenant, api_url=lms.url, secrets=container.secrets)


@pytest.fixture
def found(container, platform):
    def found():
        with reading(container.engine) as connection:
            return registrations.platform_of(connection, platform)

    return found


@pytest.fixture
def authorize(container, platform, found):
    def authorize(token="r1", *, is_key_only=False):  # noqa: S107 - a test's secret
        own = {"client_id": "500", "secrets": container.secrets}
        tenant = found().tenant
        with writing(container.engine) as connection:
            api_access.save_developer_key(connection, tenant, platform, client_secret="hush", **own)
            if not is_key_only:
                api_access.save_authorization(
                    connection,
                    tenant,
                    platform,
                    user="Ada",
                    refresh_token=token,
                    now=container.now(),
                    **own,
                )

    return authorize


def bearers(lms):
    return {one.headers["authorization"] for one in lms.to(COURSES)}


def test_a_pasted_token_counts_as_long_as_nobody_authorised(container, platform, lms, authorize):
    authorize(is_key_only=True)

    container.gradebook(platform).courses()

    assert "Bearer a1" not in bearers(lms)
    assert lms.to(TOKEN) == []


def test_what_somebody_authorised_goes_before_a_pasted_token(container, platform, lms, authorize):
    authorize()

    container.gradebook(platform).courses()

    assert bearers(lms) == {"Bearer a1"}


def test_all_workers_share_one_token(container, platform, lms, authorize):
    authorize()

    for _ in range(3):
        container.gradebook(platform).courses()

    assert len(lms.to(TOKEN)) == 1


def test_a_revoked_access_is_remembered_and_does_not_fall_back_to_the_pasted_token(
    container, platform, lms, *, authorize, found
):
    authorize()
    lms.on("POST", TOKEN, DEAD)

    for _ in range(3):
        with pytest.raises(Unauthorized) as caught:
            container.gradebook(platform).courses()

    assert caught.value.cause == "access_revoked"
    assert found().api_access.revoked_at == container.now()
    assert len(lms.to(TOKEN)) == 1
    assert bearers(lms) == set()


def test_whoever_authorises_anew_gets_a_token_of_their_own(container, platform, lms, authorize):
    authorize()
    container.gradebook(platform).courses()
    lms.on("POST", TOKEN, answer_json({"access_token": "a2", "expires_in": 3600}))

    authorize("r2")
    container.gradebook(platform).courses()

    assert bearers(lms) == {"Bearer a1", "Bearer a2"}


def test_a_consent_that_was_sealed_under_a_lost_key_is_told(container, authorize, found):
    authorize()
    lost = replace(container, secrets=SecretBox("another key, and long enough for all"))

    with pytest.raises(SealBroken):
        user_tokens(lost, found())


def test_a_look_at_the_platform_says_who_authorised(container, platform, authorize, lms):
    authorize()
    lms.on("GET", "/api/v1/users/self", answer_json({"id": "7", "name": "Ada"}))

    checks = {check.name: check for check in checkup.check_platform(container, platform)}

    assert "authorised by Ada on 2026-11-20" in checks["API token"].found


def test_a_look_at_the_platform_says_that_it_was_taken_back(container, platform, authorize, lms):
    authorize()
    lms.on("POST", TOKEN, DEAD)

    checks = {check.name: check for check in checkup.check_platform(container, platform)}

    assert not checks["API token"].ok
    assert "until somebody authorises anew" in checks["API token"].advice
