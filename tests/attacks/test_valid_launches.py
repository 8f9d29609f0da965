"""Launches that must work, whatever is refused besides: contracts/lti.md 4.L and 4.V."""

from urllib.parse import urlencode

import pytest

from tests.attacks.verdict import LOGIN_COOKIE, assert_accepted, cookies_of
from tests.lti_tool.platform import MEMBERSHIP, TOOL, begin, launch

VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"

LANDINGS = {
    "V01 instructor": ([MEMBERSHIP + "Instructor"], "class"),
    "V02 learner": ([MEMBERSHIP + "Learner"], "me"),
    "V03 several roles": ([MEMBERSHIP + "Learner", MEMBERSHIP + "Instructor"], "class"),
    "V04 short instructor": (["Instructor"], "class"),
    "V05 short learner": (["Learner"], "me"),
    "V06 unknown role": ([VOCABULARY + "unknown/unknown#Helper"], "welcome"),
    "V07 unknown and learner": ([VOCABULARY + "unknown#Helper", "Learner"], "me"),
    "V21 empty role": ([""], "welcome"),
    "no role": ([], "welcome"),
    "V09 teaching assistant": (
        [MEMBERSHIP + "Instructor", VOCABULARY + "membership/Instructor#TeachingAssistant"],
        "class",
    ),
    "M51 administrator of the institution": (
        [VOCABULARY + "institution/person#Administrator"],
        "welcome",
    ),
    "teacher elsewhere in the institution": (
        [VOCABULARY + "institution/person#Instructor", MEMBERSHIP + "Learner"],
        "me",
    ),
    "V11 test user": (
        [MEMBERSHIP + "Learner", "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"],
        "welcome",
    ),
    "Student View of a teacher": (
        [
            MEMBERSHIP + "Instructor",
            "http://purl.imsglobal.org/vocab/lti/system/person#TestUser",
        ],
        "welcome",
    ),
    "V09 Canvas's teaching assistant": (
        [MEMBERSHIP + "Instructor", VOCABULARY + "membership/instructor#TeachingAssistant"],
        "class",
    ),
    "sub-role alone": ([VOCABULARY + "membership/Learner#GuestLearner"], "me"),
    "sub-role unknown": ([VOCABULARY + "membership/Instructor#Owner"], "welcome"),
    "designer": ([MEMBERSHIP + "ContentDeveloper"], "welcome"),
    "designer who teaches": (
        [MEMBERSHIP + "ContentDeveloper", MEMBERSHIP + "Instructor"],
        "class",
    ),
    "M42 mentor": ([MEMBERSHIP + "Mentor"], "family"),
    "a role that only begins like one": ([MEMBERSHIP + "InstructorOfNothing"], "welcome"),
    "a role in other letters": ([MEMBERSHIP + "instructor"], "welcome"),
}


@pytest.mark.parametrize(("roles", "page"), LANDINGS.values(), ids=LANDINGS)
def test_a_role_leads_to_its_page(stage, roles, page):
    browser = stage.browser()

    location = assert_accepted(stage, launch(browser, stage.lms, roles=roles))

    assert location.rpartition("/")[2] == page
    assert browser.get(location).status_code == 200


OPTIONAL = {
    "V12 e-mail only": {"name": ...},
    "V13 name only": {"email": ...},
    "V14 neither": {"name": ..., "email": ...},
    "V15 no context": {"context": ...},
    "V16 resource link only": {"context": ..., "custom": ..., "name": ..., "email": ...},
    "V17 names of the world": {"name": "اسم 🦉 Zoë ͏"},
    "V18 titles null": {"resource_link": {"id": "l", "title": None, "description": None}},
    "V20 unresolved variables": {"custom": {"canvas_course_id": "$Canvas.course.id", "x": ""}},
    "V22 context without type": {"context": {"id": "ctx-1"}},
    "V25 azp": {"aud": ["client-A"], "azp": "client-A"},
    "V26 anonymous": {"sub": ..., "name": ..., "email": ...},
    "V27 services": {
        "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {"scope": [], "lineitem": ""},
        "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {},
    },
    "services elsewhere": {
        "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {"lineitems": "file:///x"},
        "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": ["x"],
    },
    "focus of another kind": {"custom": {"waymark_competencies": 7}},
    "focus of a hundred pages": {"custom": {"waymark_competencies": "a," * 5_000}},
    "focus unresolved": {"custom": {"waymark_competencies": "$Canvas.foo"}},
    "M42 mentor list of other things": {"role_scope_mentor": [None, 5, {"a": 1}]},
}


