"""Login initiations: what must not begin anything, and what a begun one looks like: 4.L."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.attacks.verdict import LOGIN_COOKIE, assert_accepted, assert_refused, cookies_of
from tests.lti_tool.platform import TOOL, begin

BAD = {
    "L03 no issuer": {"iss": ...},
    "L04 no login hint": {"login_hint": ...},
    "L05 no target": {"target_link_uri": ...},
    "L06 unknown issuer": {"iss": "https://evil.example"},
    "L07 unknown client": {"client_id": "client-X"},
    "L10 target elsewhere": {"target_link_uri": "https://evil.example/x"},
    "L11 target without scheme": {"target_link_uri": "//evil.example/x"},
    "L12 target with a user": {"target_link_uri": "https://waymark.example@evil.example/"},
    "L13 target is a script": {"target_link_uri": "javascript:alert(1)"},
    "L14 target with a backslash": {"target_link_uri": "https://waymark.example\\@evil.example/"},
    "target on another port": {"target_link_uri": "https://waymark.example:8443/lti/launch"},
    "target in the clear": {"target_link_uri": "http://waymark.example/lti/launch"},
    "target with a broken port": {"target_link_uri": "https://waymark.example:port/"},
    "target with a line break": {"target_link_uri": TOOL + "/\r\nSet-Cookie: a=b"},
    "L15 large hint": {"login_hint": "x" * 100_000},
    "L16 long message hint": {"lti_message_hint": "x" * 5_000},
    "L19 large issuer": {"iss": "https://" + "x" * 100_000},
    "L20 issuer with a null": {"iss": "https://lms.example\x00"},
    "L23 issuer twice": {"iss": ["https://lms.example", "https://evil.example"]},
    "L23 hint twice": {"login_hint": ["a", "b"]},
    "L24 the same value twice": {"iss": ["https://lms.example", "https://lms.example"]},
    "L24 a strange parameter twice": {"foo": ["a", "b"]},
    "L16 many small parameters": {f"p{number}": "x" * 100 for number in range(200)},
    "L16 more parameters than there are": {f"p{number}": "" for number in range(3_000)},
    "L20 issuer with a line break": {"iss": "https://lms.example\r\nSet-Cookie: a=b"},
    "issuer with a slash at its end": {"iss": "https://lms.example/"},
    "issuer with blanks": {"iss": " https://lms.example "},
    "client of another issuer": {"client_id": "client-2"},
    "client in capitals": {"client_id": "CLIENT-A"},
    "client with a null": {"client_id": "client-A\x00"},
    "T05 no client among two": {"client_id": ...},
    "empty client among two": {"client_id": ""},
    "issuer in capitals": {"iss": "HTTPS://LMS.EXAMPLE"},
    "issuer is an injection": {"iss": "' OR '1'='1"},
}


def ids(cases):
    return [pytest.param(change, id=name) for name, change in cases.items()]


@pytest.mark.parametrize("change", ids(BAD))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bad_login_begins_nothing(stage, change, method):
    form = stage.lms.login_form(**change)

    if method == "POST":
        response = stage.browser().post("/lti/login", data=form)
    else:
        response = stage.browser().get("/lti/login?" + urlencode(form, doseq=True))

    assert_refused(stage, response)
    assert stage.keys("waymark:login:*") == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
def test_l25_other_methods_are_not_allowed_on_login(stage, method):
    response = stage.browser().open(
        "/lti/login", method=method, query_string=stage.lms.login_form()
    )

    assert response.status_code == 405
    assert stage.keys("waymark:login:*") == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_a_launch_is_posted_and_nothing_else(stage, method):
    assert stage.browser().open("/lti/launch", method=method).status_code == 405


def test_a_json_login_is_refused(stage):
    response = stage.browser().post("/lti/login", json=stage.lms.login_form())

    assert_refused(stage, response)


def test_the_page_does_not_repeat_what_was_sent(stage):
    response = stage.browser().post(
        "/lti/login", data=stage.lms.login_form(iss="https://<script>alert(1)</script>")
    )

    assert "<script" not in response.text
    assert "alert(1)" not in response.text


def test_w13_a_forged_host_header_changes_no_address(stage):
    response = stage.browser().post(
        "/lti/login", data=stage.lms.login_form(), headers={"Host": "evil.example"}
    )

    assert "evil.example" not in response.headers["Location"]
    assert (
        "redirect_uri=https%3A%2F%2Fwaymark.example%2Flti%2Flaunch"
        in (response.headers["Location"])
    )


def test_l22_a_message_hint_as_long_as_canvass_is_given_back_whole(stage):
    hint = "eyJ0eXAiOiJKV1QifQ." + "a" * 1_000 + ".x_-"

    assert begin(stage.browser(), stage.lms, lti_message_hint=hint).query["lti_message_hint"] == [
        hint
    ]


def test_l26_a_posted_login_is_read_from_its_form_alone(stage):
    form = stage.lms.login_form()
    client = form.pop("client_id")

    response = stage.browser().post("/lti/login", query_string={"client_id": client}, data=form)

    assert_refused(stage, response)


def test_l15_a_login_that_does_not_say_its_length_is_measured_too(stage):
    body = urlencode(stage.lms.login_form() | {f"p{n}": "x" * 4_000 for n in range(20)})

    response = stage.browser().post(
        "/lti/login",
        input_stream=io.BytesIO(body.encode()),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )

    assert_refused(stage, response)


def test_l19_a_long_issuer_makes_no_long_line_in_the_log(stage, caplog):
    caplog.set_level("DEBUG")

    stage.browser().post("/lti/login", data=stage.lms.login_form(iss="https://" + "x" * 400))

    assert "LoginRefused" in caplog.text
    assert max(len(line) for line in caplog.text.splitlines()) < 400


def test_l27_two_logins_at_once_in_one_browser_both_launch(stage):
    browser = stage.browser()
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda _: stage.bare().post("/lti/login", data=stage.lms.login_form()), range(2)
            )
        )
    for line in "\n".join(cookies_of(answer) for answer in answers).splitlines():
        name, _, value = line.partition(";")[0].partition("=")
        browser.set_cookie(name, value, domain="localhost", secure=True)

    for answer in answers:
        state, nonce = (
            re.search(rf"[?&]{name}=([^&]+)", answer.headers["Location"])[1]
            for name in ("state", "nonce")
        )
        posted = {"id_token": stage.lms.sign(stage.lms.claims(nonce)), "state": state}
        assert_accepted(stage, browser.post("/lti/launch", data=posted))


def test_l28_the_cookie_of_a_login_lives_ten_minutes_at_most(stage):
    line = LOGIN_COOKIE.search(cookies_of(begin(stage.browser(), stage.lms).response)).string

    assert int(re.search(r"login-[^;]+;.*?Max-Age=(\d+)", line)[1]) <= 600


@pytest.mark.parametrize("change", [{}, {"iss": "https://evil.example"}], ids=["begun", "refused"])
def test_l29_a_login_is_kept_nowhere_and_tells_nobody_where_it_came_from(stage, change):
    response = stage.browser().post("/lti/login", data=stage.lms.login_form(**change))

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_l02_a_login_by_get_is_as_good_as_one_by_post(stage):
    browser = stage.browser()
    response = browser.get("/lti/login?" + urlencode(stage.lms.login_form()))
    state, nonce = (
        re.search(rf"[?&]{name}=([^&]+)", response.headers["Location"])[1]
        for name in ("state", "nonce")
    )

    posted = {"id_token": stage.lms.sign(stage.lms.claims(nonce)), "state": state}

    assert_accepted(stage, browser.post("/lti/launch", data=posted))
