"""State, nonce, replay and sessions: contracts/lti.md 4.S, 4.T and 4.W."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.attacks.verdict import (
    LOGIN_COOKIE,
    SESSION_COOKIE,
    assert_accepted,
    assert_refused,
    cookies_of,
)
from tests.lti_tool.platform import begin, launch


def form(stage, login, lms=None, **changes):
    lms = lms or stage.lms
    return {
        "id_token": lms.sign(lms.claims(**({"nonce": login.nonce} | changes))),
        "state": login.state,
    }


@pytest.mark.parametrize("state", ["", "x", "state-" + "a" * 43, "\x00", "x" * 600])
def test_a_state_never_issued_is_refused(stage, state):
    browser = stage.browser()
    login = begin(browser, stage.lms)

    response = browser.post("/lti/launch", data=form(stage, login) | {"state": state})

    assert_refused(stage, response)


def test_s03_a_launch_posted_by_another_browser_is_refused(stage):
    login = begin(stage.browser(), stage.lms)

    assert_refused(stage, stage.browser().post("/lti/launch", data=form(stage, login)))


def test_the_rightful_browser_may_still_launch_after_another_one_tried(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)

    stage.browser().post("/lti/launch", data=form(stage, login))

    assert_accepted(stage, browser.post("/lti/launch", data=form(stage, login)))


def test_s04_the_same_launch_twice_is_refused(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    posted = form(stage, login)
    assert_accepted(stage, browser.post("/lti/launch", data=posted))
    stage.container.redis.delete(*stage.keys("waymark:launch:*"))

    assert_refused(stage, browser.post("/lti/launch", data=posted))


def test_s05_replaying_with_the_login_cookie_kept_is_refused(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    kept = cookies_of(login.response).partition(";")[0]
    posted = form(stage, login)
    browser.post("/lti/launch", data=posted)
    stage.container.redis.delete(*stage.keys("waymark:launch:*"))

    response = stage.bare().post("/lti/launch", data=posted, headers={"Cookie": kept})

    assert_refused(stage, response)


def test_s09_a_used_nonce_under_a_new_state_is_refused(stage):
    browser = stage.browser()
    first = begin(browser, stage.lms)
    browser.post("/lti/launch", data=form(stage, first))
    stage.container.redis.delete(*stage.keys("waymark:launch:*"))
    second = begin(browser, stage.lms)

    response = browser.post("/lti/launch", data=form(stage, second, nonce=first.nonce))

    assert_refused(stage, response)


def test_s10_the_nonce_of_a_parallel_login_is_refused(stage):
    browser = stage.browser()
    first, second = begin(browser, stage.lms), begin(browser, stage.lms)

    response = browser.post("/lti/launch", data=form(stage, first, nonce=second.nonce))

    assert_refused(stage, response)


def test_s11_of_many_equal_launches_at_once_one_is_taken(stage):
    login = begin(stage.browser(), stage.lms)
    cookie = cookies_of(login.response).partition(";")[0]
    posted = form(stage, login)

    def post(_number):
        return stage.bare().post("/lti/launch", data=posted, headers={"Cookie": cookie})

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(response.status_code for response in pool.map(post, range(8)))

    assert statuses == [303, *[401] * 7]
    assert len(stage.keys("waymark:launch:*")) == 1


def test_s13_a_planted_cookie_makes_no_state(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    planted = {"Cookie": "__Host-waymark-login-00000000=EVIL; state=EVIL"}

    response = stage.bare().post(
        "/lti/launch", data=form(stage, login) | {"state": "EVIL"}, headers=planted
    )

    assert_refused(stage, response)


def test_a_login_older_than_ten_minutes_is_gone(stage):
    begin(stage.browser(), stage.lms)

    assert 0 < stage.container.redis.ttl(stage.keys("waymark:login:*")[0]) <= 600


def test_s14_logins_begun_side_by_side_all_launch(stage):
    browser = stage.browser()
    logins = [begin(browser, stage.lms) for _ in range(5)]

    for login in reversed(logins):
        assert_accepted(stage, browser.post("/lti/launch", data=form(stage, login)))


def test_a_forged_launch_does_not_use_up_the_state(stage, signing_keys):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    forged = stage.lms.sign(stage.lms.claims(login.nonce), key=signing_keys["attacker"])

    refused = browser.post("/lti/launch", data={"id_token": forged, "state": login.state})

    assert_refused(stage, refused)
    assert_accepted(stage, browser.post("/lti/launch", data=form(stage, login)))


def test_s21_garbage_leaves_nothing_behind(stage):
    browser = stage.browser()
    before = stage.container.redis.dbsize()

    for number in range(50):
        browser.post("/lti/launch", data={"id_token": "a.b.c", "state": f"state-{number}"})

    assert stage.container.redis.dbsize() == before


def test_w15_a_browser_keeps_at_most_eight_login_cookies(stage):
    browser = stage.browser()

    for _ in range(12):
        stage.clock.pass_time(seconds=1)
        last = begin(browser, stage.lms)

    kept = [name for name in _cookie_names(browser) if "-login-" in name]
    assert len(kept) == 8
    assert_accepted(stage, browser.post("/lti/launch", data=form(stage, last)))


def test_a_browser_keeps_the_eight_newest_sessions(stage):
    browser = stage.browser()
    pages = []

    for _ in range(10):
        stage.clock.pass_time(seconds=1)
        pages.append(launch(browser, stage.lms).headers["Location"])

    assert [browser.get(page).status_code for page in pages] == [404, 404, *[200] * 8]


def _cookie_names(browser):
    return [cookie.key for cookie in browser._cookies.values()]


def test_w03_cookies_are_for_this_host_tls_and_this_frame_only(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    launched = browser.post("/lti/launch", data=form(stage, login))

    for line in (cookies_of(login.response), cookies_of(launched).splitlines()[-1]):
        assert line.startswith("__Host-waymark-")
        for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
            assert part in line
        assert "Domain" not in line


def test_s15_each_launch_has_a_session_of_its_own(stage):
    browser = stage.browser()

    first = launch(browser, stage.lms).headers["Location"]
    second = launch(browser, stage.lms).headers["Location"]

    assert first != second
    assert browser.get(first).status_code == 200
    assert browser.get(second).status_code == 200


def test_s17_a_session_of_another_browser_is_not_there(stage):
    page = launch(stage.browser(), stage.lms).headers["Location"]

    response = stage.browser().get(page)

    assert response.status_code == 404
    assert "Ada" not in response.text


def test_s17_a_guessed_key_does_not_tell_whether_the_session_exists(stage):
    page = urlsplit(launch(stage.browser(), stage.lms).headers["Location"]).path
    guesses = []

    for path in (page, re.sub(r"[0-9a-f]{32}", "0" * 32, page)):
        name = _session_cookie_name(path)
        response = stage.bare().get(path, headers={"Cookie": f"{name}=guess"})
        guesses.append((response.status_code, response.text.partition("Reference")[0]))

    assert guesses[0] == guesses[1]
    assert guesses[0][0] == 401


def _session_cookie_name(path):
    from lti_tool.launch.cookies import LAUNCH_PREFIX, cookie_name

    return cookie_name(LAUNCH_PREFIX, path.split("/")[2])


def test_s19_an_ended_session_says_how_to_come_back(stage):
    browser = stage.browser()
    page = launch(browser, stage.lms).headers["Location"]
    stage.container.redis.flushdb()

    response = browser.get(page)

    assert response.status_code == 401
    assert "open Waymark from there again" in response.text


def test_s23_a_token_is_no_key_to_a_page(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = form(stage, login)["id_token"]
    page = launch(browser, stage.lms).headers["Location"]

    response = stage.browser().get(page, headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 401
    assert "Ada" not in response.text


def test_t01_a_token_for_another_client_of_the_issuer_is_refused(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)

    response = browser.post("/lti/launch", data=form(stage, login, stage.same_issuer))

    assert_refused(stage, response)


def test_t03_another_platforms_key_cannot_speak_for_this_issuer(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce), key=stage.other_issuer.key)

    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})

    assert_refused(stage, response)


def test_t04_a_token_of_another_issuer_does_not_answer_this_login(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)

    response = browser.post("/lti/launch", data=form(stage, login, stage.other_issuer))

    assert_refused(stage, response)


def test_two_clients_of_one_issuer_are_two_tenants(stage):
    assert_accepted(stage, launch(stage.browser(), stage.lms))
    assert_accepted(stage, launch(stage.browser(), stage.same_issuer))

    import msgspec

    from lti_tool.launch.state import LaunchRecord

    found = {
        msgspec.json.decode(stage.container.redis.get(key), type=LaunchRecord).tenant
        for key in stage.keys("waymark:launch:*")
    }
    assert found == {stage.tenants["A"], stage.tenants["B"]}


def test_no_log_line_holds_what_was_sent(stage, caplog):
    caplog.set_level("DEBUG")
    browser = stage.browser()
    login = begin(browser, stage.lms)
    posted = form(stage, login, deployment_id="dep-\x1b[31m9")

    assert_refused(stage, browser.post("/lti/launch", data=posted))

    assert "ClaimsRefused" in caplog.text
    for secret in (posted["id_token"], login.state, login.nonce, "dep-", "ada@", "\x1b"):
        assert secret not in caplog.text


def test_a_refused_login_sets_no_cookie_at_all(stage):
    response = stage.browser().post("/lti/login", data=stage.lms.login_form(iss="x"))

    assert not LOGIN_COOKIE.search(cookies_of(response))
    assert not SESSION_COOKIE.search(cookies_of(response))