@pytest.mark.parametrize("change", OPTIONAL.values(), ids=OPTIONAL)
def test_what_is_optional_may_be_absent_or_strange(stage, change):
    browser = stage.browser()

    location = assert_accepted(stage, launch(browser, stage.lms, **change))

    assert browser.get(location).status_code == 200


def test_v19_the_query_and_fragment_of_the_link_are_kept(stage):
    target = TOOL + "/lti/launch?unit=3&x=a%20b&y=%0d%0a#part-2"

    location = launch(stage.browser(), stage.lms, target_link_uri=target).headers["Location"]

    assert location.endswith("/me?unit=3&x=a%20b&y=%0d%0a#part-2")


def test_v26_an_anonymous_teacher_has_no_page(stage):
    response = launch(
        stage.browser(), stage.lms, sub=..., name=..., email=..., roles=[MEMBERSHIP + "Instructor"]
    )

    assert response.headers["Location"].endswith("/welcome")


@pytest.mark.parametrize("seconds", [0, 240])
def test_v23_a_token_some_minutes_old_is_taken(stage, seconds):
    now = int(stage.clock().timestamp())

    assert_accepted(stage, launch(stage.browser(), stage.lms, iat=now - seconds))


def test_v24_moodles_one_minute_is_enough(stage):
    now = int(stage.clock().timestamp())

    assert_accepted(stage, launch(stage.browser(), stage.moodle, iat=now, exp=now + 60))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"lti_message_hint": ...},
        {"lti_deployment_id": ...},
        {"canvas_region": "us-east-1", "canvas_environment": "production", "foo": "bar"},
        {"lti_message_hint": '{"cmid":256,"launchid":"ltilaunch1_1461953866"}'},
    ],
    ids=["L01", "L09", "no deployment", "L17", "Moodle's hint"],
)
def test_a_login_goes_on_to_the_platform_with_exactly_what_it_needs(stage, method, change):
    form = stage.lms.login_form(**change)
    browser = stage.browser()

    if method == "POST":
        response = browser.post("/lti/login", data=form)
    else:
        response = browser.get("/lti/login?" + urlencode(form))

    assert response.status_code == 302
    assert LOGIN_COOKIE.search(cookies_of(response))
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert len(stage.keys("waymark:login:*")) == 1


@pytest.mark.parametrize("target", ["_parent", "post_message_forwarding"])
def test_l18_a_login_with_platform_storage_is_not_refused(stage, target):
    form = stage.lms.login_form(lti_storage_target=target)

    response = stage.browser().post("/lti/login", data=form)

    assert response.status_code in {200, 302}
    assert len(stage.keys("waymark:login:*")) == 1


def test_l21_the_hints_are_given_back_byte_for_byte(stage):
    query = begin(stage.browser(), stage.lms).query

    assert query.pop("state")[0] != query.pop("nonce")[0]
    assert query == {
        "scope": ["openid"],
        "response_type": ["id_token"],
        "response_mode": ["form_post"],
        "prompt": ["none"],
        "client_id": ["client-A"],
        "redirect_uri": [TOOL + "/lti/launch"],
        "login_hint": ["hint-1"],
        "lti_message_hint": ["eyJ0.a+b/c=d&e%20f é"],
        "tenant": ["7"],
    }


def test_a_platforms_own_query_is_kept_with_one_question_mark(stage):
    location = begin(stage.browser(), stage.lms).response.headers["Location"]

    assert location.startswith("https://lms.example/auth?")
    assert location.count("?") == 1


def test_l08_an_issuers_only_client_need_not_be_named(stage):
    login = begin(stage.browser(), stage.other_issuer, client_id=...)

    assert login.query["client_id"] == ["client-2"]


def test_states_and_nonces_are_fresh_and_long(stage):
    logins = [begin(stage.browser(), stage.lms) for _ in range(5)]

    assert len({login.state for login in logins} | {login.nonce for login in logins}) == 10
    assert all(len(login.nonce) >= 43 and len(login.state) >= 43 for login in logins)


def test_x01_the_key_set_is_public_and_holds_no_private_part(stage):
    response = stage.browser().get("/lti/jwks")

    assert response.headers["Cache-Control"] == "public, max-age=3600"
    (key,) = response.json["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
