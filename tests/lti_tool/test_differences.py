"""A change in words: a rule is told part by part."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.pages.desk.differences import Difference, differences

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_words_are_told_whole():
    assert differences("shadow", "official") == (
        Difference(part="", before="shadow", after="official"),
    )


def test_of_a_rule_only_what_changed_is_told():
    old = {"method": "mean", "minimum": {"count": 2, "is_strict": True}, "kinds": ["skill"]}
    new = {"method": "mean", "minimum": {"count": 3, "is_strict": False}, "kinds": []}

    assert differences(json.dumps(old), json.dumps(new)) == (
        Difference(part="kinds", before="skill", after="nothing"),
        Difference(part="minimum, count", before="2", after="3"),
        Difference(part="minimum, is strict", before="yes", after="no"),
    )


def test_a_list_of_parts_is_told_by_place():
    (one,) = differences(
        '{"levels": [{"cut": 1}, {"cut": 2}]}', '{"levels": [{"cut": 1}, {"cut": 3}]}'
    )

    assert one == Difference(part="levels, 2, cut", before="2", after="3")


def test_what_is_new_was_nothing_before():
    assert differences("", '{"method": "mean"}') == (
        Difference(part="method", before="nothing", after="mean"),
    )


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
def test_a_thing_does_not_differ_from_itself(thing):
    text = json.dumps(thing)

    assert differences(text, text) == ()


@given(st.text(), st.text())
def test_any_text_is_told(before, after):
    differences(before, after)


def test_a_depth_beyond_reason_is_told_whole():
    deep = "[" * 100_000

    assert differences(deep, "{}") == (Difference(part="", before=deep, after="{}"),)
