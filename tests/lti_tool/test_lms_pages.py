"""Connecting LMSs in the browser: by whom, with what, and what a stranger gets."""

import re

import pytest

from lti_tool.launch.setup_links import make_setup_link
from lti_tool.pages.lms.addresses import lms_address
from store import deployments, invitations, registrations
from store.desk_roles import DeskRole
from store.policy_changes import PolicyKind, changes_of
from store.session import reading, writing
from tests.lti_tool.classroom import TEACHER
from tests.lti_tool.test_pages import Visitor
from tests.lti_tool.test_people import give, somebody
from workers import platform_checks

BOSS = {"sub": "boss", "name": "Boss"}


@pytest.fixture
def boss(stage):
    return somebody(stage, BOSS)


def post(visitor, path, **fields):
    csrf = re.search(r'name="csrf" value="([^"]+)"', visitor.get("lms").text)
    sent = {"csrf": csrf[1]} if csrf else {}
    return visitor.browser.post(f"{visitor.base}/{path}", data=sent | fields)


def platforms(stage, tenant="A"):
    with reading(stage.container.engine) as connection:
        return registrations.platforms(connection, stage.tenants[tenant])


def trail(stage):
    with reading(stage.container.engine) as connection:
        found = changes_of(connection, stage.tenants["A"])
    return [(one.subject, one.after) for one in found if one.kind is PolicyKind.LMS]


@pytest.mark.parametrize(
    ("kind", "text", "address"),
    [
        ("canvas", "https://s.instructure.com/accounts/1?x=1", "https://s.instructure.com"),
        ("canvas", "s.instructure.com", "https://s.instructure.com"),
        ("moodle", " https://a.example/moodle/my/courses.php ", "https://a.example/moodle"),
        ("moodle", "https://a.example/course/view.php?id=2", "https://a.example"),
        ("moodle", "HTTP://A.example:8080/", "http://a.example:8080"),
        ("moodle", "http://[::1]:80/login/index.php", "http://[::1]:80"),
        ("moodle", "moodle", None),
        ("moodle", "ftp://a.example", None),
        ("moodle", "https://user:word@a.example", None),
        ("moodle", "https://a b.example", None),
        ("moodle", "https://a.example:99999", None),
        ("moodle", "javascript:alert(1)//a.example", None),
        ("canvas", "https://" + "a" * 300 + ".example", None),
    ],
)
def test_an_address_is_found_in_what_a_person_copies(kind, text, address):
    assert lms_address(kind, text) == address


