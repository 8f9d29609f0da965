"""How the claims of a proven token are read."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.launch.claim_values import address
from lti_tool.launch.claims import parse_claims
from lti_tool.launch.refusals import LaunchRefused
from tests.lti_tool.deep_links import RETURN_URL, asking
from tests.lti_tool.platform import Lms
from tests.lti_tool.stage import START

GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
ORIGIN = "https://waymark.example"
LOCAL = "http://localhost:8100"


def parsed(origin: str = ORIGIN, **changes: Any) -> Any:
    lms = Lms(key=None, clock=lambda: START)  # type: ignore[arg-type] # nothing is signed here
    body = lms.claims("n", **({"target_link_uri": origin + "/lti/launch"} | changes))
    return parse_claims(SimpleNamespace(body=body), origin)  # type: ignore[arg-type] # only its body is read


def focus_of(text: object) -> tuple[str, ...]:
    return parsed(custom={"waymark_competencies": text}).focus


def test_the_focus_is_what_the_link_names_once_each():
    assert focus_of("N.1, N.2,N.1,,") == ("N.1", "N.2")


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_the_focus_is_read_however_often_it_was_encoded(times):
    text = "6f1a-é,case:/2"
    for _ in range(times):
        text = quote(text, safe="")

    assert focus_of(text) == ("6f1a-é", "case:/2")


def test_a_focus_of_many_identifiers_is_kept_though_custom_texts_are_short():
    identifiers = tuple(f"{number:036d}" for number in range(50))

    claims = parsed(custom={"waymark_competencies": ",".join(identifiers)})

    assert claims.focus == identifiers


@pytest.mark.parametrize(
    "text", [None, 7, ["a"], "", "$Canvas.foo", "a\x00b", "x" * 300, "a," * 3_000]
)
def test_a_focus_that_cannot_be_read_is_everything(text):
    assert focus_of(text) == ()


@given(st.text())
def test_any_focus_is_plain_identifiers(text):
    assert all(0 < len(one) <= 255 and "," not in one for one in focus_of(text))


@pytest.mark.parametrize(
    ("sent", "mentees"),
    [
        (..., None),
        (None, None),
        ([], ()),
        (["u1", "u2", "u1"], ("u1", "u2")),
        ([None, 5, "", "u1"], ("u1",)),
        ("u1", ()),
        ({"u1": True}, ()),
    ],
)
def test_m42_a_mentors_list_names_whom_it_names_and_a_wrong_one_nobody(sent, mentees):
    assert parsed(role_scope_mentor=sent).mentees == mentees


def test_v27_the_services_of_a_launch_are_kept():
    claims = parsed(
        **{
            GRADES: {"lineitems": "https://lms.example/i?type_id=1", "lineitem": "https://l/1"},
            MEMBERS: {"context_memberships_url": "https://lms.example/CourseSection/2"},
        }
    )

    assert claims.lineitems_url == "https://lms.example/i?type_id=1"
    assert claims.lineitem_url == "https://l/1"
    assert claims.memberships_url == "https://lms.example/CourseSection/2"


@pytest.mark.parametrize("value", ["", None, 5, [], "x", "http://lms.example/i", "ftp://l/i"])
def test_m43_an_address_of_a_service_that_is_none_is_absent(value):
    claims = parsed(**{GRADES: {"lineitems": value}, MEMBERS: {"context_memberships_url": value}})

    assert (claims.lineitems_url, claims.memberships_url) == ("", "")


@pytest.mark.parametrize("host", ["127.0.0.1:8101", "localhost:1", "[::1]:8101", "a.localhost"])
def test_an_lms_on_this_machine_needs_no_tls_where_waymark_is_here_too(host):
    url = f"http://{host}/x"

    assert (address(url, LOCAL), address(url, ORIGIN)) == (url, "")


@given(st.text(), st.sampled_from([ORIGIN, LOCAL]))
def test_no_text_breaks_the_reading_of_an_address(text, origin):
    assert address(text, origin) in {"", text}


def test_deep_linking_settings_are_read_with_their_defaults():
    settings = parsed(**asking(accept_multiple=..., data=..., title="T")).deep_linking

    assert settings.return_url == RETURN_URL
    assert settings.accept_types == ("link", "ltiResourceLink")
    assert (settings.is_multiple, settings.may_have_line_items) == (False, True)
    assert (settings.data, settings.title, settings.text) == (None, "T", "")


@pytest.mark.parametrize(("sent", "is_multiple"), [("true", True), ("False", False), ("x", False)])
def test_d17_booleans_may_come_as_texts(sent, is_multiple):
    assert parsed(**asking(accept_multiple=sent)).deep_linking.is_multiple is is_multiple


def test_what_is_for_one_message_is_not_read_from_another():
    claims = parsed(for_user={"user_id": "u"})

    assert (claims.review_of, claims.deep_linking) == (None, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "custom",
        "context",
        "resource_link",
        "roles",
        "role_scope_mentor",
        "for_user",
        "message_type",
        "target_link_uri",
        GRADES,
        MEMBERS,
        "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings",
    ]
)


@given(st.dictionaries(NAMES, JSON, max_size=4), st.booleans())
def test_whatever_a_claim_holds_it_is_read_or_refused(changes, is_deep_linking):
    base = asking() if is_deep_linking else {}
    try:
        claims = parsed(**(base | changes))
    except LaunchRefused:
        return

    assert claims.deployment == "dep-1"


@pytest.mark.parametrize(
    ("claims", "locale"),
    [
        ({"launch_presentation": {"locale": "es-MX"}, "locale": "en"}, "es-MX"),
        ({"launch_presentation": {"locale": None}, "locale": "pt-BR"}, "pt-BR"),
        ({"launch_presentation": ["es"]}, ""),
        ({"launch_presentation": {"locale": "es" * 1000}}, ("es" * 1000)[:512]),
    ],
)
def test_the_language_is_the_one_that_the_lms_shows_itself_in(claims, locale):
    assert parsed(**claims).locale == locale
