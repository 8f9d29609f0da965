"""What an administrator of Canvas sees and gives when authorising Waymark in the browser."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from bootstrap.access import RIGHTS, SCOPES
from connectors.errors import Unauthorized
from tests.connectors.serving import answer_json
from tests.lti_tool.access import CALLBACK, GRANT, TOKEN, open_desk
from tests.lti_tool.platform import TOOL


@pytest.fixture
def desk(stage):
    with open_desk(stage) as desk:
        yield desk


def test_the_page_says_in_words_what_waymark_will_be_able_to_do(desk):
    page = desk.browser().get(desk.link())

    assert page.status_code == 200
    assert "Canvas of A" in page.text
    assert desk.canvas.url in page.text
    for right in RIGHTS:
        assert right.purpose.replace("'", "&#39;") in page.text
    for scope in SCOPES:
        assert f"<code>{scope}</code>" in page.text


def test_looking_at_the_page_begins_nothing_and_may_be_repeated(desk):
    link = desk.link()

    pages = [desk.browser().get(link) for _ in range(2)]

    assert [page.status_code for page in pages] == [200, 200]
    assert list(desk.container.redis.scan_iter("waymark:access-consent:*")) == []
    assert "Set-Cookie" not in pages[0].headers


def test_the_button_leads_to_that_canvas_with_every_scope_and_a_state(desk):
    browser = desk.browser()

    reply = browser.post(desk.link())

    address = urlsplit(reply.headers["Location"])
    assert reply.status_code == 303
    assert f"{address.scheme}://{address.netloc}" == desk.canvas.url
    assert address.path == "/login/oauth2/auth"
    asked = desk.leave(desk.browser(), desk.link())
    assert asked["client_id"] == "500"
    assert asked["redirect_uri"] == TOOL + CALLBACK
    assert asked["scope"].split() == list(SCOPES)
    assert len(asked["state"]) == 43


def test_the_way_to_canvas_is_allowed_by_the_pages_own_policy(desk):
    page = desk.browser().get(desk.link())

    policy = page.headers["Content-Security-Policy"]
    assert f"form-action 'self' {desk.canvas.url};" in policy
    assert "frame-ancestors 'self'" in policy


def test_a_consent_is_kept_sealed_with_who_gave_it_and_when(desk):
    browser = desk.browser()

    page = desk.authorize(browser, desk.link())

    access, box = desk.access(), desk.container.secrets
    assert page.status_code == 200
    assert "Service &lt;i&gt;User" in page.text
    assert 'waymark platform test "Canvas of A"' in page.text
    assert (access.user, access.authorized_at) == ("Service <i>User", desk.stage.clock.at)
    assert box.open(access.sealed_refresh_token) == "refresh-secret"
    assert "secret" not in page.text


def test_the_code_goes_to_canvas_with_the_keys_secret_and_the_same_address(desk):
    desk.authorize(desk.browser(), desk.link())

    (sent,) = desk.canvas.to(TOKEN)
    assert sent.form == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": TOOL + CALLBACK,
        "client_id": "500",
        "client_secret": "key-secret",
    }


def test_the_address_is_used_up_when_access_came_of_it(desk):
    link, browser = desk.link(), desk.browser()
    desk.authorize(browser, link)

    again = browser.get(link)

    assert again.status_code == 403
    assert "This address cannot be used" in again.text
    assert "Reference number" in again.text


def test_the_address_lives_for_72_hours(desk):
    link = desk.link()

    (key,) = desk.container.redis.scan_iter("waymark:access-link:*")

    assert desk.container.redis.ttl(key) == timedelta(hours=72).total_seconds()
    assert link.rpartition("/")[2] not in key.decode()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("access_denied", "pressed Cancel"),
        ("invalid_scope", "lacks a scope"),
        ("unauthorized_client", "switched off"),
        ("<script>alert(1)</script>", "does not know"),
    ],
)
def test_a_no_is_told_in_words_and_leaves_the_address_good(desk, error, told):
    link, browser = desk.link(), desk.browser()
    state = desk.leave(browser, link)["state"]

    page = desk.come_back(browser, error=error, state=state)

    assert page.status_code == 400
    assert told in page.text
    assert "<script>" not in page.text
    assert not desk.access().is_authorized
    assert browser.get(link).status_code == 200


def test_a_code_that_canvas_refuses_is_told_with_its_reason(desk):
    desk.canvas.on("POST", TOKEN, answer_json({"error": "invalid_client"}, 401))

    page = desk.authorize(desk.browser(), desk.link())

    assert page.status_code == 400
    assert "invalid_client" in page.text
    assert "--client-id 500" in page.text
    assert not desk.access().is_authorized


def test_a_canvas_that_cannot_be_reached_is_told_and_nothing_is_kept(desk):
    desk.canvas.on("POST", TOKEN, answer_json({"errors": []}, 503))

    page = desk.authorize(desk.browser(), desk.link())

    assert page.status_code == 400
    assert not desk.access().is_authorized


def test_a_new_consent_takes_the_place_of_a_revoked_one(desk):
    desk.authorize(desk.browser(), desk.link())
    desk.stage.clock.pass_time(days=1)
    desk.canvas.on("POST", TOKEN, answer_json({"error": "invalid_grant"}, 400))
    with pytest.raises(Unauthorized):
        desk.container.gradebook(desk.ids["A"]).courses()
    revoked = desk.access().revoked_at
    desk.canvas.on("POST", TOKEN, answer_json({**GRANT, "refresh_token": "second"}))

    desk.authorize(desk.browser(), desk.link())

    assert revoked == desk.stage.clock.at
    assert desk.access().revoked_at is None
    assert desk.container.secrets.open(desk.access().sealed_refresh_token) == "second"
