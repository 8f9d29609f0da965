"""What a look at a platform says: each fault by its own check, in words that say what to do."""

import base64
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import jwt
import pytest
from werkzeug.wrappers import Response

from bootstrap import checks, checkup
from bootstrap.checkup import SCOPES
from connectors.moodle.self_check import NEEDED
from mapping.records import PlatformId
from store import deployments, registrations
from store.registrations import PlatformEntry
from store.secrets import SecretBox
from store.session import writing
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.store.places import new_tenant

ISSUER = "https://canvas.instructure.com"
MODULUS = base64.urlsafe_b64encode(b"\xc0" + b"\x01" * 255).rstrip(b"=").decode()
KEY = {"kty": "RSA", "kid": "k", "use": "sig", "alg": "RS256", "e": "AQAB", "n": MODULUS}
GRANT = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}


SEEN_OF_A_COURSE = (
    "enrollments",
    "assignments",
    "sections",
    "groups",
    "students/submissions",
    "custom_gradebook_columns",
)


@pytest.fixture
def lms():
    """A Canvas in which all is well."""
    scripted = ScriptedLms()
    scripted.on("GET", "/jwks", answer_json({"keys": [KEY]}))
    scripted.on("POST", "/token", answer_json({**GRANT, "scope": " ".join(SCOPES)}))
    scripted.on(
        "GET", "/api/v1/accounts/self/courses", answer_json([{"id": "1", "name": "Algebra"}])
    )
    scripted.on("POST", "/api/graphql", answer_json({"data": {"course": {"_id": "1"}}}))
    for part in SEEN_OF_A_COURSE:
        scripted.on("GET", f"/api/v1/courses/1/{part}", answer_json([]))
    scripted.on("GET", "/api/v1/audit/grade_change/courses/1", answer_json({}))
    scripted.on("GET", "/api/v1/users/self", answer_json({"id": "1", "name": "Waymark Service"}))
    with serving(scripted) as url:
        scripted.url = url
        yield scripted


@pytest.fixture
def register(container, lms):
    """Register the LMS; ``changes`` are of its entry."""

    def register(*, refs=("d",), **changes):
        entry = PlatformEntry(
            kind="canvas",
            name="Canvas",
            issuer=ISSUER,
            client_id="1",
            auth_url=f"{lms.url}/auth",
            token_url=f"{lms.url}/token",
            jwks_url=f"{lms.url}/jwks",
            api_url=lms.url,
            api_token="a-token",
        )
        with writing(container.engine) as connection:
            tenant = new_tenant(connection)
            saved = registrations.save_platform(
                connection, tenant, replace(entry, **changes), secrets=container.secrets
            )
            deployments.save_deployments(connection, saved, refs)
        return saved

    return register


@pytest.fixture
def look(container):
    def look(platform, box=container):
        return {check.name: check for check in checkup.check_platform(box, platform)}

    return look


def failed(checks) -> list[str]:
    return [name for name, check in checks.items() if not check.ok]


def test_where_all_is_well_every_check_is_ok_and_says_what_it_saw(look, register):
    checks = look(register())

    assert failed(checks) == []
    assert checks["API token"].found == "Waymark Service"
    assert checks["Rights"].found == "all 5 granted"
    assert checks["Key set"].found == "1 usable"
    assert checks["Deployments"].found == "1 approved, 0 waiting"


def test_there_is_nothing_to_look_at_where_there_is_no_platform(container):
    with pytest.raises(LookupError, match="no platform"):
        list(checkup.check_platform(container, PlatformId(10**9)))


def test_every_look_asks_for_a_token_anew_and_keeps_none(look, register, lms, container):
    platform = register()

    look(platform)
    look(platform)

    assert len(lms.to("/token")) == 2
    assert list(container.redis.scan_iter("waymark:token:*")) == []


def test_the_token_is_asked_for_with_the_audience_that_was_registered(look, register, lms):
    look(register(audience="https://audience.example"))

    (asked,) = lms.to("/token")
    claims = jwt.decode(asked.form["client_assertion"], options={"verify_signature": False})
    assert claims["aud"] == "https://audience.example"


