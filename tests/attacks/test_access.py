"""Attacks on the way by which an administrator authorises access to Canvas's own API."""

import logging
import re
from urllib.parse import urlsplit

import pytest

from tests.lti_tool.access import CALLBACK, SAME_ORIGIN, open_desk


@pytest.fixture
def desk(fresh_stage):
    with open_desk(fresh_stage) as desk:
        yield desk


def assert_nothing_kept(desk, tenants="AB"):
    assert not any(desk.access(tenant).is_authorized for tenant in tenants)
    assert desk.canvas.seen == []


@pytest.mark.parametrize("state", ["", "guessed", "x" * 43, "é", "x" * 500])
def test_a_state_that_nobody_was_given_is_refused(desk, state):
    browser = desk.browser()
    desk.leave(browser, desk.link())

    page = desk.come_back(browser, code="c0de", state=state)

    assert page.status_code == 410
    assert "Reference number" in page.text
    assert_nothing_kept(desk)


def test_a_consent_that_began_in_another_browser_is_refused(desk):
    state = desk.leave(desk.browser(), desk.link())["state"]
    other = desk.browser()
    desk.leave(other, desk.link())

    page = desk.come_back(other, code="c0de", state=state)

    assert page.status_code == 410
    assert_nothing_kept(desk)


def test_a_cookie_of_another_consent_does_not_do(desk):
    browser = desk.browser()
    first = desk.leave(browser, desk.link())["state"]
    (cookie,) = browser.jar
    other = desk.browser()
    desk.leave(other, desk.link())
    browser.jar[cookie] = next(iter(other.jar.values()))

    page = desk.come_back(browser, code="c0de", state=first)

    assert page.status_code == 410
    assert_nothing_kept(desk)


def test_a_consent_that_came_back_once_does_not_come_back_again(desk):
    browser = desk.browser()
    state = desk.leave(browser, desk.link())["state"]
    desk.come_back(browser, error="access_denied", state=state)

    page = desk.come_back(browser, code="c0de", state=state)

    assert page.status_code == 410
    assert_nothing_kept(desk)


def test_a_replayed_return_changes_nothing_and_asks_canvas_nothing(desk):
    browser = desk.browser()
    state = desk.leave(browser, desk.link())["state"]
    kept = dict(browser.jar)
    desk.come_back(browser, code="c0de", state=state)
    browser.jar.update(kept)

    page = desk.come_back(browser, code="other", state=state)

    assert page.status_code == 410
    assert len(desk.canvas.seen) == 1


def test_a_consent_ends_after_ten_minutes(desk):
    desk.leave(desk.browser(), desk.link())

    (key,) = desk.container.redis.scan_iter("waymark:access-consent:*")

    assert desk.container.redis.ttl(key) == 600


def test_of_two_consents_by_one_address_the_second_is_refused(desk):
    link, browsers = desk.link(), [desk.browser(), desk.browser()]
    states = [desk.leave(browser, link)["state"] for browser in browsers]

    pages = [
        desk.come_back(browser, code="c0de", state=state)
        for browser, state in zip(browsers, states, strict=True)
    ]

    assert [page.status_code for page in pages] == [200, 403]
    assert len(desk.canvas.seen) == 1


def test_the_other_districts_access_is_never_touched(desk):
    desk.authorize(desk.browser(), desk.link("A"))

    assert desk.access("A").is_authorized
    assert not desk.access("B").is_authorized


def test_an_address_is_worth_nothing_for_a_platform_that_went_to_another_district(desk):
    link = desk.link("A")
    desk.ids["A"], desk.ids["B"] = desk.ids["B"], desk.ids["A"]
    with desk.container.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE platforms SET tenant_id = ? WHERE name = 'Canvas of A'",
            (desk.stage.tenants["B"],),
        )

    assert desk.browser().get(link).status_code == 403


