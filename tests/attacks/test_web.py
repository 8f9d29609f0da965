"""The web around a launch: headers, hosts, cookies, and addresses: contracts/lti.md 4.W."""

import json
import re
import secrets

import pytest

from tests.attacks.seen import pages
from tests.attacks.verdict import assert_accepted, assert_refused, cookies_of
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.platform import TOOL, begin, launch


@pytest.fixture(scope="module")
def tables(shared_stage):
    """The classroom, filled once: the attacks change nothing in it."""
    return fill(shared_stage)


@pytest.mark.parametrize(
    ("person", "page"), [({}, "me"), (TEACHER, "class"), (GUARDIAN, "family")], ids=str
)
@pytest.mark.usefixtures("tables")
def test_w01_a_page_may_be_framed_by_its_lms_alone(stage, person, page):
    browser = stage.browser()
    response = browser.get(launch(browser, stage.lms, **person).headers["Location"])

    assert response.request.path.endswith(page)
    policy = response.headers["Content-Security-Policy"]
    assert re.search(r"frame-ancestors ([^;]+)", policy)[1].split() == [
        "'self'",
        "https://lms.example",
        "https://school.lms.example",
    ]
    assert "X-Frame-Options" not in response.headers


def test_w02_the_lms_of_one_tenant_frames_no_page_of_another(stage):
    browser = stage.browser()

    response = browser.get(launch(browser, stage.other_issuer).headers["Location"])

    assert "https://lms2.example" in response.headers["Content-Security-Policy"]
    assert " https://lms.example" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/lti/jwks", "/nowhere", "/static/waymark.css"])
def test_w04_who_does_not_launch_gets_no_cookie(stage, path):
    with stage.browser().get(path) as response:
        assert cookies_of(response) == ""


@pytest.mark.parametrize("path", ["/", "/l/" + "0" * 32 + "/me", "/nowhere", "/lti/register"])
def test_w05_nothing_but_the_doors_of_lti_takes_a_post_from_anywhere(stage, path):
    response = stage.browser().post(
        path, data={"id": "x", "csrf": "x"}, headers={"Origin": "https://evil.example"}
    )

    assert response.status_code in {400, 403, 404, 405}


def test_w05_nothing_of_a_visit_is_changed_by_a_get(stage):
    rules = [rule for rule in stage.app.url_map.iter_rules() if rule.rule.startswith("/l/")]

    assert {method for rule in rules for method in rule.methods} <= {
        "GET", "HEAD", "OPTIONS", "POST",
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "next=https://evil.example",
        "return_url=//evil.example",
        "target_link_uri=https://evil.example",
        "redirect=javascript:alert(1)",
        "//evil.example",
        "x=%0d%0aLocation:%20https://evil.example",
        "\\evil.example",
        "@evil.example",
    ],
)
def test_w07_no_link_leads_off_our_origin(stage, query):
    response = launch(stage.browser(), stage.lms, target_link_uri=f"{TOOL}/lti/launch?{query}")

    if response.status_code == 303:
        assert_accepted(stage, response)
        assert re.fullmatch(r"/l/[0-9a-f]{32}/me\?[!-~]*", response.headers["Location"])
        assert "\r" not in response.headers["Location"]
    else:
        assert_refused(stage, response)


@pytest.mark.parametrize(
    "path", ["//evil.example", "//healthz", "/l//" + "0" * 32, "/l/" + "0" * 32, "/%5Cevil.example"]
)
def test_w07_no_address_is_mended_by_leading_elsewhere(stage, path):
    response = stage.browser().get(
        "/", headers={"Host": "evil.example"}, environ_overrides={"PATH_INFO": path}
    )

    assert "Location" not in response.headers
    assert response.status_code in {200, 404}


