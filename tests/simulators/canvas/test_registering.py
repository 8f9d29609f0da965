"""The simulated Canvas registers tools: as strict as the contract says (canvas.md 5.5)."""

import copy
import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
TOOL = "https://tool.example"
BODY = {
    "application_type": "web",
    "response_types": ["id_token"],
    "grant_types": ["implicit", "client_credentials"],
    "initiate_login_uri": f"{TOOL}/login",
    "redirect_uris": [f"{TOOL}/launch"],
    "client_name": "A tool",
    "jwks_uri": f"{TOOL}/jwks",
    "token_endpoint_auth_method": "private_key_jwt",
    "scope": SCORE,
    TOOL_CONFIGURATION: {
        "domain": "tool.example",
        "target_link_uri": f"{TOOL}/launch",
        "custom_parameters": {"course": "$Canvas.course.id", "odd": "$Canvas.odd"},
        "claims": ["iss", "sub"],
        "messages": [{"type": "LtiResourceLinkRequest", "placements": ["course_navigation"]}],
        "https://canvas.instructure.com/lti/privacy_level": "anonymous",
    },
}


def frame_of(browser, url=f"{TOOL}/register?invite=x"):
    page = browser.post("/accounts/11/apps", data={"url": url}).text
    return html.unescape(re.search(r'<iframe[^>]* src="([^"]*)"', page)[1])


@pytest.fixture
def token(browser):
    return parse_qs(urlsplit(frame_of(browser)).query)["registration_token"][0]


@pytest.fixture
def register(browser, token):
    def send(body=BODY, bearer=token):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return browser.post("/api/lti/registrations", json=body, headers=headers)

    return send


def enabled(browser, answer):
    client_id = answer.json["client_id"]
    browser.post(f"/accounts/11/apps/{client_id}")
    return client_id


def launch(browser, client_id):
    """The claims that a launch of a registered tool would give out."""
    page = browser.get(f"/courses/101?user=3&client_id={client_id}").text
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', page)
    } | {"action": re.search(r'id="login" method="post" action="([^"]*)"', page)[1]}


def test_the_tools_page_opens_in_a_frame_with_its_own_query_kept(browser):
    query = parse_qs(urlsplit(frame_of(browser)).query)

    assert query["invite"] == ["x"]
    assert query["openid_configuration"] == [
        "http://localhost/api/lti/security/openid-configuration"
    ]
    assert query["registration_token"][0].count(".") == 2


@pytest.mark.parametrize("url", ["", "tool.example", "javascript:alert(1)"])
def test_what_is_no_address_opens_no_frame(browser, url):
    assert browser.post("/accounts/11/apps", data={"url": url}).status_code == 400


def test_the_configuration_is_for_the_bearer_of_a_token_only(browser, token):
    address = "/api/lti/security/openid-configuration"
    allowed = browser.get(address, headers={"Authorization": f"Bearer {token}"})

    assert browser.get(address).status_code == 401
    assert browser.get(address, headers={"Authorization": "Bearer x"}).status_code == 401
    assert allowed.json["issuer"] == "https://canvas.instructure.com"
    assert allowed.json["registration_endpoint"] == "http://localhost/api/lti/registrations"


def test_a_registration_is_answered_with_a_client_id_and_an_echo(register):
    answer = register()

    assert answer.status_code == 200
    assert answer.json["client_id"].isdigit()
    assert answer.json["scope"] == SCORE
    assert "deployment_id" not in answer.json[TOOL_CONFIGURATION]


def test_the_deployment_is_in_the_answer_where_the_setting_says_so(register, configure):
    configure(registration_deployment="1")

    assert re.fullmatch(r"\d+:\w+", register().json[TOOL_CONFIGURATION]["deployment_id"])


def test_a_token_registers_once_and_opens_nothing_afterwards(browser, register, token):
    register()

    again = browser.get(
        "/api/lti/security/openid-configuration", headers={"Authorization": f"Bearer {token}"}
    )

    assert register().status_code == 401
    assert again.status_code == 401


def test_a_refused_registration_leaves_the_token_good(register):
    assert register({}).status_code == 422
    assert register().status_code == 200


def test_a_token_is_over_after_an_hour(register, clock):
    clock.pass_by(3601)

    assert register().status_code == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("application_type", "native"),
        ("response_types", ["code"]),
        ("grant_types", ["implicit"]),
        ("initiate_login_uri", None),
        ("redirect_uris", []),
        ("redirect_uris", "https://tool.example/launch"),
        ("client_name", ""),
        ("jwks_uri", None),
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("scope", "https://tool.example/unknown"),
        (TOOL_CONFIGURATION, None),
    ],
)
def test_a_body_with_a_wrong_part_is_refused(register, name, value):
    answer = register(BODY | {name: value})

    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domain", None),
        ("target_link_uri", ""),
        ("custom_parameters", {"a": 1}),
        ("claims", ["unknown"]),
        ("messages", []),
        ("messages", [{"type": "Unknown"}]),
        ("messages", [{"type": "LtiResourceLinkRequest", "placements": ["link_selection"]}]),
        ("https://canvas.instructure.com/lti/privacy_level", "everything"),
    ],
)
def test_a_tool_configuration_with_a_wrong_part_is_refused(register, name, value):
    body = copy.deepcopy(BODY)
    body[TOOL_CONFIGURATION][name] = value

    assert register(body).status_code == 422


def test_a_new_key_is_off_until_the_administrator_switches_it_on(browser, register):
    client_id = register().json["client_id"]
    before = launch(browser, client_id)
    browser.post(f"/accounts/11/apps/{client_id}")

    assert before["client_id"] == "10000000000001"
    assert launch(browser, client_id)["client_id"] == client_id


def test_a_new_key_launches_at_its_own_addresses(browser, register):
    fields = launch(browser, enabled(browser, register()))

    assert fields["action"] == f"{TOOL}/login"
    assert fields["target_link_uri"] == f"{TOOL}/launch"


def test_a_new_key_gets_its_own_claims_and_no_more(browser, register):
    fields = launch(browser, enabled(browser, register()))
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "redirect_uri": f"{TOOL}/launch",
        "nonce": "n",
        "state": "s",
        **{name: fields[name] for name in ("client_id", "login_hint", "lti_message_hint")},
    }
    page = browser.get("/api/lti/authorize_redirect", query_string=asked).text
    import jwt

    token = re.search(r'name="id_token" value="([^"]*)"', page)[1]
    claims = jwt.decode(token, options={"verify_signature": False})

    prefix = "https://purl.imsglobal.org/spec/lti/claim"
    assert claims["aud"] == fields["client_id"]
    assert claims[f"{prefix}/custom"] == {"course": "101", "odd": "$Canvas.odd"}
    assert "name" not in claims
    assert "email" not in claims
    assert claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["scope"] == [SCORE]
    assert "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice" not in claims


def test_one_tools_launch_is_not_given_to_another(browser, register):
    fields = launch(browser, enabled(browser, register()))
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "redirect_uri": "https://tool.example.org/lti/launch",
        "nonce": "n",
        "client_id": "10000000000001",
        **{name: fields[name] for name in ("login_hint", "lti_message_hint")},
    }

    page = browser.get("/api/lti/authorize_redirect", query_string=asked)

    assert page.status_code == 400
    assert "belongs to another tool" in page.text
