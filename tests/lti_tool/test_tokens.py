"""Reading tokens: whatever comes in, a token or a refusal comes out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.launch.claims import VerifiedClaims, is_own, parse_claims
from lti_tool.launch.refusals import LaunchRefused, ProofRefused
from lti_tool.launch.tokens import UnverifiedToken, VerifiedToken, parse_token
from tests.lti_tool.platform import LTI, b64

ORIGIN = "https://waymark.example"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CLAIM = st.sampled_from(
    [
        LTI + name
        for name in (
            "message_type",
            "version",
            "deployment_id",
            "target_link_uri",
            "resource_link",
            "roles",
            "context",
            "custom",
        )
    ]
    + ["sub", "name", "https://www.instructure.com/placement"]
)
GOOD = {
    "sub": "u",
    LTI + "message_type": "LtiResourceLinkRequest",
    LTI + "version": "1.3.0",
    LTI + "deployment_id": "d",
    LTI + "target_link_uri": ORIGIN + "/",
    LTI + "resource_link": {"id": "l"},
    LTI + "roles": [],
}


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except LaunchRefused as refused:
        return refused


@given(st.text())
def test_any_text_is_a_token_or_refused(text):
    assert isinstance(outcome(parse_token, text), UnverifiedToken | ProofRefused)


@given(JSON, JSON, st.binary(min_size=1, max_size=20))
def test_any_json_in_any_segment_is_a_token_or_refused(header, body, signature):
    text = ".".join(
        (b64(json.dumps(header).encode()), b64(json.dumps(body).encode()), b64(signature))
    )

    assert isinstance(outcome(parse_token, text), UnverifiedToken | ProofRefused)


@given(st.dictionaries(CLAIM, JSON, max_size=4))
def test_any_claims_are_a_launch_or_refused(changes):
    claims = outcome(parse_claims, VerifiedToken(body=GOOD | changes), ORIGIN)

    assert isinstance(claims, VerifiedClaims | LaunchRefused)
    if isinstance(claims, VerifiedClaims):
        shown = [claims.name, claims.context_title, *claims.custom.values(), *claims.roles]
        assert all(text.encode() is not None for text in shown)


@given(st.text())
def test_only_addresses_of_the_origin_are_own(text):
    assert not is_own(text, ORIGIN)


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        (ORIGIN, True),
        (ORIGIN + "/", True),
        (ORIGIN + ":443/lti/launch?x=1#y", True),
        ("HTTPS://WAYMARK.example/", True),
        ("https://waymark.example.evil.example/", False),
        ("https://evil.example/waymark.example", False),
        ("https://user@waymark.example/", False),
        ("https://waymark.example:444/", False),
        ("http://waymark.example/", False),
        ("//waymark.example/", False),
        ("https:waymark.example", False),
        ("https://waymark.example\\@evil.example", False),
        ("https://waymark.example\t.evil.example", False),
        (" https://waymark.example/", False),
        ("https://[::1", False),
    ],
)
def test_an_address_is_ours_by_scheme_host_and_port(address, is_ours):
    assert is_own(address, ORIGIN) is is_ours
