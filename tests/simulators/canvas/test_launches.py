import re
import uuid
from html import unescape

import jwt
import pytest

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
LIS = "http://purl.imsglobal.org/vocab/lis/v2"
REDIRECT = "https://tool.example.org/lti/launch"


def fields_of(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


@pytest.fixture
def login(browser):
    """Open the tool as somebody and give the fields of the login form."""

    def open_tool(user, where="/courses/101"):
        return fields_of(browser.get(f"{where}?user={user}").text)

    return open_tool


@pytest.fixture
def authorize(browser):
    def ask(login_fields, **changes):
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": "10000000000001",
            "redirect_uri": REDIRECT,
            "login_hint": login_fields["login_hint"],
            "lti_message_hint": login_fields["lti_message_hint"],
            "state": "the-state",
            "nonce": "the-nonce",
        } | changes
        sent = {name: value for name, value in query.items() if value is not None}
        return browser.get("/api/lti/authorize_redirect", query_string=sent)

    return ask


@pytest.fixture
def launch(login, authorize, browser):
    """Launch as somebody and give the verified claims."""

    def claims(user, where="/courses/101"):
        sent = fields_of(authorize(login(user, where)).text)
        keys = browser.get("/api/lti/security/jwks").json["keys"]
        return jwt.decode(
            sent["id_token"],
            jwt.PyJWK(keys[0]),
            algorithms=["RS256"],
            audience="10000000000001",
            options={"verify_exp": False, "verify_iat": False},
        )

    return claims


def test_the_login_form_goes_to_the_tool_with_canvas_fields(browser, login):
    page = browser.get("/courses/101?user=3").text
    fields = login(3)

    assert 'action="https://tool.example.org/lti/login"' in page
    assert '<iframe name="post_message_forwarding"' in page
    assert fields["iss"] == "https://canvas.instructure.com"
    assert fields["target_link_uri"] == REDIRECT
    assert fields["deployment_id"] == "106:aaaa"
    assert fields["lti_storage_target"] == "post_message_forwarding"
    assert {"client_id", "login_hint", "lti_message_hint"} <= fields.keys()


def test_the_id_token_is_for_this_tool_learner_and_hour(launch, clock):
    claims = launch(3)

    assert claims["iss"] == "https://canvas.instructure.com"
    assert claims["aud"] == claims["azp"] == "10000000000001"
    assert claims["nonce"] == "the-nonce"
    assert claims["iat"] == int(clock())
    assert claims["exp"] == claims["iat"] + 3600
    assert claims[f"{CLAIM}/deployment_id"] == "106:aaaa"
    assert uuid.UUID(claims["sub"]).version == 4
    assert claims[f"{CLAIM}/context"]["type"] == [f"{LIS}/course#CourseOffering"]


def test_state_and_storage_target_come_back_with_the_token(login, authorize):
    page = authorize(login(3)).text

    assert f'action="{REDIRECT}"' in page
    assert fields_of(page)["state"] == "the-state"
    assert fields_of(page)["lti_storage_target"] == "post_message_forwarding"


def test_custom_fields_are_text_and_the_unknown_stays_as_written(launch):
    custom = launch(3)[f"{CLAIM}/custom"]

    assert custom["canvas_course_id"] == "101"
    assert custom["canvas_user_id"] == "3"
    assert custom["canvas_account_id"] == "11"
    assert custom["canvas_api_base"] == "http://localhost"
    assert custom["sis_user_id"] == "S3"
    assert custom["unknown"] == "$Canvas.foo"


def test_services_are_named_for_the_course(launch):
    claims = launch(2)

    ags = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    nrps = claims["https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"]
    assert ags["lineitems"] == "http://localhost/api/lti/courses/101/line_items"
    assert "lineitem" not in ags
    assert nrps["context_memberships_url"].endswith("/api/lti/courses/101/names_and_roles")


@pytest.mark.parametrize(("user", "role"), [(2, "Instructor"), (3, "Learner"), (6, "Mentor")])
def test_context_roles_come_with_institution_roles(launch, user, role):
    roles = launch(user)[f"{CLAIM}/roles"]

    assert f"{LIS}/membership#{role}" in roles
    assert any("/institution/person#" in found for found in roles)


def test_an_institution_role_is_had_in_other_courses_too(launch, state):
    with state:
        state.execute(
            "INSERT INTO enrolments (course_id, person_id, role, created_at) "
            "VALUES (103, 3, 'teacher', 0)"
        )

    roles = launch(3)[f"{CLAIM}/roles"]

    assert f"{LIS}/institution/person#Instructor" in roles
    assert f"{LIS}/membership#Instructor" not in roles


def test_an_observer_names_the_learners_by_lti_id(launch):
    assert launch(6)[f"{CLAIM}/role_scope_mentor"] == [launch(3)["sub"]]


def test_an_administrator_launches_from_the_account_without_a_course(launch):
    claims = launch(1, where="/accounts/12")

    assert claims[f"{CLAIM}/deployment_id"] == "107:bbbb"
    assert f"{LIS}/institution/person#Administrator" in claims[f"{CLAIM}/roles"]
    assert claims[f"{CLAIM}/custom"]["canvas_course_id"] == "$Canvas.course.id"
    assert "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint" not in claims


def test_a_hint_is_good_for_one_launch(login, authorize):
    fields = login(3)
    authorize(fields)

    again = authorize(fields)

    assert again.status_code == 400
    assert "expired or already been consumed" in again.text
    assert "id_token" not in again.text


def test_a_hint_is_good_for_five_minutes(login, authorize, clock):
    fields = login(3)
    clock.pass_by(301)

    assert authorize(fields).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "openid email"}, "invalid_request_object"),
        ({"response_type": "code"}, "invalid_request_object"),
        ({"response_mode": "query"}, "invalid_request_object"),
        ({"prompt": None}, "invalid_request_object"),
        ({"nonce": None}, "invalid_request_object"),
        ({"client_id": "another"}, "unauthorized_client"),
    ],
)
def test_a_request_that_is_not_exact_is_answered_with_a_posted_error(
    login, authorize, change, error
):
    fields = fields_of(authorize(login(3), **change).text)

    assert fields["error"] == error
    assert fields["state"] == "the-state"
    assert "id_token" not in fields


@pytest.mark.parametrize(
    "redirect_uri", ["https://evil.example.org/lti/launch", f"{REDIRECT}/more", ""]
)
def test_an_unregistered_redirect_uri_gets_no_form_at_all(login, authorize, redirect_uri):
    answer = authorize(login(3), redirect_uri=redirect_uri)

    assert answer.status_code == 400
    assert "<form" not in answer.text


def test_a_query_behind_the_registered_redirect_uri_is_allowed(login, authorize):
    assert authorize(login(3), redirect_uri=f"{REDIRECT}?a=b").status_code == 200


def test_a_login_hint_of_somebody_else_is_refused_and_uses_nothing_up(login, authorize):
    fields = login(3)

    assert authorize(fields, login_hint=login(4)["login_hint"]).status_code == 400
    assert authorize(fields).status_code == 200


def test_a_forged_message_hint_is_refused(login, authorize):
    assert authorize(login(3), lti_message_hint="a.b.c").status_code == 400


def test_launches_are_counted_apart(browser, launch):
    launch(3)

    assert browser.get("/_control/counters").json["launches"] == 1