class TestAtTheDesk:
    def test_every_lms_stands_there_with_its_state(self, stage, boss):
        page = boss.get("lms").text

        assert all(one.name in page for one in platforms(stage))
        assert not any(one.client_id in page for one in platforms(stage, "B"))

    def test_another_one_is_invited_and_the_address_stands_on_the_next_page(self, stage, boss):
        answer = post(boss, "lms/invitations", kind="moodle", url="m.example/my/", name="Ours")
        page = boss.browser.get(answer.headers["Location"]).text

        token = re.search(r"invite=([\w-]{43})", page)[1]
        with reading(stage.container.engine) as connection:
            found = invitations.find_invitation(connection, token, stage.container.now())
        assert (found.name, found.api_url) == ("Ours", "https://m.example")
        assert trail(stage) == [("Ours", "invited: https://m.example")]

    @pytest.mark.parametrize(
        ("field", "value"), [("url", ""), ("url", "not an address"), ("name", "x" * 101)]
    )
    def test_what_cannot_be_an_lms_is_said_by_its_field(self, stage, boss, field, value):
        sent = {"kind": "moodle", "url": "https://m.example", "name": "", field: value}

        answer = post(boss, "lms/invitations", **sent)

        assert answer.status_code == 422
        assert f'id="{field}-problem"' in answer.text
        assert trail(stage) == []

    def test_a_token_is_kept_sealed_and_looked_at_by_a_worker(self, stage, boss):
        one = platforms(stage)[0]

        assert post(boss, f"lms/{one.id}/token", token=" secret-token ").status_code == 303

        (kept,) = [p for p in platforms(stage) if p.id == one.id]
        assert registrations.api_token(kept, stage.container.secrets) == "secret-token"
        assert "secret-token" not in kept.sealed_api_token
        assert platform_checks.looked_over(stage.container, one.id).checks == []
        assert "Waymark is looking it over" in boss.get("lms").text
        assert trail(stage) == [(one.name, "an API token was given")]

    @pytest.mark.parametrize("token", ["", "two words", "x" * 5000, "a\nb"])
    def test_what_is_no_token_is_not_kept(self, stage, boss, token):
        one = platforms(stage)[0]

        assert post(boss, f"lms/{one.id}/token", token=token).status_code == 422
        assert platforms(stage)[0].sealed_api_token == one.sealed_api_token

    def test_an_lms_is_suspended_and_let_in_again(self, stage, boss):
        one = platforms(stage)[-1]

        post(boss, f"lms/{one.id}/state", state="suspended")
        suspended = platforms(stage)[-1].state
        post(boss, f"lms/{one.id}/state", state="active")

        assert (suspended, platforms(stage)[-1].state) == ("suspended", "active")
        assert [after for _, after in trail(stage)] == ["let in", "suspended"]

    def test_an_installation_that_waits_is_let_in(self, stage, boss):
        one = platforms(stage)[0]
        with writing(stage.container.engine) as connection:
            deployments.request_deployment(
                connection, one.id, "9:new", about="<b>School</b>", now=stage.container.now()
            )
        page = boss.get("lms").text
        assert "9:new" in page
        assert "<b>School" not in page

        post(boss, f"lms/{one.id}/installations", deployment="9:new")

        with reading(stage.container.engine) as connection:
            assert deployments.find_deployment(connection, one.id, "9:new").is_approved

    @pytest.mark.parametrize("ref", ["", "unknown", "nul\x00"])
    def test_an_installation_that_nobody_opened_is_not_there(self, stage, boss, ref):
        one = platforms(stage)[0]

        answer = post(boss, f"lms/{one.id}/installations", deployment=ref)

        assert answer.status_code == 404
        assert trail(stage) == []

    def test_a_look_whose_worker_was_killed_is_told(self, stage, boss):
        one = platforms(stage)[0]
        post(boss, f"lms/{one.id}/look")
        stage.clock.pass_time(minutes=6)

        page = boss.get("lms").text

        assert "This look ended early" in page
        assert "hx-trigger" not in page.split('id="lms-list"')[1].split(">")[0]

    @pytest.mark.parametrize("act", ["state", "token", "key", "consent", "look", "installations"])
    def test_another_districts_lms_is_not_there(self, stage, boss, act):
        theirs = platforms(stage, "B")[0]
        sent = {"state": "suspended", "token": "t", "client_id": "1", "client_secret": "s"}

        assert post(boss, f"lms/{theirs.id}/{act}", **sent).status_code == 404
        assert platforms(stage, "B")[0] == theirs

    def test_who_may_not_connect_looks_only(self, stage):
        somebody(stage, BOSS)
        reader = somebody(stage, {"sub": "reader", "name": "Reader"})
        give(stage, BOSS, DeskRole.DISTRICT)
        page = reader.get("lms").text

        assert "Your role changes nothing here" in page
        assert "<form" not in page.split("<main")[1]
        (one, *_) = platforms(stage)
        sent = {"csrf": "x" * 43, "token": "t"}
        assert (
            reader.browser.post(f"{reader.base}/lms/{one.id}/token", data=sent).status_code == 403
        )
        assert trail(stage) == []

    def test_teachers_have_no_such_page(self, stage):
        assert Visitor(stage, **TEACHER).get("lms").status_code == 403

    def test_a_form_without_its_secret_changes_nothing(self, stage, boss):
        one = platforms(stage)[0]
        sent = {"state": "suspended"}

        assert boss.browser.post(f"{boss.base}/lms/{one.id}/state", data=sent).status_code == 403
        assert platforms(stage)[0] == one


class TestBeforeAnybodyCameIn:
    def test_the_address_of_a_district_opens_its_lmss_and_no_others(self, stage):
        link = make_setup_link(stage.container, stage.tenants["A"])
        browser = stage.app.test_client()
        path = link.removeprefix(stage.container.settings.public_url)

        assert browser.get(path).headers["Location"] == f"{path}/lms"
        page = browser.get(f"{path}/lms").text
        assert platforms(stage)[0].client_id in page
        theirs = platforms(stage, "B")[0]
        assert theirs.client_id not in page
        own = {"Sec-Fetch-Site": "same-origin"}
        said = {"state": "suspended"}
        answer = browser.post(f"{path}/lms/{theirs.id}/state", data=said, headers=own)
        assert answer.status_code == 404
        assert platforms(stage, "B")[0] == theirs
        mine = platforms(stage)[0]
        answer = browser.post(f"{path}/lms/{mine.id}/state", data=said, headers=own)
        assert answer.status_code == 303
        assert platforms(stage)[0].state == "suspended"
        assert trail(stage) == [(mine.name, "suspended")]

    def test_a_form_of_another_site_is_refused(self, stage):
        link = make_setup_link(stage.container, stage.tenants["A"])
        path = link.removeprefix(stage.container.settings.public_url)
        one = platforms(stage)[0]

        answer = stage.app.test_client().post(
            f"{path}/lms/{one.id}/state",
            data={"state": "suspended"},
            headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        )

        assert answer.status_code == 403
        assert platforms(stage)[0] == one

    @pytest.mark.parametrize("token", ["x" * 43, "-" * 43])
    def test_an_address_that_nobody_made_opens_nothing(self, stage, token):
        answer = stage.app.test_client().get(f"/setup/{token}/lms")

        assert answer.status_code == 403
        assert "waymark setup" in answer.text

    def test_an_address_for_a_first_district_is_over_once_there_is_one(self, stage):
        link = make_setup_link(stage.container, None)
        path = link.removeprefix(stage.container.settings.public_url)

        assert stage.app.test_client().get(path).status_code == 403

    def test_an_address_ends_after_a_day(self, stage):
        make_setup_link(stage.container, stage.tenants["A"])

        (key,) = stage.container.redis.keys("waymark:setup-link:*")
        assert 86_000 < stage.container.redis.ttl(key) <= 86_400
