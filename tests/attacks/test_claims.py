"""Proven tokens whose claims must not open a session: contracts/lti.md 4.C and 4.M."""

import json

import pytest

from tests.attacks.verdict import assert_accepted, assert_refused
from tests.lti_tool.platform import MEMBERSHIP, begin, launch
from tests.lti_tool.stage import START

NOW = int(START.timestamp())

BAD = {
    "C01 expired": {"iat": 11_111, "exp": 22_222},
    "C01 expired ten minutes ago": {"exp": NOW - 600},
    "expired by a second more than the leeway": {"exp": NOW - 61, "iat": NOW - 90},
    "C02 no exp": {"exp": ...},
    "C03 exp null": {"exp": None},
    "C04 exp text number": {"exp": str(NOW + 300)},
    "C05 exp text": {"exp": "soon"},
    "exp true": {"exp": True},
    "C07 exp negative": {"exp": -1},
    "C08 exp list": {"exp": [NOW + 300]},
    "exp of many digits": {"exp": 10**400},
    "C10 no iat": {"iat": ...},
    "C11 iat ahead": {"iat": NOW + 3600, "exp": NOW + 7200},
    "C14 iat after exp": {"iat": NOW + 20, "exp": NOW + 10},
    "C15 iat text": {"iat": "x"},
    "iat null": {"iat": None},
    "C17 nbf ahead": {"nbf": NOW + 3600},
    "C16 nbf text": {"nbf": "x"},
    "C18 no iss": {"iss": ...},
    "C19 iss unknown": {"iss": "https://evil.example"},
    "C20 iss with a slash": {"iss": "https://lms.example/"},
    "C21 iss in capitals": {"iss": "HTTPS://LMS.EXAMPLE"},
    "C22 iss list": {"iss": ["https://lms.example"]},
    "C23 iss object": {"iss": {"a": 1}},
    "C24 iss null": {"iss": None},
    "C25 aud other": {"aud": "client-X"},
    "T01 aud other tenant": {"aud": "client-B"},
    "C26 no aud": {"aud": ...},
    "C30 two audiences without azp": {"aud": ["client-A", "other"]},
    "C31 azp other": {"azp": "other"},
    "C32 azp other among two": {"aud": ["client-A", "other"], "azp": "other"},
    "azp null": {"azp": None},
    "C33 aud empty": {"aud": []},
    "C34 aud object": {"aud": {"client-A": 1}},
    "C35 aud number": {"aud": 1},
    "C36 aud null": {"aud": None},
    "C37 aud of null": {"aud": [None]},
    "aud of client and null": {"aud": ["client-A", None]},
    "C39 sub empty": {"sub": ""},
    "C40 sub number": {"sub": 7},
    "C41 sub long": {"sub": "x" * 300},
    "sub with a null character": {"sub": "user\x00"},
    "sub with a lone surrogate": {"sub": "\ud800"},
    "C50 no sub but a name": {"sub": ...},
    "C51 sub null": {"sub": None},
    "C43 no nonce": {"nonce": ...},
    "C44 nonce empty": {"nonce": ""},
    "C45 nonce list": {"nonce": ["x"]},
    "C46 nonce never issued": {"nonce": "x" * 43},
    "nonce surrogate": {"nonce": "\ud800"},
    "C53 nothing of LTI": dict.fromkeys(
        ("message_type", "version", "roles", "deployment_id", "resource_link"), ...
    ),
    "M01 no version": {"version": ...},
    "M02 version 11.3": {"version": "11.3"},
    "M03 version 1.3": {"version": "1.3"},
    "M04 version 1.1": {"version": "1.1"},
    "M05 version number": {"version": 1.3},
    "M06 no message type": {"message_type": ...},
    "M07 message unknown": {"message_type": "LtiFutureRequest"},
    "M08 message list": {"message_type": ["LtiResourceLinkRequest"]},
    "M09 message in lower case": {"message_type": "ltiresourcelinkrequest"},
    "D03 deep linking without settings": {"message_type": "LtiDeepLinkingRequest"},
    "M47 proctoring": {"message_type": "LtiStartProctoring"},
    "M47 asset processor": {"message_type": "LtiAssetProcessorSettingsRequest"},
    "M47 licence": {"message_type": "LtiEulaRequest"},
    "M47 report": {"message_type": "LtiReportReviewRequest"},
    "D13 review without line item": {
        "message_type": "LtiSubmissionReviewRequest",
        "for_user": {"user_id": "user-1"},
    },
    "data privacy": {"message_type": "DataPrivacyLaunchRequest"},
    "M10 no deployment": {"deployment_id": ...},
    "M11 deployment empty": {"deployment_id": ""},
    "M12 deployment unknown": {"deployment_id": "dep-9"},
    "M13 deployment number": {"deployment_id": 1},
    "M14 deployment null": {"deployment_id": None},
    "M15 deployment object": {"deployment_id": {"a": 1}},
    "M16 deployment list": {"deployment_id": ["dep-1"]},
    "M17 deployment long": {"deployment_id": "d" * 300},
    "T02 deployment of another tenant": {"deployment_id": "dep-B"},
    "deployment injection": {"deployment_id": "dep-1' OR '1'='1"},
    "M18 no target": {"target_link_uri": ...},
    "M19 target elsewhere": {"target_link_uri": "https://evil.example/"},
    "target a script": {"target_link_uri": "javascript:alert(1)"},
    "target number": {"target_link_uri": 5},
    "target with a user": {"target_link_uri": "https://evil@waymark.example/"},
    "target with a wrong port": {"target_link_uri": "https://waymark.example:x/"},
    "target with a backslash": {"target_link_uri": "https://waymark.example\\.evil.example/"},
    "target with a line break": {"target_link_uri": "https://waymark.example/?a\r\nX: y"},
    "M21 no resource link": {"resource_link": ...},
    "M22 resource link without id": {"resource_link": {"title": "x"}},
    "M23 resource link null": {"resource_link": None},
    "M24 resource link text": {"resource_link": "link-1"},
    "M25 resource link id empty": {"resource_link": {"id": ""}},
    "M26 resource link id number": {"resource_link": {"id": 5}},
    "M27 resource link id long": {"resource_link": {"id": "x" * 300}},
    "M28 no roles": {"roles": ...},
    "M29 roles null": {"roles": None},
    "M30 roles text": {"roles": MEMBERSHIP + "Instructor"},
    "M31 roles of other things": {"roles": [None, 5]},
    "roles object": {"roles": {MEMBERSHIP + "Instructor": True}},
    "roles by the thousand": {"roles": [MEMBERSHIP + "Instructor"] * 5_00},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_these_claims_open_no_session(stage, change):
    assert_refused(stage, launch(stage.browser(), stage.lms, **change))


def test_an_infinite_expiry_opens_no_session(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    body = stage.lms.claims(login.nonce)
    text = json.dumps(body).replace(f'"exp": {body["exp"]}', '"exp": 1e400')

    response = browser.post(
        "/lti/launch", data={"id_token": stage.lms.sign(text), "state": login.state}
    )

    assert "1e400" in text
    assert_refused(stage, response)


GOOD = {
    "C06 exp float": {"exp": NOW + 300.5},
    "C12 iat five seconds ahead": {"iat": NOW + 5},
    "C13 expired five seconds ago": {"exp": NOW - 5, "iat": NOW - 65},
    "C27 aud list": {"aud": ["client-A"]},
    "C28 two audiences": {"aud": ["client-A", "other"], "azp": "client-A"},
    "C29 other audience first": {"aud": ["other", "client-A"], "azp": "client-A"},
    "C40 sub of 255": {"sub": "x" * 255},
    "C47 email number": {"email": 5},
    "C48 unknown claims": {"https://vendor.example/x": {"a": [1]}, "jti": "j", "picture": "p"},
    "C49 jti number": {"jti": 5},
    "M20 nonsense title": {"resource_link": {"id": "l", "title": 5}},
    "M32 no context": {"context": ...},
    "M33 context without id": {"context": {"title": "x"}},
    "M34 context null": {"context": None},
    "M35 context list": {"context": ["x"]},
    "context id number": {"context": {"id": 5}},
    "M36 custom numbers": {"custom": {"canvas_course_id": 101, "canvas_user_id": 7, "x": None}},
    "M37 custom text": {"custom": "x"},
    "M38 custom list": {"custom": [1]},
    "custom surrogate": {"custom": {"canvas_user_id": "\ud800"}},
    "M39 markup": {
        "name": '"><img src=x onerror=alert(1)>',
        "context": {"id": "c", "title": "<script>alert(1)</script>"},
    },
    "M41 nothing optional": {"lis": None, "tool_platform": {"name": "x"}},
    "M43 grades without scope": {
        "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {"lineitems": "https://x"}
    },
    "M45 wrong LTI 1.1 signature": {"lti1p1": {"oauth_consumer_key_sign": "wrong"}},
    "name surrogate": {"name": "A\ud800da"},
    "V10 administrator only": {
        "roles": ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"]
    },
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_what_real_platforms_send_is_taken(stage, change):
    browser = stage.browser()

    location = assert_accepted(stage, launch(browser, stage.lms, **change))

    page = browser.get(location)
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "<img" not in page.text


def test_an_unknown_deployment_is_told_to_wait_for_approval(stage):
    response = launch(stage.browser(), stage.lms, deployment_id="dep-9")

    assert response.status_code == 403
    assert "must approve the deployment" in response.text
