"""``waymark words``, as a district's administrator meets it."""

import json

import pytest

from store.policy_changes import PolicyKind, changes_of
from store.session import reading
from tests.lti_tool.commands import desk, still

__all__ = ["desk", "still"]

pytestmark = pytest.mark.redis


def test_a_word_is_told_set_shown_and_taken_back(desk):
    tried = desk.run("words", "set", "competency", "skill", "skills")
    desk.run("words", "set", "competency", "skill", "skills", "--reason", "Ours.", "--yes")
    desk.run("words", "set", "status_mastered", "Secure", "--yes")
    told = json.loads(desk.run("words", "show", "--json"))
    shown = desk.run("words", "show")
    back = desk.run("words", "set", "competency", "", "--yes")

    assert "Nothing was saved." in tried
    assert told["competency"] == {"one": "skill", "several": "skills"}
    assert told["status_mastered"]["one"] == "Secure"
    assert "the district's own" in shown
    assert "competency, competencies" in back
    with reading(desk.night.engine) as connection:
        kept = changes_of(connection, desk.night.tenant, most=3)
    assert {one.kind for one in kept} == {PolicyKind.WORDS}
    assert (kept[-1].by, kept[-1].reason) == ("command line", "Ours.")


@pytest.mark.parametrize(
    ("said", "told", "status"),
    [
        (("strand", "theme"), "Give both", 2),
        (("status_mastered", "Secure", "Secures"), "one name", 2),
        (("lesson", "unit"), "not one of", 2),
        (("status_insufficient", "Failing"), "think over: Failing", 0),
    ],
)
def test_what_makes_no_word_or_an_unkind_one_is_told(still, said, told, status):
    assert told in still.run("words", "set", *said, status=status)
