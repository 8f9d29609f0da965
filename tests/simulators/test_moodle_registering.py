"""The simulated Moodle registers tools, with its own words and states (moodle.md 3.3)."""

import copy
import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
SCOPES = "https://purl.imsglobal.org/spec/lti-ags/scope/score unknown"
TOOL = "https://tool.example:8443"
BODY = {
    "response_types": ["id_token"],
    "initiate_login_uri": f"{TOOL}/login",
    "redirect_uris": [f"{TOOL}/launch"],
    "client_name": "A tool",
    "jwks_uri": f"{TOOL}/jwks",
    "token_endpoint_auth_method": "private_key_jwt",
    "scope": SCOPES,
    TOOL_CONFIGURATION: {
        "domain": "tool.example:8443",
        "target_link_uri": f"{TOOL}/launch",
        "custom_parameters": {"pair": "a=b", "course": "$Context.id"},
        "claims": ["iss", "sub", "name"],
        "messages": [{"type": "LtiResourceLinkRequest"}, {"type": "LtiDeepLinkingRequest"}],
    },
}


def started(moodle, url=f"{TOOL}/register?invite=x", **more):
    page = moodle.client.get("/mod/lti/toolconfigure.php?" + urlencode({"url": url})).text
    frame = html.unescape(re.search(r'<iframe[^>]* src="([^"]*)"', page)[1])
    return moodle.client.get(frame + ("&" + urlencode(more) if more else ""))


@pytest.fixture
def token(moodle):
    return parse_qs(urlsplit(started(moodle).headers["Location"]).query)["registration_token"][0]


@pytest.fixture
def register(moodle, token):
    def send(body=BODY, bearer=token):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return moodle.client.post("/mod/lti/openid-registration.php", json=body, headers=headers)

    return send


def launch(moodle, type_id):
    user = moodle.query("SELECT id FROM people WHERE role = 'administrator'")[0]["id"]
    return moodle.client.get(f"/mod/lti/launch.php?course=2&user={user}&type={type_id}")


def activate(moodle, type_id):
    page = moodle.client.get("/mod/lti/toolconfigure.php").text
    session = re.search(r'name="sesskey" value="(\w+)"', page)[1]
    sent = {"type": type_id, "sesskey": session}
    return moodle.client.post("/mod/lti/toolconfigure.php", data=sent)


def test_the_tools_page_is_opened_with_its_own_query_kept(moodle):
    query = parse_qs(urlsplit(started(moodle).headers["Location"]).query)

    claims = jwt.decode(query["registration_token"][0], options={"verify_signature": False})
    assert query["invite"] == ["x"]
    assert query["openid_configuration"] == [
        moodle.config["base_url"] + "/mod/lti/openid-configuration.php"
    ]
    assert claims["scope"] == "reg"
    assert len(claims["sub"]) == 15


def test_without_the_administrators_session_nothing_starts(moodle):
    sent = urlencode({"url": TOOL, "sesskey": "x"})

    assert moodle.client.get(f"/mod/lti/startltiadvregistration.php?{sent}").status_code == 404


def test_a_tool_of_the_same_site_brings_a_choice(moodle):
    url = moodle.config["tool_url"] + "/lti/register"

    choice = started(moodle, url)

    assert choice.status_code == 200
    assert "type=1" in choice.text
    assert "type=0" in choice.text
    assert started(moodle, url, type="0").status_code == 302


def test_the_client_id_is_the_one_that_the_token_promised(register, token):
    answer = register()

    promised = jwt.decode(token, options={"verify_signature": False})["sub"]
    assert answer.status_code == 200
    assert answer.json["client_id"] == promised
    assert answer.json[TOOL_CONFIGURATION]["deployment_id"] == "2"


def test_the_answer_drops_what_moodle_drops(register):
    answer = register().json

    tool = answer[TOOL_CONFIGURATION]
    assert [one["type"] for one in tool["messages"]] == ["LtiDeepLinkingRequest"]
    assert tool["custom_parameters"]["pair"] == "a"
    assert answer["scope"] == SCOPES.split(maxsplit=1)[0]


def test_a_token_registers_once_in_plain_words(moodle, register, token):
    register()

    again = register()
    read = moodle.client.get(
        "/mod/lti/openid-registration.php", headers={"Authorization": f"Bearer {token}"}
    )

    assert (again.status_code, again.text) == (401, "token_already_used")
    assert (read.status_code, read.text) == (401, "token_already_used")
    assert again.mimetype == "text/html"


def test_without_a_token_and_with_garbage_nothing_is_registered(register):
    missing = register(bearer="")

    assert (missing.status_code, missing.text) == (401, "missing_registration_token")
    assert register(bearer="garbage").status_code == 404


@pytest.mark.parametrize(
    "name",
    ["response_types", "initiate_login_uri", "redirect_uris", "client_name", "jwks_uri"],
)
def test_what_is_missing_is_named(register, name):
    body = {key: value for key, value in BODY.items() if key != name}

    answer = register(body)

    assert (answer.status_code, answer.text) == (400, f"missing required attribute {name}")


@pytest.mark.parametrize("domain", ["tool.example", "elsewhere.example:8443", ""])
def test_the_domain_must_carry_the_port(register, domain):
    body = copy.deepcopy(BODY)
    body[TOOL_CONFIGURATION]["domain"] = domain

    answer = register(body)

    assert (answer.status_code, answer.text) == (400, "domain_targetlinkuri_mismatch")


def test_a_new_tool_is_pending_until_it_is_activated(moodle, register):
    type_id = register().json[TOOL_CONFIGURATION]["deployment_id"]
    before = launch(moodle, type_id)

    activated = activate(moodle, type_id)

    assert before.status_code == 404
    assert activated.status_code == 303
    assert f'action="{TOOL}/login"' in launch(moodle, type_id).text


def test_a_new_tool_gets_its_own_claims(moodle, register):
    answer = register().json
    activate(moodle, answer[TOOL_CONFIGURATION]["deployment_id"])
    page = launch(moodle, "2").text
    fields = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', page))
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "client_id": answer["client_id"],
        "redirect_uri": f"{TOOL}/launch",
        "login_hint": fields["login_hint"],
        "lti_message_hint": html.unescape(fields["lti_message_hint"]),
        "nonce": "n",
        "response_mode": "form_post",
    }

    posted = moodle.client.get("/mod/lti/auth.php", query_string=asked).text

    id_token = re.search(r'name="id_token" value="([^"]*)"', posted)[1]
    claims = jwt.decode(id_token, options={"verify_signature": False})
    prefix = "https://purl.imsglobal.org/spec/lti/claim"
    custom = claims[f"{prefix}/custom"]
    assert claims["aud"] == answer["client_id"]
    assert claims[f"{prefix}/deployment_id"] == "2"
    assert (custom["pair"], custom["course"]) == ("a=b", "2")
    assert "name" in claims
    assert "email" not in claims


def test_the_first_tool_stays_as_it_was(moodle, register):
    register()

    page = moodle.client.get("/mod/lti/toolconfigure.php").text

    assert moodle.config["client_id"] in page
    assert launch(moodle, "1").status_code == 200
