"""``waymark rule``, as a district's administrator meets it."""

import json

import pytest

from mapping.rules.scopes import Scope
from store import rule_proposals, rules
from store.mapping_drafts import Editor
from store.policy_changes import Author, PolicyKind, changes_of
from store.rule_proposals import RuleChange
from store.rules import DISTRICT, RulePlace
from store.second_person import set_needs_second
from store.session import reading, writing
from tests.lti_tool.commands import desk, still

__all__ = ["desk", "still"]

pytestmark = pytest.mark.redis


@pytest.fixture
def put(tmp_path):
    """Write a rule's file; its path."""

    def put(definition):
        path = tmp_path / "rule.json"
        text = definition if isinstance(definition, str) else json.dumps(definition)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return put


def versions(desk):
    with reading(desk.night.engine) as connection:
        return rules.rule_versions(connection, desk.night.tenant)


def test_a_rule_is_told_before_it_is_saved(still, put):
    path = put({"mastered": 3.5, "minimum_evidence": 3})

    said = still.run("rule", "set", path, "--scope", "competency", "--target", "N.1")

    assert said.startswith("Competency N.1 Count, from ")
    assert "at least 3 pieces of evidence is 3.50" in said
    assert "this competency changes where mastery begins and how much evidence is needed" in said
    assert "Nothing was saved." in said
    assert len(versions(still)) == 1


def test_a_rule_is_saved_where_it_is_meant_and_with_the_reason(desk, put):
    path = put({"mastered": 3.5})
    where = ("--scope", "framework", "--target", "mathematics")

    said = desk.run("rule", "set", path, *where, "--reason", "The board decided.", "--yes")
    again = desk.run("rule", "set", path, *where, "--yes")

    assert "Saved." in said
    assert "nothing was changed" in again
    first, saved = versions(desk)
    assert (saved.place.scope, saved.definition) == (Scope.FRAMEWORK, {"mastered": 3.5})
    assert saved.reason == "The board decided."
    assert first.definition != saved.definition


def test_a_rule_may_begin_later_and_is_listed_until_then(desk, put):
    desk.run("rule", "set", put({"mastered": 3.5}), "--from", "2099-01-01", "--yes")

    listed = desk.run("rule", "list")
    now, then = desk.run("rule", "show"), desk.run("rule", "show", "--from", "2099-01-01")

    assert "2099-01-01" in listed
    assert "is 3.00 (Proficient) or more" in now
    assert "is 3.50 (Exemplary) or more" in then
    assert len(versions(desk)) == 2


WRONG = {
    "mastered": ({"mastered": 40}, "mastered must be"),
    "a key": ({"masterd": 3}, "masterd"),
    "a method": ({"method": "guess"}, "method must be one of"),
    "no object": ("[]", "must hold a JSON object"),
    "nothing": ({}, "waymark rule withdraw"),
    "no JSON": ("{", "is no JSON file"),
}


@pytest.mark.parametrize(("definition", "told"), WRONG.values(), ids=WRONG)
def test_what_makes_no_rule_is_told_with_its_field(still, put, definition, told):
    said = still.run("rule", "set", put(definition), "--yes", status=1)

    assert told in said
    assert len(versions(still)) == 1


def test_a_rule_is_withdrawn_and_what_is_wider_holds_again(desk, put):
    where = ("--scope", "course", "--target", "ALG")
    desk.run("rule", "set", put({"mastered": 3.5}), *where, "--yes")
    before = desk.run("rule", "show", *where)

    desk.run("rule", "withdraw", *where, "--yes")

    assert "is 3.50 (Exemplary) or more" in before
    assert "is 3.00 (Proficient) or more" in desk.run("rule", "show", *where)
    assert "course" not in desk.run("rule", "list")
    assert "nothing any more" in desk.run("rule", "list", "--all")
    assert isinstance(versions(desk)[-1].place, RulePlace)


@pytest.mark.parametrize(
    ("where", "status"),
    [
        (("--scope", "competency"), 2),
        (("--target", "N.1"), 2),
        (("--scope", "competency", "--target", "X.9"), 1),
        (("--scope", "course", "--target", "Nothing"), 1),
        (("--from", "soon"), 2),
    ],
    ids=str,
)
def test_a_place_that_there_is_not_is_told(still, where, status):
    assert "Error" in still.run("rule", "show", *where, status=status)


