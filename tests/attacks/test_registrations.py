"""Dynamic registration: contracts/lti.md 4.R, and the rules' other cases."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from store.deployments import deployments_of
from store.session import reading
from tests.lti_tool.platform import ISSUER
from tests.lti_tool.registering import (
    HOSTED_ISSUER,
    SAME_ORIGIN,
    TOKEN,
    TOOL_CLAIM,
    RegisteringLms,
    id_on,
    open_office,
    serving,
)

PRIVATE = [
    "http://127.0.0.1/x",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/x",
    "http://[::ffff:127.0.0.1]/x",
    "http://0x7f.1/x",
    "http://2130706433/x",
    "https://localhost/x",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "https://lms.example:22/x",
    "http://[::1",
    "//lms.example/x",
    "https://lms.example@127.0.0.1/x",
]


@pytest.fixture
def office(fresh_stage):
    with serving(RegisteringLms()) as lms, open_office(fresh_stage, lms) as office:
        yield office


def bearer_of(asked):
    return asked[2].get("Authorization")


def deployments_at(office, platform):
    with reading(office.container.engine) as connection:
        return deployments_of(connection, platform.id)


def assert_failed(office, invite, page):
    """A page for a person; nothing stored, and the invitation as good as before."""
    assert page.status_code == 400
    assert "Nothing was stored here, and the invitation can still be used" in page.text
    assert "Invited LMS" not in office.platforms()
    assert office.is_usable(invite)


def test_r01_a_registration_is_confirmed_sent_with_its_token_and_stored(office):
    invite = office.invite()
    browser = office.browser()

    page = office.register(browser, office.confirm(browser, invite))

    platform = office.platforms()["Invited LMS"]
    assert page.status_code == 200
    assert [bearer_of(asked) for asked in office.lms.asked] == [f"Bearer {TOKEN}"] * 2
    assert (platform.issuer, platform.client_id) == (office.lms.url, "new-client")
    assert platform.token_url == office.lms.url + "/token"
    assert not office.is_usable(invite)


def test_r02_nothing_is_sent_to_the_lms_before_the_person_confirmed(office):
    office.confirm(office.browser(), office.invite())

    assert office.lms.posts() == []


def test_r03_without_a_registration_token_none_is_sent(office):
    browser = office.browser()

    office.register(browser, office.confirm(browser, office.invite(), registration_token=...))

    assert [bearer_of(asked) for asked in office.lms.asked] == [None, None]
    assert "Invited LMS" in office.platforms()


@pytest.mark.parametrize("invite", ["", "x", "é", "x" * 43, "x" * 4000])
def test_r04_without_an_invitation_nobody_is_asked(office, invite):
    page = office.begin(office.browser(), invite)

    assert page.status_code == 403
    assert office.lms.asked == []


def test_r04_unknown_used_and_expired_invitations_are_answered_alike(office):
    used, expired = office.invite(), office.invite(life=timedelta(minutes=1))
    office.registered(used)
    office.stage.clock.pass_time(minutes=2)

    pages = [office.begin(office.browser(), one) for one in ("unknown", used, expired)]

    said = {page.text.partition("Reference number")[0] for page in pages}
    assert {page.status_code for page in pages} == {403}
    assert len(said) == 1


@pytest.mark.parametrize("url", PRIVATE)
def test_r05_an_address_that_is_not_the_lmss_is_not_asked(office, url):
    invite = office.invite(issuer="https://lms.example", api_url="https://lms.example")

    page = office.begin(office.browser(), invite, openid_configuration=url)

    assert_failed(office, invite, page)
    assert office.lms.asked == []


def test_r05_all_such_addresses_are_answered_in_the_same_words(office):
    invite = office.invite(issuer="https://lms.example", api_url="https://lms.example")

    pages = [
        office.begin(office.browser(), invite, openid_configuration=url).text for url in PRIVATE
    ]

    assert len({page.partition("Reference number")[0] for page in pages}) == 1


@pytest.mark.parametrize("path", ["", "/x", ":443/x"])
def test_r05_an_invited_issuer_in_a_private_network_is_not_asked(office, fresh_stage, path):
    invite = office.invite(issuer="https://127.0.0.1", api_url="https://127.0.0.1")
    query = {"invite": invite, "openid_configuration": f"https://127.0.0.1{path}"}

    page = fresh_stage.browser().get("/lti/register", query_string=query)

    assert_failed(office, invite, page)
    assert "public address" in page.text


def test_r07_a_configuration_of_many_megabytes_is_cut(office):
    office.lms.configuration = {"junk": "x" * 20_000_000}
    invite = office.invite()

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)


@pytest.mark.parametrize(
    "url",
    [
        "https://lms.example.evil.net/c",
        "https://lms.exampleevil.net/c",
        "https://lms.example@evil.net/c",
        "https://evil.net/https://lms.example/c",
        "http://lms.example/c",
    ],
)
def test_r09_a_configuration_at_a_host_like_the_issuers_is_not_asked(office, url):
    invite = office.invite(issuer="https://lms.example", api_url="")

    page = office.begin(office.browser(), invite, openid_configuration=url)

    assert_failed(office, invite, page)
    assert "names another site" in page.text or "names\nanother site" in page.text


@pytest.mark.parametrize("change", ["/", "x", " ", "?a=b"])
def test_r10_the_issuer_must_be_the_invited_one_to_the_letter(office, change):
    invite = office.invite()
    office.lms.configuration = {"issuer": office.lms.url + change}

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)


def test_r10_an_invitation_for_canvas_registers_no_moodle(office):
    invite = office.invite(kind="canvas")

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)


def test_r11_an_endpoint_that_is_not_https_elsewhere_is_refused(office):
    office.lms.configuration = {"token_endpoint": "http://tokens.example/t"}
    invite = office.invite()

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)


def test_r12_the_token_is_sent_to_no_other_origin_than_the_configurations(office):
    office.lms.configuration = {"registration_endpoint": "https://evil.example/register"}
    invite = office.invite()

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)


def test_r13_an_lms_that_does_not_sign_with_rs256_is_refused(office):
    office.lms.configuration = {"id_token_signing_alg_values_supported": ["ES256"]}
    invite = office.invite()

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)


def test_r15_the_body_has_what_the_specification_wants(office):
    office.registered()

    (sent,) = office.lms.posts()
    tool = sent[TOOL_CLAIM]
    assert sent["application_type"] == "web"
    assert sent["response_types"] == ["id_token"]
    assert set(sent["grant_types"]) == {"implicit", "client_credentials"}
    assert sent["redirect_uris"] == ["https://waymark.example/lti/launch"]
    assert sent["initiate_login_uri"] == "https://waymark.example/lti/login"
    assert sent["jwks_uri"] == "https://waymark.example/lti/jwks"
    assert sent["token_endpoint_auth_method"] == "private_key_jwt"
    assert sent["client_name"] == "Waymark"
    assert len(sent["scope"].split(" ")) == 6
    assert tool["domain"] == "waymark.example"
    assert tool["target_link_uri"] == "https://waymark.example/lti/launch"
    assert {"iss", "sub", "name"} <= set(tool["claims"])
    assert {one["type"] for one in tool["messages"]} == {
        "LtiResourceLinkRequest",
        "LtiDeepLinkingRequest",
    }


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (200, "<html>Log in</html>"),
        (200, "{}"),
        (200, "[]"),
        (200, '{"client_id": null}'),
        (200, '{"client_id": "' + "x" * 300 + '"}'),
        (200, '{"client_id": "a\\u0000b"}'),
        (401, "token_already_used"),
        (400, "missing required attribute jwks_uri"),
        (404, "<html></html>"),
        (500, ""),
        (302, ""),
    ],
)
def test_r17_a_failed_exchange_stores_nothing_and_leaves_the_invitation(office, status, raw):
    office.lms.status, office.lms.raw = status, raw
    invite = office.invite()

    page = office.registered(invite)

    assert_failed(office, invite, page)


def test_r17_after_a_failed_exchange_the_same_invitation_registers(office):
    office.lms.status = 503
    invite = office.invite()
    office.registered(invite)
    office.lms.status = 200

    office.registered(invite)

    assert "Invited LMS" in office.platforms()


def test_r18_without_a_deployment_none_is_approved(office):
    office.lms.tool = {}

    office.registered()

    assert deployments_at(office, office.platforms()["Invited LMS"]) == ()


def test_r19_the_deployment_of_the_answer_is_stored(office):
    office.registered()

    (deployment,) = deployments_at(office, office.platforms()["Invited LMS"])
    assert deployment.ref == "7"
    assert deployment.is_approved


@pytest.mark.parametrize("tenant", ["A", "B"])
def test_r21_a_client_that_is_registered_already_is_refused_whosever_it_is(office, tenant):
    office.registered(office.invite("A"))
    before = office.platforms("A")
    again = office.invite(tenant, name="Another name")

    page = office.registered(again)

    assert page.status_code == 400
    assert office.is_usable(again)
    assert office.platforms("A") == before
    assert "Another name" not in office.platforms(tenant)
    assert "Invited LMS" not in page.text


def test_r21_an_active_platform_of_another_tenant_is_not_taken_over_by_hand(office):
    office.lms.product = "canvas"
    invite = office.invite("B", issuer=ISSUER)
    fields = {"invite": invite, "client_id": "client-A", "deployment_id": "1"}

    page = office.browser().post(
        "/lti/setup", data=fields | {"api_url": office.lms.url}, headers=SAME_ORIGIN
    )

    assert page.status_code == 400
    assert office.platforms("A")["LMS client-A"].is_active


def test_r22_one_confirmation_registers_once(office):
    browser = office.browser()
    page = office.confirm(browser, office.invite())
    office.register(browser, page)

    again = office.register(browser, page)

    assert again.status_code == 410
    assert len(office.lms.posts()) == 1


def test_r22_an_invitation_opened_in_two_windows_registers_once(office):
    invite = office.invite()
    browsers = [office.browser(), office.browser()]
    pages = [office.confirm(browser, invite) for browser in browsers]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(office.register, browsers, pages))

    first, second = sorted(answer.status_code for answer in answers)
    assert first == 200
    assert second in {403, 410}
    assert len(office.lms.posts()) == 1


def test_r22_a_confirmation_waits_ten_minutes(office):
    page = office.confirm(office.browser(), office.invite())

    (key,) = office.stage.keys("waymark:registration:*")

    assert id_on(page).encode() not in key
    assert 0 < office.container.redis.ttl(key) <= 600


def test_r23_the_token_is_in_no_page_address_log_or_readable_record(office, caplog):
    caplog.set_level(logging.DEBUG)
    browser = office.browser()
    begun = office.begin(browser, office.invite())
    records = [office.container.redis.get(key) for key in office.stage.keys("waymark:*")]
    page = browser.get(begun.headers["Location"])
    done = office.register(browser, page)

    said = begun.text + begun.headers["Location"] + page.text + done.text + caplog.text
    assert TOKEN not in said
    assert "/configuration" not in caplog.text
    assert records
    assert all(TOKEN.encode() not in record for record in records)
    assert {one.headers["Referrer-Policy"] for one in (begun, page, done)} == {"no-referrer"}


def test_r24_a_failure_is_logged_by_its_reason_only(office, caplog):
    caplog.set_level(logging.INFO)
    office.lms.configuration = {"issuer": "https://evil.example/\r\nfake line"}

    office.begin(office.browser(), office.invite())

    assert "RegistrationFailed" in caplog.text
    assert "evil.example" not in caplog.text


def test_r25_only_the_lms_may_frame_the_pages(office):
    browser = office.browser()
    page = office.confirm(browser, office.invite(api_url="https://school.example"))
    done = office.register(browser, page)

    wanted = f"frame-ancestors 'self' {office.lms.url} https://school.example"
    assert page.headers["Content-Security-Policy"].endswith(wanted)
    assert done.headers["Content-Security-Policy"].endswith(wanted)


@pytest.mark.parametrize(
    "hostile", ["https://a.example; script-src *", "https://a.example *", "https://u@a.example"]
)
def test_r25_a_hostile_endpoint_gets_into_no_header(office, hostile):
    office.lms.configuration = {"authorization_endpoint": hostile}
    invite = office.invite()

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)
    assert "a.example" not in page.headers["Content-Security-Policy"]


def test_r25_what_is_no_plain_origin_gets_into_no_header(office):
    invite = office.invite(api_url="https://a.example; script-src *")

    page = office.confirm(office.browser(), invite)

    assert page.status_code == 200
    assert "a.example" not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://waymark.example.evil.net"},
        {"Origin": "http://waymark.example"},
    ],
    ids=str,
)
def test_r26_a_confirmation_from_another_site_is_refused_and_still_waits(office, headers):
    browser = office.browser()
    page = office.confirm(browser, office.invite())

    refused = office.register(browser, page, **headers)

    assert refused.status_code == 403
    assert office.lms.posts() == []
    assert office.register(browser, page).status_code == 200


def test_r26_a_setup_form_from_another_site_is_refused(office):
    invite = office.invite()
    fields = {"invite": invite, "issuer": office.lms.url, "client_id": "c", "deployment_id": "1"}

    refused = office.browser().post(
        "/lti/setup", data=fields, headers={"Origin": "https://evil.example"}
    )

    assert refused.status_code == 403
    assert office.is_usable(invite)


def test_r27_other_redirect_addresses_are_an_error(office):
    office.lms.answer = {"redirect_uris": ["https://evil.example/launch"]}
    invite = office.invite()

    page = office.registered(invite)

    assert_failed(office, invite, page)


def test_r27_scopes_and_claims_that_were_dropped_are_shown_and_logged(office, caplog):
    caplog.set_level(logging.INFO)
    office.lms.answer = {"scope": "https://purl.imsglobal.org/spec/lti-ags/scope/score"}
    office.lms.tool = {"deployment_id": "7", "claims": ["iss", "sub"]}

    page = office.registered()

    assert "did not grant the scope" in page.text
    assert "did not grant the claim name" in page.text
    assert "did not grant the claim name" in caplog.text


@pytest.mark.parametrize("way", ["by itself", "by hand"])
def test_r29_a_new_platform_may_not_launch_before_it_is_approved(office, way):
    invite = office.invite()
    if way == "by itself":
        office.registered(invite)
    else:
        fields = {"invite": invite, "issuer": office.lms.url, "client_id": "new-client"}
        office.browser().post(
            "/lti/setup", data=fields | {"deployment_id": "7"}, headers=SAME_ORIGIN
        )
    platform = office.platforms()["Invited LMS"]
    login = {
        "iss": platform.issuer,
        "client_id": platform.client_id,
        "login_hint": "1",
        "target_link_uri": "https://waymark.example/lti/launch",
    }

    answer = office.browser().post("/lti/login", data=login)

    assert platform.state == "pending"
    assert answer.status_code == 404


def test_an_invitation_belongs_to_one_district(office):
    office.registered(office.invite("B"))

    assert "Invited LMS" in office.platforms("B")
    assert "Invited LMS" not in office.platforms("A")


def test_a_hosted_school_is_believed_because_the_invitation_names_it(office):
    office.lms.product = "canvas"
    office.lms.configuration = {"issuer": HOSTED_ISSUER}

    office.registered(office.invite(issuer=HOSTED_ISSUER))

    assert office.platforms()["Invited LMS"].issuer == HOSTED_ISSUER


def test_a_hosted_school_that_nobody_named_is_not_asked(office):
    office.lms.product = "canvas"
    office.lms.configuration = {"issuer": HOSTED_ISSUER}
    invite = office.invite(issuer=HOSTED_ISSUER, api_url="https://school.instructure.com")

    page = office.begin(office.browser(), invite)

    assert_failed(office, invite, page)
    assert office.lms.asked == []


@pytest.mark.parametrize("path", ["/lti/register", "/lti/setup"])
def test_reading_the_head_of_a_door_begins_nothing(office, path):
    query = {"invite": office.invite(), "openid_configuration": office.lms.url + "/c"}

    answer = office.browser().head(path, query_string=query)

    assert answer.status_code == 405
    assert office.lms.asked == []


@pytest.mark.parametrize("begun_id", ["x" * 43, "x", "", "../register", "x" * 4000])
def test_a_registration_that_nobody_began_is_not_there(office, begun_id):
    browser = office.browser()

    shown = browser.get(f"/lti/register/{begun_id}")
    sent = browser.post("/lti/register", data={"registration": begun_id}, headers=SAME_ORIGIN)

    assert shown.status_code in {403, 404, 405, 410}
    assert sent.status_code == 410


def test_the_doors_close_on_machines(office):
    browser = office.browser()

    answers = [browser.get("/lti/setup?invite=x").status_code for _ in range(90)]

    assert answers[0] == 403
    assert answers[-1] == 429
