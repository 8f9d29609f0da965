"""Browsers without cookies: contracts/lti.md 4.P, on the server's side."""

import html
import json
import re

import pytest

from tests.attacks.verdict import SESSION_COOKIE, assert_refused, cookies_of
from tests.lti_tool.platform import MEMBERSHIP, Login

TARGET = "post_message_forwarding"


def begin_without_cookies(stage, **changes):
    """A login by a browser that keeps nothing; what its page would have the LMS keep."""
    response = stage.bare().post(
        "/lti/login", data=stage.lms.login_form(lti_storage_target=TARGET, **changes)
    )
    assert response.status_code == 200, response.text
    sent = dict(re.findall(r'data-([a-z-]+)="([^"]*)"', response.text))
    address = html.unescape(sent["address"])
    query = dict(re.findall(r"[?&](state|nonce)=([^&]*)", address))
    login = Login(state=query["state"], nonce=query["nonce"], query={}, response=response)
    return login, html.unescape(sent["key"]), html.unescape(sent["value"])


def posted(stage, login, **changes):
    token = stage.lms.sign(stage.lms.claims(**({"nonce": login.nonce} | changes)))
    return stage.bare().post("/lti/launch", data={"id_token": token, "state": login.state})


def ticket_of(response):
    assert response.status_code == 200, response.text
    return html.unescape(re.search(r'data-ticket="([^"]+)"', response.text)[1])


def prove(stage, ticket, value):
    return stage.bare().post("/lti/proof", data={"ticket": ticket, "value": value})


def test_p07_a_launch_without_a_cookie_shows_nothing_until_the_secret_is_shown(stage):
    login, _, _ = begin_without_cookies(stage)

    response = posted(stage, login, roles=[MEMBERSHIP + "Instructor"])

    assert response.status_code == 200
    assert not SESSION_COOKIE.search(cookies_of(response))
    assert stage.keys("waymark:launch:*") == []
    assert "Ada" not in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_p01_the_secret_of_the_lms_opens_the_session(stage):
    login, key, value = begin_without_cookies(stage)
    ticket = ticket_of(posted(stage, login))

    answer = prove(stage, ticket, value)

    assert key.startswith("lti_state_")
    assert answer.status_code == 200
    opened = json.loads(answer.text)
    headers = {"Authorization": f"Bearer {opened['bearer']}"}
    assert stage.bare().get(opened["page"], headers=headers).status_code == 200
    assert opened["bearer"] not in opened["page"]


def test_p18_a_page_without_the_bearer_is_not_there(stage):
    login, _, value = begin_without_cookies(stage)
    opened = json.loads(prove(stage, ticket_of(posted(stage, login)), value).text)

    assert stage.bare().get(opened["page"]).status_code == 404
    for wrong in ("Bearer x", "Bearer ", "Basic abc", "Bearer \xff"):
        response = stage.bare().get(opened["page"], headers={"Authorization": wrong})
        assert response.status_code in {401, 404}


@pytest.mark.parametrize("value", ["", "x", "x" * 43])
def test_p09_another_value_opens_nothing_and_uses_up_the_ticket(stage, value):
    login, _, right = begin_without_cookies(stage)
    ticket = ticket_of(posted(stage, login))

    refused = prove(stage, ticket, value)

    assert refused.status_code in {400, 401}
    assert json.loads(refused.text)["title"]
    if value:
        assert prove(stage, ticket, right).status_code == 401
    assert stage.keys("waymark:launch:*") == []


def test_p11_a_ticket_is_good_once(stage):
    login, _, value = begin_without_cookies(stage)
    ticket = ticket_of(posted(stage, login))
    assert prove(stage, ticket, value).status_code == 200

    assert prove(stage, ticket, value).status_code == 401


def test_p11_the_value_of_another_login_opens_nothing(stage):
    first, _, _ = begin_without_cookies(stage)
    _, _, others = begin_without_cookies(stage)

    assert prove(stage, ticket_of(posted(stage, first)), others).status_code == 401


def test_a_login_without_storage_still_needs_its_cookie(stage):
    response = stage.bare().post("/lti/login", data=stage.lms.login_form())
    query = dict(re.findall(r"[?&](state|nonce)=([^&]*)", response.headers["Location"]))
    login = Login(state=query["state"], nonce=query["nonce"], query={}, response=response)

    assert_refused(stage, posted(stage, login))


def test_a_wrong_cookie_is_not_mended_by_storage(stage):
    from lti_tool.launch.cookies import LOGIN_PREFIX, cookie_name

    login, _, _ = begin_without_cookies(stage)
    token = stage.lms.sign(stage.lms.claims(login.nonce))
    name = cookie_name(LOGIN_PREFIX, login.state)

    response = stage.bare().post(
        "/lti/launch",
        data={"id_token": token, "state": login.state},
        headers={"Cookie": f"{name}=planted"},
    )

    assert_refused(stage, response)


def test_a_launch_waits_for_its_proof_once(stage):
    login, _, _ = begin_without_cookies(stage)
    ticket_of(posted(stage, login))

    assert_refused(stage, posted(stage, login))


def test_p12_a_browser_that_keeps_the_cookie_needs_no_storage(stage):
    browser = stage.browser()
    form = stage.lms.login_form(lti_storage_target=TARGET)
    page = browser.post("/lti/login", data=form)
    address = html.unescape(re.search(r'data-address="([^"]*)"', page.text)[1])
    query = dict(re.findall(r"[?&](state|nonce)=([^&]*)", address))
    token = stage.lms.sign(stage.lms.claims(query["nonce"]))

    launched = browser.post("/lti/launch", data={"id_token": token, "state": query["state"]})
    again = browser.post("/lti/login", data=form)

    assert launched.status_code == 303
    assert again.status_code == 302


@pytest.mark.parametrize(
    "target", ["'\"><script>alert(1)</script>", "a" * 200, "a b", "<img>", "javascript:1"]
)
def test_p17_a_strange_storage_target_is_no_storage(stage, target):
    response = stage.bare().post("/lti/login", data=stage.lms.login_form(lti_storage_target=target))

    assert response.status_code == 200
    assert "<script>alert" not in response.text
    assert "data-value" not in response.text


def test_a_framed_login_without_storage_gets_the_page_that_tries_cookies(stage):
    response = stage.bare().post(
        "/lti/login", data=stage.lms.login_form(), headers={"Sec-Fetch-Dest": "iframe"}
    )

    assert response.status_code == 200
    assert (
        "frame-ancestors 'self' https://lms.example"
        in (response.headers["Content-Security-Policy"])
    )


def test_values_of_a_login_are_escaped_in_its_page(stage):
    response = stage.bare().post(
        "/lti/login",
        data=stage.lms.login_form(lti_storage_target="_parent", login_hint='"><b id=x>'),
    )

    assert "<b id=x>" not in response.text
    assert "%3Cb" in response.text
