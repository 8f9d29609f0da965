import html
import json
import re
from urllib.parse import urlsplit

import jwt
import pytest

from simulators.signing import PlatformKey

MATH = 2
CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"


def _form(page):
    """Where a self-posting page posts to, and what."""
    action = re.search(r'action="([^"]*)"', page)[1]
    fields = re.findall(r'name="([^"]*)" value="([^"]*)"', page)
    return html.unescape(action), {name: html.unescape(value) for name, value in fields}


def _person(moodle, role):
    (row, *_) = moodle.query(
        "SELECT person_id FROM enrolments WHERE course_id = ? AND role = ? AND state = 'active'",
        MATH,
        role,
    )
    return row["person_id"]


def _login(moodle, user):
    page = moodle.client.get(f"/mod/lti/launch.php?course={MATH}&user={user}")
    return _form(page.text)


def _request(fields, **changes):
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "client_id": fields["client_id"],
        "redirect_uri": fields["target_link_uri"],
        "login_hint": fields["login_hint"],
        "lti_message_hint": fields["lti_message_hint"],
        "state": "a state",
        "nonce": "a nonce",
        "response_mode": "form_post",
        "prompt": "none",
    }
    asked |= changes
    return {name: value for name, value in asked.items() if value is not None}


def _authorise(moodle, user, **changes):
    _, fields = _login(moodle, user)
    return moodle.client.get("/mod/lti/auth.php", query_string=_request(fields, **changes))


def _claims(moodle, user):
    _, posted = _form(_authorise(moodle, user).text)
    keys = moodle.client.get("/mod/lti/certs.php").get_json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(posted["id_token"])["kid"]]
    return jwt.decode(
        posted["id_token"],
        key,
        algorithms=["RS256"],
        options={"verify_exp": False, "verify_aud": False, "verify_iat": False},
    )


def test_the_login_form_posts_to_the_tool_with_all_its_hints(moodle):
    action, fields = _login(moodle, _person(moodle, "learner"))

    assert action == "http://localhost:8100/lti/login"
    assert fields["iss"] == "http://127.0.0.1:8102"
    assert fields["target_link_uri"] == "http://localhost:8100/lti/launch"
    assert fields["lti_deployment_id"] == "1"
    assert set(json.loads(fields["lti_message_hint"])) == {"cmid", "launchid"}


def test_a_sound_request_posts_an_id_token_that_lives_for_a_minute(moodle):
    learner = _person(moodle, "learner")

    claims = _claims(moodle, learner)

    assert claims["sub"] == str(learner)
    assert claims["aud"] == moodle.config["client_id"]
    assert claims["nonce"] == "a nonce"
    assert claims["exp"] == claims["iat"] + 60
    assert claims[f"{CLAIM}/context"]["title"] == "Mathematics 6V"
    assert claims[f"{CLAIM}/roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]


def test_the_service_claims_name_addresses_of_the_course(moodle):
    claims = _claims(moodle, _person(moodle, "teacher"))

    endpoint = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    roster = claims["https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"]
    services = "http://127.0.0.1:8102/mod/lti/services.php"
    assert endpoint["lineitems"] == f"{services}/{MATH}/lineitems?type_id=1"
    assert "lineitem" not in endpoint
    assert roster["context_memberships_url"] == (
        f"{services}/CourseSection/{MATH}/bindings/1/memberships"
    )


def test_an_administrator_carries_three_roles(moodle):
    roles = _claims(moodle, 2)[f"{CLAIM}/roles"]

    assert [role.rpartition("#")[2] for role in roles] == [
        "Administrator",
        "Instructor",
        "Administrator",
    ]


def test_a_parent_is_a_learner_to_the_tool(moodle):
    (guardian, *_) = moodle.query(
        "SELECT g.guardian_id AS id FROM guardians g JOIN enrolments e "
        "ON e.person_id = g.child_id WHERE e.course_id = ? AND e.state = 'active'",
        MATH,
    )

    roles = _claims(moodle, guardian["id"])[f"{CLAIM}/roles"]

    assert roles == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]


