"""What an LMS's administrator sees and gets when registering, by the LMS or by hand."""

import json
from datetime import timedelta

import pytest

from lti_tool.launch import tool_configuration
from store.deployments import deployments_of
from store.session import reading
from tests.lti_tool.platform import TOOL
from tests.lti_tool.registering import (
    PLATFORM,
    SAME_ORIGIN,
    TOOL_CLAIM,
    RegisteringLms,
    open_office,
    serving,
)

CANVAS_LTI = "https://canvas.instructure.com/lti"


@pytest.fixture
def office(stage):
    with serving(RegisteringLms()) as lms, open_office(stage, lms) as office:
        yield office


def setup(office, invite, **typed):
    fields = {
        "issuer": office.lms.url,
        "client_id": "typed-client",
        "deployment_id": "9",
        "invite": invite,
    }
    return office.browser().post("/lti/setup", data=fields | typed, headers=SAME_ORIGIN)


def deployments_at(office, platform):
    with reading(office.container.engine) as connection:
        return deployments_of(connection, platform.id)


def test_the_page_shows_the_lms_and_what_waymark_asks_for(office):
    page = office.confirm(office.browser(), office.invite())

    assert office.lms.url in page.text
    assert "4.5 &lt;b&gt;" in page.text
    for right in tool_configuration.RIGHTS:
        assert right.purpose in page.text
    assert "Select content, when an activity is added" in page.text
    assert "does not ask for e-mail addresses" in page.text


def test_hosts_other_than_the_issuers_are_shown(office):
    office.lms.configuration = {"jwks_uri": "https://keys.example/jwks"}

    page = office.confirm(office.browser(), office.invite())

    assert "<code>keys.example</code>" in page.text


def test_looking_twice_at_the_page_asks_the_lms_once(office):
    browser = office.browser()
    begun = office.begin(browser, office.invite())

    pages = [browser.get(begun.headers["Location"]) for _ in range(2)]

    assert [page.status_code for page in pages] == [200, 200]
    assert len(office.lms.asked) == 1


def test_what_an_lms_cannot_give_is_not_asked_for_and_shown(office):
    office.lms.configuration = {"scopes_supported": list(tool_configuration.SCOPES[:4])}
    browser = office.browser()
    page = office.confirm(browser, office.invite())

    office.register(browser, page)

    assert "What this LMS cannot give" in page.text
    assert office.lms.posts()[0]["scope"].split() == list(tool_configuration.SCOPES[:4])


def test_placements_are_asked_for_by_the_name_the_lms_gives_them(office):
    office.lms.product = "canvas"
    prefixed = f"{CANVAS_LTI}/course_navigation"
    office.lms.configuration = {
        PLATFORM: {
            "product_family_code": "canvas",
            "messages_supported": [{"type": "LtiResourceLinkRequest", "placements": [prefixed]}],
        }
    }

    office.registered()

    messages = office.lms.posts()[0][TOOL_CLAIM]["messages"]
    assert [message["placements"] for message in messages] == [[prefixed]]


def test_a_canvas_registration_carries_placements_variables_and_privacy(office):
    office.lms.product = "canvas"

    office.registered()

    tool = office.lms.posts()[0][TOOL_CLAIM]
    assert {name for one in tool["messages"] for name in one["placements"]} == {
        "course_navigation",
        "account_navigation",
        "assignment_selection",
        "link_selection",
    }
    assert tool["custom_parameters"]["canvas_course_id"] == "$Canvas.course.id"
    assert tool[f"{CANVAS_LTI}/privacy_level"] == "public"


def test_the_domain_carries_the_port():
    assert tool_configuration.domain_of("http://localhost:8100") == "localhost:8100"


def test_the_last_page_says_that_an_administrator_has_to_approve(office):
    page = office.registered()

    assert page.status_code == 200
    assert "waymark platform approve" in page.text
    assert "press Activate" in page.text


def test_the_lms_closes_the_page_unless_there_is_something_to_read(office):
    plain = office.registered()
    office.lms.answer = {"client_id": "another", "scope": tool_configuration.SCOPES[0]}
    differing = office.registered()

    assert 'data-closes="now"' in plain.text
    assert 'data-closes="later"' in differing.text
    assert f"did not grant the scope {tool_configuration.SCOPES[3]}" in differing.text


def test_the_page_is_closed_at_the_origins_of_the_lms_only(office):
    page = office.registered(office.invite(api_url="https://school.example"))

    assert f'data-origins="{office.lms.url} https://school.example"' in page.text
    assert '<script src="/static/register.js" defer></script>' in page.text