def test_a_token_that_carries_less_than_was_asked_is_a_question_of_rights(look, register, lms):
    lms.on("POST", "/token", answer_json({**GRANT, "scope": " ".join(SCOPES[1:])}))

    checks = look(register())

    assert failed(checks) == ["Rights"]
    assert "lineitem" in checks["Rights"].advice


def test_a_refused_token_says_where_to_look(look, register, lms):
    lms.on("POST", "/token", answer_json({"error": "invalid_client"}, status=400))

    checks = look(register())

    assert failed(checks) == ["Service token"]
    assert "client id" in checks["Service token"].advice


def test_a_moodle_that_may_not_fetch_our_keys_is_told_as_that(look, register, lms):
    lms.on("POST", "/token", Response("<html>", status=404))
    answers = {
        "core_webservice_get_site_info": {
            "fullname": "Way Mark",
            "username": "ws",
            "release": "4.5.6",
            "functions": [{"name": name} for name in NEEDED],
        },
        "core_course_get_courses": [],
    }
    lms.on(
        "POST",
        "/webservice/rest/server.php",
        lambda seen: answer_json(answers[seen.form["wsfunction"]]),
    )

    checks = look(register(kind="moodle", issuer=lms.url))

    assert failed(checks) == ["Service token"]
    assert "HTTP security" in checks["Service token"].advice
    assert checks["API token"].found == "Way Mark, Moodle 4.5.6"


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{**KEY, "kty": "EC"}],
        [{**KEY, "use": "enc"}],
        [{**KEY, "alg": "RS512"}],
        [{**KEY, "n": MODULUS[:170]}],
        [{**KEY, "n": "*"}],
        [{**KEY, "n": 7}],
        ["no key"],
        "no keys",
    ],
    ids=range(9),
)
def test_a_key_set_without_a_usable_key_is_told(look, register, lms, keys):
    lms.on("GET", "/jwks", answer_json({"keys": keys}))

    checks = look(register())

    assert failed(checks) == ["Key set"]
    assert "2,048 bits" in checks["Key set"].advice


def test_a_key_set_that_is_not_there_is_told_without_a_word_of_nights(look, register, lms):
    lms.on("GET", "/jwks", Response("in maintenance", status=503))

    advice = look(register())["Key set"].advice

    assert "503" in advice
    assert "next run" not in advice


@pytest.mark.parametrize(("seconds", "word"), [(31, "ahead"), (-31, "behind")])
def test_clocks_apart_are_a_warning(clock, seconds, word):
    check = checks.check_clock(format_datetime(clock() + timedelta(seconds=seconds)), clock())

    assert check.ok
    assert check.found == "31 s apart"
    assert word in check.advice


@pytest.mark.parametrize("seconds", [30, 0, -30])
def test_clocks_that_nearly_agree_are_well(clock, seconds):
    check = checks.check_clock(format_datetime(clock() + timedelta(seconds=seconds)), clock())

    assert (check.ok, check.advice) == (True, "")


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 20 Nov 2026 22:00:00 -0000"])
def test_a_platform_that_does_not_tell_its_time_is_not_blamed(clock, date):
    check = checks.check_clock(date, clock())

    assert (check.ok, check.advice) == (True, "")


def test_a_refused_api_token_is_told(look, register, lms):
    lms.on("GET", "/api/v1/accounts/self/courses", answer_json({"errors": []}, status=401))

    checks = look(register())

    assert failed(checks) == ["API token"]
    assert "Renew the token" in checks["API token"].advice


def test_a_canvas_token_that_may_not_say_whose_it_is_will_do(look, register, lms):
    lms.on("GET", "/api/v1/users/self", answer_json({"errors": []}, status=401))

    check = look(register())["API token"]

    assert (check.ok, check.found) == (True, "may list the courses")


def test_an_api_token_that_is_not_there_is_told(look, register):
    assert "no access token" in look(register(api_token=""))["API token"].advice


