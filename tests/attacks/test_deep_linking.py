"""Requests for links, and who may answer them: contracts/lti.md 4.D."""

import pytest

from tests.attacks.verdict import assert_accepted, assert_refused
from tests.lti_tool.deep_links import SETTINGS, asking
from tests.lti_tool.platform import MEMBERSHIP, launch

VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"

BAD = {
    "D03 no settings": asking() | {SETTINGS: ...},
    "D03 settings null": asking() | {SETTINGS: None},
    "settings list": asking() | {SETTINGS: []},
    "D04 no return URL": asking(deep_link_return_url=...),
    "return URL empty": asking(deep_link_return_url=""),
    "return URL list": asking(deep_link_return_url=["https://lms.example/"]),
    "return URL without TLS": asking(deep_link_return_url="http://lms.example/x"),
    "return URL of this machine": asking(deep_link_return_url="http://127.0.0.1/x"),
    "return URL a script": asking(deep_link_return_url="javascript:alert(1)"),
    "return URL relative": asking(deep_link_return_url="/courses/1"),
    "return URL with a user": asking(deep_link_return_url="https://a:b@lms.example/"),
    "return URL with a wrong port": asking(deep_link_return_url="https://lms.example:x/"),
    "return URL without a host": asking(deep_link_return_url="https:///x"),
    "return URL with an open bracket": asking(deep_link_return_url="https://[lms.example/"),
    "return URL of 5,000": asking(deep_link_return_url="https://lms.example/" + "x" * 5_000),
    "return URL of two lines": asking(deep_link_return_url="https://lms.example/\r\nX: y"),
    "return URL ending a line": asking(deep_link_return_url="https://lms.example/\n"),
    "return URL with a policy": asking(deep_link_return_url="https://lms.example/; x"),
    "D09 return URL with markup": asking(
        deep_link_return_url='https://lms.example/"><script>alert(1)</script>'
    ),
    "D05 no accepted types": asking(accept_types=...),
    "D15 accepted types a text": asking(accept_types="ltiResourceLink"),
    "accepted types empty": asking(accept_types=[]),
    "accepted types of other things": asking(accept_types=[None, 5]),
    "accepted types by the hundred": asking(accept_types=["ltiResourceLink"] * 100),
    "M28 no roles": asking() | {"roles": ...},
    "target elsewhere": asking() | {"target_link_uri": "https://evil.example/"},
    "target of another form": asking() | {"target_link_uri": 5},
    "M01 no version": asking() | {"version": ...},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_such_a_request_opens_no_session(stage, change):
    response = launch(stage.browser(), stage.lms, **change)

    assert_refused(stage, response)
    assert response.status_code == 400


OTHERS = {
    "D23 learner": [MEMBERSHIP + "Learner"],
    "mentor": [MEMBERSHIP + "Mentor"],
    "nobody": [],
    "teacher elsewhere": [VOCABULARY + "institution/person#Instructor"],
    "administrator elsewhere": [VOCABULARY + "institution/person#Administrator"],
    "test user": [
        MEMBERSHIP + "Instructor",
        "http://purl.imsglobal.org/vocab/lti/system/person#TestUser",
    ],
}


@pytest.mark.parametrize("roles", OTHERS.values(), ids=OTHERS)
def test_d23_who_teaches_and_designs_nothing_here_places_nothing(stage, roles):
    response = launch(stage.browser(), stage.lms, **asking(roles))

    assert_refused(stage, response)
    assert response.status_code == 403


def test_an_anonymous_teacher_places_nothing(stage):
    anonymous = {"sub": ..., "name": ..., "email": ...}

    response = launch(stage.browser(), stage.lms, **asking(), **anonymous)

    assert_refused(stage, response)


GOOD = {
    "D01 the usual": asking(),
    "D02 no data": asking(data=...),
    "data null": asking(data=None),
    "data of another form": asking(data={"a": 1}),
    "data surrogate": asking(data="\ud800"),
    "D07 no links of ours": asking(accept_types=["link"]),
    "D14 no target": asking() | {"target_link_uri": ...},
    "D17 booleans as texts": asking(accept_multiple="true", accept_lineitem="false"),
    "booleans of other forms": asking(accept_multiple=1, accept_lineitem=[]),
    "D29 return URL elsewhere": asking(deep_link_return_url="https://other.example:8443/x"),
    "titles of other forms": asking(title=5, text=None),
    "no context": asking() | {"context": ...},
    "designer": asking([MEMBERSHIP + "ContentDeveloper"]),
    "teaching assistant": asking([VOCABULARY + "membership/instructor#TeachingAssistant"]),
    "with a resource link all the same": asking() | {"resource_link": {"id": "l"}},
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_such_a_request_leads_to_the_picker(stage, change):
    browser = stage.browser()

    location = assert_accepted(stage, launch(browser, stage.lms, **change))

    assert location.endswith("/choose")
    page = browser.get(location)
    assert page.status_code == 200
    assert "Choose competencies" in page.text
