"""Which roles give which capacity, and which course and person a launch is about."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.guards import Capacity, NotYourPage, capacities_of, course_of, person_of
from lti_tool.launch.claims import VerifiedClaims
from mapping.records import PlatformId, TenantId
from store.registrations import Platform

VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"
INSTRUCTOR = VOCABULARY + "membership#Instructor"
INSTITUTION_ADMINISTRATOR = VOCABULARY + "institution/person#Administrator"
SYSTEM_ADMINISTRATOR = VOCABULARY + "system/person#Administrator"
CANVAS = Platform(
    id=PlatformId(1),
    tenant=TenantId(1),
    kind="canvas",
    name="",
    issuer="",
    client_id="",
    auth_url="",
    token_url="",
    jwks_url="",
    api_url="",
    sealed_api_token="",
    is_active=True,
)
MOODLE = replace(CANVAS, kind="moodle")
CLAIMS = VerifiedClaims(
    deployment="d",
    subject="u",
    roles=(),
    target=urlsplit("https://waymark.example/"),
    resource_link="l",
    context="ctx",
    context_title="",
    is_in_course=True,
    name="",
    custom={"canvas_course_id": "5", "canvas_user_id": "6"},
    placement="",
)
ACCOUNT = replace(CLAIMS, is_in_course=False, custom={})


@pytest.mark.parametrize(
    ("claims", "platform", "is_administrator"),
    [
        (replace(ACCOUNT, roles=(INSTITUTION_ADMINISTRATOR,)), CANVAS, True),
        (
            replace(
                CLAIMS,
                roles=(INSTITUTION_ADMINISTRATOR,),
                custom={},
                placement="account_navigation",
            ),
            CANVAS,
            True,
        ),
        (replace(CLAIMS, roles=(INSTITUTION_ADMINISTRATOR,)), CANVAS, False),
        (replace(CLAIMS, roles=(INSTITUTION_ADMINISTRATOR,), custom={}), CANVAS, False),
        (
            replace(CLAIMS, roles=(INSTITUTION_ADMINISTRATOR,), placement="account_navigation"),
            CANVAS,
            False,
        ),
        (replace(ACCOUNT, roles=(SYSTEM_ADMINISTRATOR,)), CANVAS, False),
        (replace(CLAIMS, roles=(SYSTEM_ADMINISTRATOR,)), MOODLE, True),
        (replace(CLAIMS, roles=(INSTITUTION_ADMINISTRATOR,)), MOODLE, False),
        (replace(ACCOUNT, roles=("Administrator",)), CANVAS, False),
        (replace(ACCOUNT, subject=None, roles=(INSTITUTION_ADMINISTRATOR,)), CANVAS, False),
    ],
)
def test_who_administers(claims, platform, is_administrator):
    assert (Capacity.ADMINISTRATOR in capacities_of(claims, platform)) is is_administrator


@given(st.lists(st.text()))
def test_no_role_of_another_vocabulary_gives_anything(roles):
    short = {"Instructor", "Learner", "Mentor", "ContentDeveloper"}
    odd = tuple(role for role in roles if role not in short)

    assert capacities_of(replace(CLAIMS, roles=odd), CANVAS) == frozenset()


def test_one_may_come_in_several_capacities():
    claims = replace(CLAIMS, roles=(INSTRUCTOR, "Mentor", SYSTEM_ADMINISTRATOR))

    assert capacities_of(claims, MOODLE) == {
        Capacity.TEACHER,
        Capacity.GUARDIAN,
        Capacity.ADMINISTRATOR,
    }


def test_canvas_names_course_and_person_in_custom_parameters():
    assert (course_of(CLAIMS, CANVAS), person_of(CLAIMS, CANVAS)) == ("5", "6")


def test_moodle_names_them_in_context_and_subject_whatever_custom_says():
    assert (course_of(CLAIMS, MOODLE), person_of(CLAIMS, MOODLE)) == ("ctx", "u")


def test_canvas_without_custom_parameters_names_neither():
    assert (course_of(ACCOUNT, CANVAS), person_of(ACCOUNT, CANVAS)) == (None, None)


def test_an_anonymous_person_is_nobody():
    assert person_of(replace(CLAIMS, subject=None), CANVAS) is None


SUB_ROLE = VOCABULARY + "membership/"
ROLES = {
    "instructor": (INSTRUCTOR, {Capacity.TEACHER}),
    "who runs the course": (VOCABULARY + "membership#Administrator", {Capacity.TEACHER}),
    "short word of an administrator": ("Administrator", set()),
    "short word": ("ContentDeveloper", {Capacity.DESIGNER}),
    "designer": (VOCABULARY + "membership#ContentDeveloper", {Capacity.DESIGNER}),
    "assistant": (
        SUB_ROLE + "Instructor#TeachingAssistant",
        {Capacity.TEACHER, Capacity.ASSISTANT},
    ),
    "Canvas's assistant": (
        SUB_ROLE + "instructor#TeachingAssistant",
        {Capacity.TEACHER, Capacity.ASSISTANT},
    ),
    "lecturer": (SUB_ROLE + "Instructor#Lecturer", {Capacity.TEACHER}),
    "guest learner": (SUB_ROLE + "Learner#GuestLearner", {Capacity.LEARNER}),
    "name in other letters": (SUB_ROLE + "Instructor#teachingassistant", set()),
    "unknown name": (SUB_ROLE + "Instructor#Owner", set()),
    "name of another role": (SUB_ROLE + "Learner#TeachingAssistant", set()),
    "unknown role": (SUB_ROLE + "Manager#AreaManager", set()),
    "of the institution": (VOCABULARY + "institution/person#Instructor", set()),
    "other vocabulary": ("https://evil.example/membership/Instructor#Lecturer", set()),
    "two in one": (INSTRUCTOR + " " + INSTRUCTOR, set()),
}


@pytest.mark.parametrize(("role", "capacities"), ROLES.values(), ids=ROLES)
def test_what_one_role_proves(role, capacities):
    assert capacities_of(replace(CLAIMS, roles=(role,)), CANVAS) == capacities


def test_an_assistant_is_one_though_canvas_sends_instructor_besides():
    roles = (INSTRUCTOR, SUB_ROLE + "instructor#TeachingAssistant")

    assert Capacity.ASSISTANT in capacities_of(replace(CLAIMS, roles=roles), CANVAS)


def test_a_test_user_is_nothing_else():
    test_user = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
    roles = (INSTRUCTOR, "Learner", SYSTEM_ADMINISTRATOR, test_user)

    assert capacities_of(replace(CLAIMS, roles=roles), MOODLE) == {Capacity.TEST_USER}


@pytest.mark.parametrize("role", ["Learner", "Mentor", INSTITUTION_ADMINISTRATOR])
def test_d23_who_places_nothing_cannot_ask_to(role):
    claims = replace(CLAIMS, roles=(role,), message="LtiDeepLinkingRequest")

    with pytest.raises(NotYourPage):
        capacities_of(claims, CANVAS)


def test_d31_a_learner_reviews_their_own_work_only():
    claims = replace(CLAIMS, roles=("Learner",), message="LtiSubmissionReviewRequest")

    assert capacities_of(replace(claims, review_of="u"), CANVAS) == {Capacity.LEARNER}
    with pytest.raises(NotYourPage):
        capacities_of(replace(claims, review_of="v"), CANVAS)
