"""Login initiations that must not begin anything: contracts/lti.md 4.L."""

from urllib.parse import urlencode

import pytest

from tests.attacks.verdict import assert_refused
from tests.lti_tool.platform import TOOL

BAD = {
    "L03 no issuer": {"iss": ...},
    "L04 no login hint": {"login_hint": ...},
    "L05 no target": {"target_link_uri": ...},
    "L06 unknown issuer": {"iss": "https://evil.example"},
    "L07 unknown client": {"client_id": "client-X"},
    "L10 target elsewhere": {"target_link_uri": "https://evil.example/x"},
    "L11 target without scheme": {"target_link_uri": "//evil.example/x"},
    "L12 target with a user": {"target_link_uri": "https://waymark.example@evil.example/"},
    "L13 target is a script": {"target_link_uri": "javascript:alert(1)"},
    "L14 target with a backslash": {"target_link_uri": "https://waymark.example\\@evil.example/"},
    "target on another port": {"target_link_uri": "https://waymark.example:8443/lti/launch"},
    "target in the clear": {"target_link_uri": "http://waymark.example/lti/launch"},
    "target with a broken port": {"target_link_uri": "https://waymark.example:port/"},
    "target with a line break": {"target_link_uri": TOOL + "/\r\nSet-Cookie: a=b"},
    "L15 large hint": {"login_hint": "x" * 100_000},
    "L16 long message hint": {"lti_message_hint": "x" * 5_000},
    "L19 large issuer": {"iss": "https://" + "x" * 100_000},
    "L20 issuer with a null": {"iss": "https://lms.example\x00"},
    "L23 issuer twice": {"iss": ["https://lms.example", "https://evil.example"]},
    "L23 hint twice": {"login_hint": ["a", "b"]},
    "T05 no client among two": {"client_id": ...},
    "empty client among two": {"client_id": ""},
    "issuer in capitals": {"iss": "HTTPS://LMS.EXAMPLE"},
    "issuer is an injection": {"iss": "' OR '1'='1"},
}


def ids(cases):
    return [pytest.param(change, id=name) for name, change in cases.items()]


@pytest.mark.parametrize("change", ids(BAD))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bad_login_begins_nothing(stage, change, method):
    form = stage.lms.login_form(**change)

    if method == "POST":
        response = stage.browser().post("/lti/login", data=form)
    else:
        response = stage.browser().get("/lti/login?" + urlencode(form, doseq=True))

    assert_refused(stage, response)
    assert stage.keys("waymark:login:*") == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
def test_other_methods_are_not_allowed_on_login(stage, method):
    response = stage.browser().open(
        "/lti/login", method=method, query_string=stage.lms.login_form()
    )

    assert response.status_code == 405
    assert stage.keys("waymark:login:*") == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_a_launch_is_posted_and_nothing_else(stage, method):
    assert stage.browser().open("/lti/launch", method=method).status_code == 405


def test_a_json_login_is_refused(stage):
    response = stage.browser().post("/lti/login", json=stage.lms.login_form())

    assert_refused(stage, response)


def test_the_page_does_not_repeat_what_was_sent(stage):
    response = stage.browser().post(
        "/lti/login", data=stage.lms.login_form(iss="https://<script>alert(1)</script>")
    )

    assert "<script" not in response.text
    assert "alert(1)" not in response.text


def test_a_forged_host_header_changes_no_address(stage):
    response = stage.browser().post(
        "/lti/login", data=stage.lms.login_form(), headers={"Host": "evil.example"}
    )

    assert "evil.example" not in response.headers["Location"]
    assert (
        "redirect_uri=https%3A%2F%2Fwaymark.example%2Flti%2Flaunch"
        in (response.headers["Location"])
    )