def test_w09_no_log_line_of_a_launch_holds_what_was_sent(stage, caplog):
    caplog.set_level("DEBUG")
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce, name="Ada \x1b[31m\r\nfaked: line"))

    launched = browser.post("/lti/launch", data={"id_token": token, "state": login.state})
    browser.get(launched.headers["Location"])

    session = cookies_of(launched).rpartition("=")[2][:20]
    for secret in (token, login.state, login.nonce, "ada@", "Ada", "faked", "\x1b", session):
        assert secret not in caplog.text


def test_w10_a_refusal_is_logged_with_the_reference_of_its_page_and_a_word(stage, caplog):
    caplog.set_level("INFO")

    response = stage.browser().post("/lti/launch", data={"id_token": "a.b.c", "state": "x"})

    reference = re.search(r"[0-9a-f]{8}", response.text.partition("Reference")[2])[0]
    (line,) = [line for line in caplog.text.splitlines() if reference in line]
    assert "reason=state_unknown" in line


@pytest.mark.parametrize("person", [{}, TEACHER, GUARDIAN, ADMINISTRATOR], ids=str)
@pytest.mark.usefixtures("tables")
def test_w11_no_page_of_a_person_is_kept_by_the_browser(stage, person):
    browser = stage.browser()

    for page in pages(browser, launch(browser, stage.lms, **person)):
        assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Original-Host", "Forwarded"])
@pytest.mark.parametrize("value", ["evil.example", "waymark.example:1234", "evil.example/x?", ""])
def test_w13_where_waymark_is_comes_from_its_settings(stage, header, value):
    response = stage.browser().post(
        "/lti/login", data=stage.lms.login_form(), headers={header: value}
    )

    assert (
        "redirect_uri=https%3A%2F%2Fwaymark.example%2Flti%2Flaunch&"
        in (response.headers["Location"])
    )


def test_w13_what_waymark_says_of_itself_does_not_come_from_the_host_header(stage):
    response = stage.browser().get("/lti/canvas.json", headers={"Host": "evil.example"})

    assert response.status_code == 200
    assert "evil.example" not in response.text
    assert f"{TOOL}/lti/login" in json.dumps(response.json)


def test_w14_a_visitor_does_not_choose_the_address_that_is_counted(fresh_stage):
    statuses = {
        fresh_stage.bare()
        .post("/lti/launch", headers={"X-Forwarded-For": f"10.0.0.{number % 250}"})
        .status_code
        for number in range(1_600)
    }

    assert 429 in statuses


def test_w15_ninety_logins_side_by_side_leave_small_headers(stage):
    browser = stage.browser()
    for _ in range(90):
        stage.clock.pass_time(seconds=1)
        last = begin(browser, stage.lms)

    sent = "; ".join(f"{one.key}={one.value}" for one in browser._cookies.values())
    assert len(sent) < 2_000
    posted = {"id_token": stage.lms.sign(stage.lms.claims(last.nonce)), "state": last.state}
    assert_accepted(stage, browser.post("/lti/launch", data=posted))


def test_w15_ninety_foreign_cookies_are_cleared_and_do_no_harm(stage):
    foreign = "; ".join(f"__Host-waymark-login-{number:08x}=0.{'x' * 40}" for number in range(90))

    response = stage.bare().post(
        "/lti/login", data=stage.lms.login_form(), headers={"Cookie": foreign}
    )

    assert response.status_code == 302
    assert len(re.findall(r"login-[0-9a-f]{8}=;", cookies_of(response))) >= 60


@pytest.mark.parametrize(
    "path", ["/", "/lti/jwks", "/nowhere", "/l/" + "0" * 32 + "/me", "/static/waymark.css"]
)
def test_w17_every_answer_has_the_headers_that_protect_it(stage, path):
    with stage.browser().get(path) as response:
        headers = response.headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "geolocation=()" in headers["Permissions-Policy"]
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'self'", "base-uri 'none'", "form-action"):
        assert part in policy
    assert "unsafe" not in policy


def test_w18_no_answer_says_what_waymark_is_made_of(stage):
    for path in ("/", "/nowhere", "/lti/launch"):
        response = stage.browser().get(path)
        assert "X-Powered-By" not in response.headers
        assert not re.search(
            r"Traceback|werkzeug|flask|/site-packages/", response.text, re.IGNORECASE
        )