@pytest.mark.parametrize("role", ["teacher", "guardian"])
def test_a_person_who_is_no_one_in_the_course_cannot_launch(moodle, role):
    (stranger, *_) = moodle.query(
        "SELECT p.id, c.id AS course FROM people p JOIN courses c WHERE p.role = ? "
        "AND NOT EXISTS (SELECT 1 FROM enrolments e LEFT JOIN guardians g "
        "ON g.child_id = e.person_id WHERE e.course_id = c.id "
        "AND p.id IN (e.person_id, g.guardian_id))",
        role,
    )

    answer = moodle.client.get(
        f"/mod/lti/launch.php?course={stranger['course']}&user={stranger['id']}"
    )

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://localhost:8100/lti/launch/"},
        {"redirect_uri": "http://localhost:8100/lti/launch?x=1"},
        {"redirect_uri": "http://evil.example/lti/launch"},
        {"scope": "openid profile"},
        {"response_type": "code"},
        {"nonce": None},
        {"lti_message_hint": None},
        {"lti_message_hint": "[]"},
        {"lti_message_hint": '{"cmid":1,"launchid":"ltilaunch1_1"}'},
    ],
)
def test_what_cannot_be_trusted_ends_on_an_error_page_and_never_reaches_the_tool(moodle, changes):
    answer = _authorise(moodle, _person(moodle, "learner"), **changes)

    assert answer.status_code == 404
    assert "<form" not in answer.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_mode": None}, "invalid_request"),
        ({"prompt": "login"}, "invalid_request"),
        ({"login_hint": "999"}, "access_denied"),
        ({"client_id": "another"}, "unauthorized_client"),
    ],
)
def test_a_wrong_request_posts_an_error_to_the_tool(moodle, changes, error):
    action, posted = _form(_authorise(moodle, _person(moodle, "learner"), **changes).text)

    assert urlsplit(action).path == "/lti/launch"
    assert posted["error"] == error
    assert posted["state"] == "a state"
    assert "id_token" not in posted


def test_no_prompt_and_no_state_are_accepted(moodle):
    learner = _person(moodle, "learner")

    _, posted = _form(_authorise(moodle, learner, prompt=None, state=None).text)

    assert posted["state"] == ""
    assert posted["id_token"]


def test_a_launch_hint_works_once(moodle):
    _, fields = _login(moodle, _person(moodle, "learner"))
    asked = _request(fields)

    first = moodle.client.get("/mod/lti/auth.php", query_string=asked)
    second = moodle.client.get("/mod/lti/auth.php", query_string=asked)

    assert (first.status_code, second.status_code) == (200, 404)


def _ask_token(moodle, key, *, scope=f"{AGS}/score", **claims):
    client_id = moodle.config["client_id"]
    made = {
        "iss": client_id,
        "sub": client_id,
        "aud": "http://127.0.0.1:8102/mod/lti/token.php",
        "iat": int(moodle.clock.now) - 5,
        "exp": int(moodle.clock.now) + 60,
        "jti": "one",
    }
    sent = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": key.sign(made | claims),
        "scope": scope,
    }
    return moodle.client.post("/mod/lti/token.php", data=sent)


def test_a_token_comes_as_text_and_names_what_was_granted(moodle, tool):
    asked = f"{AGS}/score {AGS}/lineitem https://example.org/other"

    answer = _ask_token(moodle, tool.key, scope=asked)

    assert answer.content_type.startswith("text/html")
    granted = json.loads(answer.text)
    assert granted["expires_in"] == 3600
    assert set(granted["scope"].split()) == {f"{AGS}/score", f"{AGS}/lineitem"}


def test_no_known_scope_is_an_error(moodle, tool):
    answer = _ask_token(moodle, tool.key, scope="https://example.org/other")

    assert answer.status_code == 400
    assert json.loads(answer.text) == {"error": "invalid_scope"}


def test_another_subject_is_an_invalid_client(moodle, tool):
    answer = _ask_token(moodle, tool.key, sub="another")

    assert json.loads(answer.text) == {"error": "invalid_client"}


def test_an_assertion_of_the_next_second_is_refused(moodle, tool):
    soon = int(moodle.clock.now) + 1

    answer = _ask_token(moodle, tool.key, iat=soon)

    assert answer.status_code == 400
    assert f"iat prior to {soon}" in answer.text


def test_an_expired_assertion_is_refused(moodle, tool):
    answer = _ask_token(moodle, tool.key, exp=int(moodle.clock.now) - 1)

    assert answer.status_code == 400


def test_the_tools_keys_are_fetched_once_and_again_for_a_new_key(moodle, tool, tmp_path):
    new_key = PlatformKey.load_or_create(tmp_path / "new.pem")

    _ask_token(moodle, tool.key)
    _ask_token(moodle, tool.key)
    before = len(tool.fetches)
    tool.jwks = new_key.jwks()
    rotated = _ask_token(moodle, new_key)

    assert before == 1
    assert rotated.status_code == 200
    assert len(tool.fetches) == 2


@pytest.mark.usefixtures("tool")
def test_an_unknown_key_gets_an_error_that_is_no_json(moodle, tmp_path):
    stranger = PlatformKey.load_or_create(tmp_path / "stranger.pem")

    answer = _ask_token(moodle, stranger)

    assert answer.status_code == 400
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_a_tool_that_cannot_be_reached_gives_an_error_page(moodle, tmp_path):
    key = PlatformKey.load_or_create(tmp_path / "tool.pem")
    moodle.query("UPDATE config SET value = 'http://127.0.0.1:9' WHERE key = 'tool_url'")

    answer = _ask_token(moodle, key)

    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
