"""Messages other than the launch of a link: contracts/lti.md 4.D (reviews) and 4.M."""

import pytest

from tests.attacks.verdict import assert_accepted, assert_refused
from tests.lti_tool.platform import MEMBERSHIP, launch

GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
LINE_ITEM = "https://lms.example/api/lti/courses/101/line_items/5"


def reviewing(roles=("Instructor",), **changes):
    claims = {
        "message_type": "LtiSubmissionReviewRequest",
        "roles": [MEMBERSHIP + role for role in roles],
        "for_user": {"user_id": "user-9"},
        GRADES: {"lineitem": LINE_ITEM},
    }
    return claims | changes


BAD = {
    "D13 no line item": reviewing(**{GRADES: {"lineitems": LINE_ITEM}}),
    "no grade service": reviewing(**{GRADES: ...}),
    "grade service null": reviewing(**{GRADES: None}),
    "line item empty": reviewing(**{GRADES: {"lineitem": ""}}),
    "line item no address": reviewing(**{GRADES: {"lineitem": "5"}}),
    "line item without TLS": reviewing(**{GRADES: {"lineitem": "http://lms.example/5"}}),
    "no learner": reviewing(for_user=...),
    "learner null": reviewing(for_user=None),
    "learner a text": reviewing(for_user="user-9"),
    "learner without id": reviewing(for_user={"name": "x"}),
    "learner id number": reviewing(for_user={"user_id": 9}),
    "learner id long": reviewing(for_user={"user_id": "x" * 300}),
    "no resource link": reviewing(resource_link=...),
    "no target": reviewing(target_link_uri=...),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_such_a_review_opens_no_session(stage, change):
    response = launch(stage.browser(), stage.lms, **change)

    assert_refused(stage, response)
    assert response.status_code == 400


@pytest.mark.parametrize("roles", [["Learner"], ["Mentor"], ["ContentDeveloper"], []])
def test_d31_nobody_but_a_teacher_reviews_anothers_work(stage, roles):
    response = launch(stage.browser(), stage.lms, **reviewing(roles))

    assert_refused(stage, response)
    assert response.status_code == 403


def test_d31_an_anonymous_person_reviews_nothing(stage):
    anonymous = {"sub": ..., "name": ..., "email": ..., "for_user": {"user_id": "user-1"}}

    response = launch(stage.browser(), stage.lms, **reviewing(["Learner"], **anonymous))

    assert_refused(stage, response)


def test_d11_a_teacher_reviews_a_learners_work(stage):
    location = assert_accepted(stage, launch(stage.browser(), stage.lms, **reviewing()))

    assert location.endswith("/class")


def test_a_learner_looks_at_their_own_work(stage):
    own = reviewing(["Learner"], for_user={"user_id": "user-1"})

    location = assert_accepted(stage, launch(stage.browser(), stage.lms, **own))

    assert location.endswith("/me")


@pytest.mark.parametrize(
    "message",
    [
        "LtiStartProctoring",
        "LtiEndAssessment",
        "LtiAssetProcessorSettingsRequest",
        "LtiEulaRequest",
        "LtiReportReviewRequest",
        "LtiContextLaunchRequest",
        "LtiDeepLinkingResponse",
    ],
)
def test_m47_other_messages_are_refused_in_plain_words(stage, message):
    response = launch(stage.browser(), stage.lms, message_type=message)

    assert_refused(stage, response)
    assert "asked for something other than opening Waymark" in response.text