@pytest.mark.parametrize("page", ["me", "class", "family", "runs", "courses", "choose", "", "x"])
def test_w19_a_guessed_launch_is_not_there(stage, page):
    for _ in range(50):
        response = stage.browser().get(f"/l/{secrets.token_hex(16)}/{page}")
        assert response.status_code == 404


@pytest.mark.parametrize(
    "launch_id", ["0" * 31, "0" * 33, "G" * 32, "A" * 32, "..", "%00", "*", "0" * 31 + "\u0660"]
)
def test_w19_what_is_no_launch_id_is_no_address(stage, launch_id):
    assert stage.browser().get(f"/l/{launch_id}/me").status_code == 404


@pytest.mark.parametrize("person", [{}, TEACHER, GUARDIAN, ADMINISTRATOR], ids=str)
@pytest.mark.parametrize("page", ["learners", "class", "runs"])
def test_w19_no_number_in_an_address_shows_what_belongs_to_another_tenant(
    stage, tables, person, page
):
    browser = stage.browser()
    base = launch(browser, stage.lms, **person).headers["Location"].rpartition("/")[0]

    for number in [*range(60), 2**31, 2**63 - 1, 10**18 - 1]:
        response = browser.get(f"{base}/{page}/{number}")
        assert response.status_code in {200, 403, 404}
        assert "Foreign" not in response.text
    assert tables.learner["Foreigner"] < 60


@pytest.mark.parametrize("number", ["-1", "1.5", "1e3", "٣", "1" * 19, "0x1", "1%00", "null"])
def test_w19_what_is_no_number_is_no_address(stage, number):
    browser = stage.browser()
    base = launch(browser, stage.lms, **TEACHER).headers["Location"].rpartition("/")[0]

    assert browser.get(f"{base}/learners/{number}").status_code == 404


def test_w20_a_body_of_two_megabytes_is_not_read(stage):
    response = stage.browser().post("/lti/launch", data={"state": "x" * 2_000_000})

    assert response.status_code == 413


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PATCH", "PROPFIND"])
def test_w26_methods_that_nothing_needs_are_refused(stage, method):
    for path in ("/", "/lti/launch", "/lti/jwks"):
        assert stage.browser().open(path, method=method).status_code == 405


def said(stage, **changes):
    """What a person reads when a launch with these changes is refused."""
    browser = stage.browser()
    login = begin(browser, stage.lms)
    key, header = changes.pop("key", None), changes.pop("header", None)
    token = stage.lms.sign(stage.lms.claims(**({"nonce": login.nonce} | changes)), header, key=key)
    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})
    assert_refused(stage, response)
    return response.status_code, response.text.partition("Reference")[0]


def test_w25_whatever_is_not_proven_is_told_in_the_same_words(stage, signing_keys):
    told = {
        said(stage, header={"alg": "RS256", "kid": "k9"}),
        said(stage, key=signing_keys["attacker"]),
        said(stage, nonce="another"),
        said(stage, iss="https://lms2.example"),
        said(stage, aud="client-B"),
        said(stage, exp=1),
        said(stage, header={"alg": "HS256", "kid": "k1"}),
    }

    assert len(told) == 1


def test_w25_an_unknown_platform_and_a_suspended_one_are_told_in_the_same_words(fresh_stage):
    stage = fresh_stage
    unknown = stage.browser().post("/lti/login", data=stage.lms.login_form(iss="https://x.example"))
    with stage.container.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE platforms SET is_active = 0")
    stage.container.registrations_changed()
    stage.clock.pass_time(minutes=1)

    suspended = stage.browser().post("/lti/login", data=stage.lms.login_form())

    assert unknown.status_code == suspended.status_code == 404
    assert unknown.text.partition("Reference")[0] == suspended.text.partition("Reference")[0]