def test_an_api_token_that_was_sealed_under_a_lost_key_is_told_as_none(container, look, register):
    platform = register()
    container.tool_key()
    lost = SecretBox("another secret key than before, surely")
    changed = replace(container, secrets=lost)
    object.__setattr__(changed, "key_ring", container.key_ring)

    assert "no access token" in look(platform, changed)["API token"].advice


@pytest.mark.parametrize("state", ["suspended", "pending"])
def test_a_registration_that_may_not_launch_is_told_with_the_command(
    container, look, register, state
):
    platform = register()
    with writing(container.engine) as connection:
        tenant = new_tenant(connection)
        registrations.set_platform_state(connection, tenant, platform, state, now=container.now())

    check = look(platform)["Registration"]

    assert (check.ok, check.found) == (False, state)
    assert "waymark platform " in check.advice


def test_deployments_that_wait_are_told(container, look, register):
    platform = register(refs=())
    before = look(platform)["Deployments"]
    with writing(container.engine) as connection:
        deployments.request_deployment(
            connection, platform, "1:abc", about="North", now=container.now()
        )

    after = look(platform)["Deployments"]

    assert (before.ok, after.ok) == (False, False)
    assert "Open Waymark once from the LMS" in before.advice
    assert "1:abc" in after.advice


def test_one_that_waits_beside_an_approved_one_is_a_warning(container, look, register):
    platform = register()
    with writing(container.engine) as connection:
        deployments.request_deployment(connection, platform, "2", about="", now=container.now())

    check = look(platform)["Deployments"]

    assert check.ok
    assert check.found == "1 approved, 1 waiting"
    assert check.advice


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"auth_url": ""}, "login address (none)"),
        ({"auth_url": "lms.example/auth"}, "login address"),
        ({"token_url": "https://u:p@lms.example/token"}, "token address"),
        ({"jwks_url": "https://lms.example/jwks#k"}, "key set address"),
        ({"jwks_url": "https://lms.example:0/jwks"}, "key set address"),
        ({"jwks_url": "https://lms.example:99999/jwks"}, "key set address"),
        ({"issuer": "https://lms.example/"}, "slash"),
        (
            {
                "issuer": "https://north.instructure.com",
                "token_url": "https://sso.canvaslms.com/login/oauth2/token",
            },
            "https://canvas.instructure.com",
        ),
    ],
    ids=str,
)
def test_addresses_that_are_not_whole_or_do_not_fit_are_told(container, register, changes, word):
    with container.engine.connect() as connection:
        platform = registrations.platform_of(connection, register())

    check = checks.check_endpoints(replace(platform, **changes))

    assert not check.ok
    assert word in check.advice


def test_a_private_address_is_told_with_the_setting_that_allows_it(container, look, register):
    settings = replace(container.settings, private_networks=())

    checks = look(register(), replace(container, settings=settings))

    assert "WAYMARK_PRIVATE_NETWORKS" in checks["Addresses may be connected to"].advice


def test_an_address_that_begins_with_http_is_told(look, register):
    checks = look(register(auth_url="http://93.184.216.34/auth"))

    assert failed(checks) == ["Addresses may be connected to"]
    assert "begins with http" in checks["Addresses may be connected to"].advice


def test_an_own_address_that_is_not_https_is_a_warning(container):
    settings = replace(container.settings, public_url="https://waymark.example")

    near = checks.check_own_address(container)
    far = checks.check_own_address(replace(container, settings=settings))

    assert "WAYMARK_PUBLIC_URL" in near.advice
    assert (far.ok, far.advice) == (True, "")


def test_a_pinned_key_is_the_one_that_signs(container, look, register, lms):
    pinned = container.tool_key().kid
    platform = register(pinned_kid=pinned)

    check = look(platform)["Service token"]

    (asked,) = lms.to("/token")
    assert jwt.get_unverified_header(asked.form["client_assertion"])["kid"] == pinned
    assert check.found == "signed with its pinned key"