def test_a_key_that_was_changed_meanwhile_gets_no_old_consent(desk):
    browser = desk.browser()
    state = desk.leave(browser, desk.link())["state"]
    desk.save_key(client_id="501")

    page = desk.come_back(browser, code="c0de", state=state)

    assert page.status_code == 410
    assert_nothing_kept(desk)


@pytest.mark.parametrize("token", ["x" * 43, "x" * 42, "x" * 44, "..%2F" + "x" * 38])
def test_an_address_that_was_guessed_shows_no_platform(desk, token):
    for reply in (desk.browser().get(f"/lti/access/{token}"), _press(desk, token)):
        assert reply.status_code in {403, 404}
        assert "Canvas of" not in reply.text


def _press(desk, token):
    return desk.browser().post(f"/lti/access/{token}")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": ""},
        {"Origin": "https://waymark.example.evil", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_another_site_cannot_press_the_button(desk, headers):
    browser = desk.browser()

    reply = browser.post(desk.link(), **headers)

    assert reply.status_code == 403
    assert browser.jar == {}


@pytest.mark.parametrize(
    "added", ["redirect_uri=https://evil.example", "next=//evil.example", "return_to=https://e.x"]
)
def test_nobody_is_sent_anywhere_but_to_the_platforms_own_canvas(desk, added):
    browser = desk.browser()

    left = browser.post(f"{desk.link()}?{added}")
    state = desk.leave(browser, desk.link())["state"]
    done = browser.get(f"{CALLBACK}?code=c0de&state={state}&{added}")

    assert urlsplit(left.headers["Location"]).netloc == urlsplit(desk.canvas.url).netloc
    assert "evil" not in left.headers["Location"]
    assert "Location" not in done.headers
    assert "evil" not in done.text


def test_the_host_header_decides_nothing(desk):
    reply = desk.app.test_client().post(
        desk.link(), headers={**SAME_ORIGIN, "Host": "evil.example"}
    )

    assert "evil" not in reply.headers["Location"]


def test_a_parameter_that_comes_twice_is_refused(desk):
    browser = desk.browser()
    state = desk.leave(browser, desk.link())["state"]

    page = browser.get(f"{CALLBACK}?code=a&code=b&state={state}")

    assert page.status_code == 400
    assert_nothing_kept(desk)


def test_a_head_request_ends_nothing(desk):
    browser = desk.browser()
    state = desk.leave(browser, desk.link())["state"]

    head = desk.app.test_client().head(f"{CALLBACK}?code=c0de&state={state}")

    assert head.status_code == 405
    assert desk.come_back(browser, code="c0de", state=state).status_code == 200


def test_the_cookie_stays_with_the_browser_and_goes_when_it_is_done(desk):
    browser = desk.browser()
    desk.authorize(browser, desk.link())

    given, taken = browser.set_cookies
    for part in ("Path=/", "Secure", "SameSite=Lax", "HttpOnly", "Max-Age=600"):
        assert part in given
    assert re.match(r"__Host-waymark-access-[0-9a-f]{8}=", given)
    assert "Domain" not in given
    assert "Max-Age=0" in taken


def test_no_secret_state_or_code_is_logged(desk, caplog):
    caplog.set_level(logging.DEBUG)
    browser, link = desk.browser(), desk.link()
    state = desk.leave(browser, link)["state"]
    desk.come_back(browser, code="c0de-c0de", state="other")
    desk.come_back(browser, error="sent-error", state=state)

    for text in (state, "c0de-c0de", "sent-error", link.rpartition("/")[2], "key-secret"):
        assert text not in caplog.text
    assert "access_state_unknown" in caplog.text


def test_redis_keeps_no_token_state_or_secret_in_the_clear(desk):
    browser, link = desk.browser(), desk.link()
    state = desk.leave(browser, link)["state"]
    redis = desk.container.redis

    stored = b"".join(key + (redis.get(key) or b"") for key in redis.scan_iter("waymark:access-*"))

    for text in (state, link.rpartition("/")[2], *browser.jar.values()):
        assert text.encode() not in stored