def test_the_effect_is_told_before_anything_is_saved(still, put):
    said = still.run("rule", "set", put({"mastered": 1.0, "minimum_evidence": 1}), "--effect")

    assert "learners would be others" in said
    assert "-> Mastered:" in said
    assert len(versions(still)) == 1


def test_a_rule_set_here_stands_in_the_trail(desk, put):
    desk.run("rule", "set", put({"mastered": 3.5}), "--reason", "The board decided.", "--yes")

    with reading(desk.night.engine) as connection:
        newest = changes_of(connection, desk.night.tenant, most=1)[0]
    assert (newest.kind, newest.subject) == (PolicyKind.RULE, "The district")
    assert newest.reason == "The board decided."
    assert '"mastered": 3.5' in newest.after


@pytest.fixture
def careful(desk):
    """Where the district wants a second person."""
    night = desk.night
    author = Author(by="Vera", at=night.clock())
    with writing(night.engine) as connection:
        set_needs_second(connection, night.tenant, is_needed=True, author=author)
    return desk


def propose(desk):
    """Somebody at the desk proposes a stricter rule; its number."""
    night, now = desk.night, desk.night.clock()
    change = RuleChange(place=DISTRICT, definition={"mastered": 3.5})
    vera = Editor(author=Author(by="Vera", at=now, reason="Fairer."), key="1/vera")
    with writing(night.engine) as connection:
        rule_proposals.publish(connection, night.tenant, change, editor=vera)
        return str(rule_proposals.waiting(connection, night.tenant)[-1].id)


def test_where_a_second_person_is_wanted_a_rule_waits_for_another(careful, put):
    said = careful.run("rule", "set", put({"mastered": 3.5}), "--reason", "So.", "--yes")

    assert "Proposed." in said
    assert len(versions(careful)) == 1
    assert "mastered" in careful.run("rule", "waiting")
    own = careful.run("rule", "approve", "1", "--reason", "Me.", "--yes", status=1)
    assert "proposed this change yourself" in own


def test_a_change_of_somebody_else_is_approved_at_a_terminal(careful):
    number = propose(careful)
    careful.run("rule", "approve", number, "--yes", status=2)

    dry = careful.run("rule", "approve", number, "--effect")
    done = careful.run("rule", "approve", number, "--reason", "Yes.", "--yes")

    assert "Nothing was changed." in dry
    assert "statuses of" in dry
    assert "Approved." in done
    assert versions(careful)[-1].definition == {"mastered": 3.5}
    assert "No change waits." in careful.run("rule", "waiting")


def test_a_change_of_somebody_else_is_declined_at_a_terminal(careful):
    number = propose(careful)

    assert "Nothing was changed." in careful.run("rule", "decline", number)
    careful.run("rule", "decline", number, "--reason", "No.", "--yes")

    assert "waits; see" in careful.run("rule", "decline", number, status=1)
    assert len(versions(careful)) == 1


def test_a_day_before_that_of_the_rule_in_force_is_refused(still, put):
    path = put({"mastered": 3.5})

    assert "go on holding" in still.run("rule", "set", path, "--from", "2020-01-01", status=1)


def test_methods_are_compared_on_a_class_and_nothing_is_saved(still):
    said = still.run("rule", "compare", "--course", "ALG", "--method", "recent_n:n=2")
    told = json.loads(
        still.run("rule", "compare", "--course", "ALG", "--method", "highest", "--json")
    )

    assert "The rule in force: Mastered when the weighted average" in said
    assert "mean of the newest 2" in said
    assert [one["says"] for one in told["columns"]] == [{}, {"method": "highest"}]
    assert all(len(one["statuses"]) == 2 for one in told["standings"])
    assert told["standings"]
    assert len(versions(still)) == 1


@pytest.mark.parametrize(
    ("method", "told"),
    [("magic", "There is no method magic"), ("recent_n:n", "recent_n:n=3")],
)
def test_a_method_that_there_is_not_is_told(still, method, told):
    assert told in still.run("rule", "compare", "--course", "ALG", "--method", method, status=2)
