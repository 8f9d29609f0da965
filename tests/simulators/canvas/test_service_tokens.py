import json

import jwt
import pytest

from simulators.signing import PlatformKey


def test_a_signed_assertion_is_given_a_token_of_an_hour(token_request):
    given = token_request().json

    assert given["token_type"] == "Bearer"
    assert given["expires_in"] == 3600
    assert jwt.decode(given["access_token"], options={"verify_signature": False})["scopes"]


def test_the_tools_key_set_is_fetched_at_every_request(token_request, tool):
    token_request()
    token_request()

    assert tool.served == ["/lti/jwks", "/lti/jwks"]


def test_the_same_jti_is_taken_twice(token_request):
    assert [token_request(jti="same").status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat", "jti"])
def test_every_claim_is_needed(token_request, claim):
    refused = token_request(**{claim: None})

    assert refused.status_code == 400
    assert refused.json["error"] == "invalid_request"
    assert claim in refused.json["error_description"]


@pytest.mark.parametrize(
    ("claim", "offset", "status"),
    [("iat", -299, 200), ("iat", -301, 400), ("iat", 29, 200), ("iat", 31, 400), ("exp", -1, 400)],
)
def test_moments_are_checked_to_the_second(token_request, clock, claim, offset, status):
    assert token_request(**{claim: int(clock()) + offset}).status_code == status


@pytest.mark.parametrize("change", [{"aud": "https://elsewhere.example.org"}, {"sub": "another"}])
def test_a_wrong_audience_or_client_is_refused(token_request, change):
    assert token_request(**change).json["error"] == "invalid_request"


def test_several_faults_are_told_together(token_request, clock):
    told = token_request(aud="x", exp=int(clock()) - 1).json["error_description"]

    assert " | " in told


def test_an_assertion_of_a_key_not_in_the_set_is_refused(token_request, tmp_path):
    stranger = PlatformKey.load_or_create(tmp_path / "stranger.pem")

    assert token_request(key=stranger).json["error"] == "invalid_request"


def test_a_key_set_that_is_no_json_is_told_so(token_request, tool):
    tool.body = b"<html>"

    assert token_request().json["error_description"] == "JWK Error: Invalid JSON"


def test_a_tool_that_does_not_answer_gets_no_token(token_request, configure):
    configure(tool_url="http://127.0.0.1:9")

    assert token_request().status_code == 400


@pytest.mark.parametrize("scope", ["", "https://purl.imsglobal.org/spec/lti-ags/scope/all"])
def test_unknown_scopes_are_refused(token_request, scope):
    assert token_request(scope).json["error"] == "invalid_scope"


def test_the_platforms_keys_are_public_and_may_be_kept(browser):
    answer = browser.get("/api/lti/security/jwks")

    assert "max-age" in answer.headers["Cache-Control"]
    assert json.loads(answer.data)["keys"][0]["use"] == "sig"


def test_a_service_token_of_another_platform_is_refused(browser, tool_key, clock):
    scope = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
    claims = {"sub": "10000000000001", "scopes": scope, "issued_at": clock(), "iat": clock()}
    headers = {"Authorization": f"Bearer {tool_key.sign(claims)}"}

    answer = browser.get("/api/lti/courses/101/line_items", headers=headers)

    assert (answer.status_code, answer.json["errors"]["message"]) == (401, "Invalid access token")
