"""The launches of 1EdTech's certification suite, in its order; docs/certification.md has the rest.

The suite's payloads are known from tools that passed it: each is the baseline with one change.
"""

import re
from pathlib import Path

import pytest

from tests.attacks.verdict import assert_accepted, assert_refused
from tests.lti_tool.platform import LTI, MEMBERSHIP, begin

ROOT = Path(__file__).parents[2]
TEACHER = [MEMBERSHIP + "Instructor"]
LEARNER = [MEMBERSHIP + "Learner"]
UNKNOWN = "http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"
ALL_OF_LTI = tuple(
    LTI + name
    for name in (
        "message_type", "version", "deployment_id", "target_link_uri", "resource_link", "roles",
        "context", "custom",
    )
)  # fmt: skip

BAD = {
    "J02 no key id": ({"alg": "RS256", "typ": "JWT"}, {}),
    "J03 an incorrect key id": ({"alg": "RS256", "typ": "JWT", "kid": "imstester_66067"}, {}),
    "M02 a wrong version": (None, {"version": "11.3"}),
    "M01 no version": (None, {"version": ...}),
    "C52 no message of LTI": (None, dict.fromkeys(ALL_OF_LTI, ...) | {"name": "badltilaunch"}),
    "C53 claims missing": (None, dict.fromkeys(ALL_OF_LTI[:3], ...)),
    "C01 wrong times": (None, {"iat": 11111, "exp": 22222}),
    "M06 no message type": (None, {"message_type": ...}),
    "M28 no roles": (None, {"roles": ...}),
    "M10 no deployment": (None, {"deployment_id": ...}),
    "M21 no resource link": (None, {"resource_link": ...}),
    "C50 no user": (None, {"sub": ...}),
    "C39 an empty user": (None, {"sub": ""}),
}
VALID = {
    "V01 and V02 the usual": {},
    "V03 several roles": {"also": [UNKNOWN, MEMBERSHIP + "Member"]},
    "V04 and V05 a short role": {"is_short": True},
    "V06 an unknown role": {"roles": [UNKNOWN]},
    "V21 no role": {"roles": [""]},
    "V12 an e-mail address only": {"name": ...},
    "V13 names only": {"email": ..., "given_name": "Ada", "family_name": "Lovelace"},
    "V14 nothing personal": {"name": ..., "email": ...},
    "V15 an e-mail address and no course": {"name": ..., "context": ...},
}


def launched(stage, browser, header, changes):
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce, **changes), header)
    return browser.post("/lti/launch", data={"id_token": token, "state": login.state})


@pytest.mark.parametrize(("header", "changes"), BAD.values(), ids=BAD)
def test_a_bad_payload_of_the_suite_is_refused(stage, header, changes):
    assert_refused(stage, launched(stage, stage.browser(), header, changes))


@pytest.mark.parametrize("changes", VALID.values(), ids=VALID)
@pytest.mark.parametrize(
    ("roles", "page"), [(TEACHER, "class"), (LEARNER, "me")], ids=["teacher", "student"]
)
def test_a_valid_launch_of_the_suite_shows_its_page(stage, roles, page, changes):
    asked = dict(changes)
    own = [roles[0].rpartition("#")[2]] if asked.pop("is_short", False) else roles
    claims = {"roles": [*own, *asked.pop("also", [])]} | asked
    browser = stage.browser()

    location = assert_accepted(stage, launched(stage, browser, None, claims))

    is_in_role = claims["roles"][0] in own
    assert location.rpartition("/")[2] == (page if is_in_role else "welcome")
    assert browser.get(location).status_code == 200


def test_every_test_that_the_document_names_is_there():
    text = (ROOT / "docs" / "certification.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)(?:\[([^\]`]+)\])?`", text)

    missing = [
        (file, test, case)
        for file, test, case in named
        if f"def {test}(" not in (source := (ROOT / file).read_text(encoding="utf-8"))
        or case not in source
    ]

    assert len(named) > 30
    assert missing == []
