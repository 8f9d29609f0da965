"""How sessions begin, how long they live, and whose they are."""

from urllib.parse import urlsplit

import msgspec
import pytest

from lti_tool.launch.state import LaunchRecord
from tests.lti_tool.platform import MEMBERSHIP, begin, launch

ACCOUNT = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"


def page_of(response):
    assert response.status_code == 303, response.text
    return response.headers["Location"]


def test_a_session_lives_two_hours_after_its_last_page(stage):
    browser = stage.browser()
    page = page_of(launch(browser, stage.lms))
    (key,) = stage.keys("waymark:launch:*")
    assert 7190 < stage.container.redis.ttl(key) <= 7200
    stage.container.redis.expire(key, 60)

    browser.get(page)

    assert 7190 < stage.container.redis.ttl(key) <= 7200


def test_no_session_lives_longer_than_twelve_hours(stage):
    browser = stage.browser()
    page = page_of(launch(browser, stage.lms))
    stage.clock.pass_time(hours=11, minutes=59)
    assert browser.get(page).status_code == 200

    stage.clock.pass_time(minutes=1)

    assert browser.get(page).status_code == 401
    assert stage.keys("waymark:launch:*") == []


def test_the_next_person_in_a_browser_does_not_see_the_one_before(stage):
    browser = stage.browser()
    first = page_of(launch(browser, stage.lms))

    second = page_of(launch(browser, stage.lms, sub="user-2", name="Grace Hopper"))

    assert browser.get(first).status_code == 404
    assert browser.get(second).status_code == 200
    assert len(stage.keys("waymark:launch:*")) == 1


def test_a_copied_cookie_of_the_person_before_opens_nothing_either(stage):
    browser = stage.browser()
    answer = launch(browser, stage.lms)
    page = page_of(answer)
    kept = answer.headers.getlist("Set-Cookie")[-1].partition(";")[0]

    launch(browser, stage.lms, sub="user-2")

    assert stage.bare().get(page, headers={"Cookie": kept}).status_code == 401


def test_the_same_person_keeps_what_they_have_open(stage):
    browser = stage.browser()
    first = page_of(launch(browser, stage.lms))

    second = page_of(launch(browser, stage.lms))

    assert [browser.get(page).status_code for page in (first, second)] == [200, 200]


def test_an_anonymous_launch_ends_what_a_person_had_open(stage):
    browser = stage.browser()
    first = page_of(launch(browser, stage.lms))

    launch(browser, stage.lms, sub=..., name=..., email=...)

    assert browser.get(first).status_code == 404


def test_a_planted_cookie_ends_nobodys_session(stage):
    page = page_of(launch(stage.browser(), stage.lms))
    launch_id = urlsplit(page).path.split("/")[2]
    attacker = stage.browser()
    from lti_tool.launch.cookies import LAUNCH_PREFIX, cookie_name

    name = cookie_name(LAUNCH_PREFIX, launch_id)
    attacker.set_cookie(name, f"0.{launch_id}.guess", domain="localhost")

    launch(attacker, stage.lms, sub="user-2")

    assert len(stage.keys("waymark:launch:*")) == 2


def test_a_session_is_bound_to_all_that_was_proven(stage):
    launch(stage.browser(), stage.lms, roles=[MEMBERSHIP + "Instructor"])

    (key,) = stage.keys("waymark:launch:*")
    record = msgspec.json.decode(stage.container.redis.get(key), type=LaunchRecord)

    assert record.tenant == stage.tenants["A"]
    assert record.platform == stage.platforms["client-A"]
    assert (record.deployment, record.subject) == ("dep-1", "user-1")
    assert (record.course, record.person) == ("101", "7")
    assert record.capacities == {"teacher"}


def test_a_suspended_platform_lets_nobody_in_and_ends_every_visit(stage):
    from store import registrations
    from store.session import writing

    browser = stage.browser()
    page = page_of(launch(browser, stage.lms))
    begun = begin(browser, stage.lms)
    with writing(stage.container.engine) as connection:
        registrations.set_platform_state(
            connection,
            stage.tenants["A"],
            stage.platforms["client-A"],
            "suspended",
            now=stage.clock(),
        )
    stage.container.registrations_changed()

    posted = browser.post(
        "/lti/launch",
        data={"id_token": stage.lms.sign(stage.lms.claims(begun.nonce)), "state": begun.state},
    )

    assert posted.status_code == 404
    assert browser.post("/lti/login", data=stage.lms.login_form()).status_code == 404
    assert browser.get(page).status_code == 401