def test_a_platform_gets_a_free_name_where_the_invited_one_is_taken(office):
    office.registered()
    office.lms.answer = {"client_id": "another"}

    office.registered()

    assert {"Invited LMS", "Invited LMS (2)"} <= office.platforms().keys()


def test_every_process_hears_of_a_new_registration(office):
    before = int(office.container.redis.get("waymark:registrations") or 0)

    office.registered()

    assert int(office.container.redis.get("waymark:registrations")) == before + 1


def test_canvas_json_is_public_and_may_be_kept_for_an_hour(office):
    answer = office.browser().get("/lti/canvas.json")

    key = json.loads(answer.text)
    (extension,) = key["extensions"]
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert key["public_jwk_url"] == f"{TOOL}/lti/jwks"
    assert key["oidc_initiation_url"] == f"{TOOL}/lti/login"
    assert key["scopes"] == list(tool_configuration.SCOPES)
    assert extension["domain"] == "waymark.example"
    assert extension["privacy_level"] == "public"
    assert [one["placement"] for one in extension["settings"]["placements"]] == [
        "course_navigation",
        "account_navigation",
        "assignment_selection",
        "link_selection",
    ]


def test_the_setup_page_has_every_value_in_a_labelled_field(office):
    page = office.browser().get(f"/lti/setup?invite={office.invite()}")

    for value in (f"{TOOL}/lti/jwks", f"{TOOL}/lti/login", f"{TOOL}/lti/launch"):
        assert f'value="{value}" readonly' in page.text
    fields = page.text.count('<input id="') + page.text.count('<textarea id="')
    assert page.text.count("<label for=") == fields
    assert page.text.index("Public keyset") < page.text.index("Initiate login URL")
    assert f'value="{office.lms.url}"' in page.text


def test_a_platform_set_up_by_hand_waits_with_its_deployment(office):
    invite = office.invite()

    page = setup(office, invite)

    platform = office.platforms()["Invited LMS"]
    assert page.status_code == 200
    assert platform.state == "pending"
    assert platform.jwks_url == office.lms.url + "/mod/lti/certs.php"
    assert [one.ref for one in deployments_at(office, platform)] == ["9"]
    assert not office.is_usable(invite)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"client_id": ""}, "Enter the Client ID."),
        ({"client_id": "x" * 300}, "longer than any LMS"),
        ({"client_id": "two words"}, "it has no spaces"),
        ({"issuer": "https://elsewhere.example"}, "ask for another invitation"),
        ({"deployment_id": " "}, "Enter the Deployment ID."),
    ],
    ids=str,
)
def test_a_wrong_field_is_told_beside_it_and_what_was_typed_stays(office, typed, problem):
    invite = office.invite()

    page = setup(office, invite, **typed)

    name, text = next(iter(typed.items()))
    assert page.status_code == 422
    assert page.text.count(problem) == 2
    assert f'id="{name}-problem"' in page.text
    assert f'name="{name}" type="text" value="{text.strip()}"' in page.text
    assert 'value="9"' in page.text or name == "deployment_id"
    assert office.is_usable(invite)
    assert "Invited LMS" not in office.platforms()


def test_canvas_set_up_by_hand_may_leave_its_deployment_to_the_first_launch(office):
    office.lms.product = "canvas"
    invite = office.invite(issuer="https://canvas.instructure.com")

    setup(office, invite, deployment_id="", api_url=office.lms.url)

    platform = office.platforms()["Invited LMS"]
    assert deployments_at(office, platform) == ()
    assert platform.token_url == office.lms.url + "/login/oauth2/token"


@pytest.mark.parametrize("address", ["http://canvas.example", "https://canvas.example/x", "canvas"])
def test_an_address_that_the_invitation_leaves_open_must_be_a_secure_site(office, address):
    office.lms.product = "canvas"
    invite = office.invite(issuer="https://canvas.instructure.com", api_url="")

    page = setup(office, invite, api_url=address)

    assert page.status_code == 422
    assert "https:// and the host" in page.text


def test_hosted_canvas_logs_in_at_the_shared_site(office):
    office.lms.product = "canvas"
    school = "https://school.instructure.com"
    invite = office.invite(issuer="https://canvas.instructure.com", api_url=school)

    setup(office, invite, api_url=school)

    platform = office.platforms()["Invited LMS"]
    assert platform.auth_url == "https://sso.canvaslms.com/api/lti/authorize_redirect"
    assert platform.api_url == school


def test_an_invitation_opens_the_setup_page_until_it_is_over(office):
    invite = office.invite(life=timedelta(hours=1))
    before = office.browser().get(f"/lti/setup?invite={invite}")

    office.stage.clock.pass_time(hours=1)

    assert before.status_code == 200
    assert office.browser().get(f"/lti/setup?invite={invite}").status_code == 403