def test_a_changed_registration_is_known_at_the_next_login(stage):
    from dataclasses import replace

    from store import registrations
    from store.session import writing

    browser = stage.browser()
    begin(browser, stage.lms)
    with writing(stage.container.engine) as connection:
        platform = registrations.platform_of(connection, stage.platforms["client-A"])
        entry = registrations.PlatformEntry(
            **{
                name: getattr(platform, name)
                for name in ("kind", "name", "issuer", "client_id", "token_url", "api_url")
            },
            jwks_url=platform.jwks_url,
            auth_url="https://lms.example/moved",
            api_token="t",
        )
        registrations.save_platform(
            connection, stage.tenants["A"], replace(entry), secrets=stage.container.secrets
        )
    stage.container.registrations_changed()

    again = begin(browser, stage.lms)

    assert again.response.headers["Location"].startswith("https://lms.example/moved?")


def test_a_change_made_behind_everybodys_back_is_known_after_half_a_minute(stage):
    from sqlalchemy import text

    browser = stage.browser()
    begin(browser, stage.lms)
    with stage.container.engine.begin() as connection:
        connection.execute(text("UPDATE platforms SET is_active = false"))

    stage.clock.pass_time(seconds=31)

    assert browser.post("/lti/login", data=stage.lms.login_form()).status_code == 404


def test_an_unknown_deployment_waits_for_an_administrator(stage):
    from store import deployments
    from store.session import reading, writing

    browser = stage.browser()
    refused = launch(
        browser,
        stage.lms,
        deployment_id="dep-new",
        tool_platform={"name": "North School", "guid": "g-1", "url": "https://n.example"},
    )
    assert refused.status_code == 403
    assert "waiting for approval" in refused.text
    platform = stage.platforms["client-A"]
    with reading(stage.container.engine) as connection:
        waiting = deployments.find_deployment(connection, platform, "dep-new")
    assert not waiting.is_approved
    assert waiting.about == "North School, https://n.example, g-1"

    with writing(stage.container.engine) as connection:
        deployments.approve_deployment(connection, stage.tenants["A"], platform, "dep-new")
    stage.container.registrations_changed()

    assert launch(browser, stage.lms, deployment_id="dep-new").status_code == 303


@pytest.mark.parametrize("sent", ["", "x", None], ids=["empty", "wrong", "absent"])
def test_a_change_without_the_pages_own_word_is_refused(stage, sent):
    from flask import request

    from lti_tool.pages.visits import changing_visit

    app = stage.app
    browser = stage.browser()
    answer = launch(browser, stage.lms)
    launch_id = page_of(answer).split("/")[2]
    cookie = answer.headers.getlist("Set-Cookie")[-1].partition(";")[0]
    form = {} if sent is None else {"csrf": sent}
    with app.test_request_context("/", method="POST", data=form, headers={"Cookie": cookie}):
        from lti_tool.launch.refusals import ForgedRequest

        assert request.method == "POST"
        with pytest.raises(ForgedRequest):
            changing_visit(launch_id)


@pytest.mark.parametrize(
    ("site", "is_taken"), [("same-origin", True), ("cross-site", False), ("same-site", False)]
)
def test_a_change_comes_from_our_own_origin(stage, site, is_taken):
    from lti_tool.launch.refusals import ForgedRequest
    from lti_tool.pages.visits import changing_visit, current_visit

    answer = launch(stage.browser(), stage.lms)
    launch_id = page_of(answer).split("/")[2]
    cookie = answer.headers.getlist("Set-Cookie")[-1].partition(";")[0]
    with stage.app.test_request_context("/", headers={"Cookie": cookie}):
        csrf = current_visit(launch_id).csrf
    headers = {"Cookie": cookie, "Sec-Fetch-Site": site}

    with stage.app.test_request_context("/", method="POST", data={"csrf": csrf}, headers=headers):
        if is_taken:
            assert changing_visit(launch_id).csrf == csrf
        else:
            with pytest.raises(ForgedRequest):
                changing_visit(launch_id)
