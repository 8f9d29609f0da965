"""A rule goes through the form and comes out the same, whatever it says."""

import pytest

from lti_tool.pages.desk.rule_forms import filled, typed, with_method
from mapping.rules.mastery_rule import MasteryRule, parse_rule
from mapping.scales import DEFAULT_SCALE

EVERYTHING = MasteryRule().definition()
LEVELS = [
    {"label": "Not yet", "points": 0.0, "symbol": "·", "cut": 0.0, "colour": "#aa0000"},
    {"label": "Yes", "points": 3.0, "symbol": "+", "cut": 0.7, "description": "Can do it, alone."},
]
RULES = {
    "nothing": {},
    "numbers": {"mastered": 2.5, "minimum_evidence": 3, "recheck_days": 180},
    "never": {"recheck_days": None},
    "no criteria": {"criteria": None},
    "one clause": {"criteria": {"evidence": 2, "kind": "application"}},
    "three clauses": {
        "criteria": {
            "all": [
                {"situations": 2, "of": "course"},
                {"evidence": 1},
                {"newest_within_days": 90},
            ]
        }
    },
    "a tree": {"criteria": {"any": [{"situations": 2}, {"at_least": 1, "of": [{"evidence": 1}]}]}},
    "clauses twice": {"criteria": {"all": [{"evidence": 1, "kind": "skill"}, {"evidence": 3}]}},
    "a policy": {
        "policy": {"attempts": "last_few", "last_few": 3, "cooldown_hours": 24.0, "dated": "x"}
    },
    "a method": {"method": "decaying_average", "parameters": {"w": 0.7}},
    "a scale": {"scale": {"name": "Ours", "version": 2, "levels": LEVELS}, "mastered": 2.1},
    "rollup": {"rollup": {"method": "points"}, "developing": 1.5},
    "everything": {key: EVERYTHING[key] for key in EVERYTHING.keys() - {"version", "parameters"}},
}


@pytest.mark.parametrize("definition", RULES.values(), ids=RULES)
def test_a_rule_comes_out_of_the_form_as_it_went_in(definition):
    held = (
        parse_rule({"scale": definition["scale"], "mastered": 2.1}).scale
        if definition.get("mastered") == 2.1
        else DEFAULT_SCALE
    )
    shown = filled(definition)

    again = typed(shown.said, held)

    assert again.wrong == {}
    assert again.definition == definition


@pytest.mark.parametrize("name", ["three clauses", "a method", "a scale", "no criteria"])
def test_what_fields_can_say_is_not_left_as_json(name):
    assert filled(RULES[name]).said["more"] == ""


@pytest.mark.parametrize("name", ["a tree", "clauses twice", "rollup"])
def test_what_no_field_can_say_is_left_as_json(name):
    assert filled(RULES[name]).said["more"] != ""


def test_a_changed_scale_becomes_the_next_version():
    said = dict(filled(RULES["a scale"]).said)
    held = parse_rule({"scale": RULES["a scale"]["scale"], "mastered": 2.1}).scale

    changed = typed({**said, "level_2_label": "Surely"}, held).definition
    same = typed(said, held).definition

    assert (changed["scale"]["version"], same["scale"]["version"]) == (3, 2)


@pytest.mark.parametrize("text", ["", "x", "nan", "inf"])
def test_points_that_are_no_number_are_told_by_their_level(text):
    said = {**filled(RULES["a scale"]).said, "level_2_points": text}

    assert "Level 2" in typed(said).wrong["scale"]


def test_a_scale_without_height_is_no_scale():
    row = {"level_1_label": "a", "level_1_symbol": "a", "level_1_points": "0", "level_1_cut": "0"}

    assert "above 0" in typed(row).wrong["scale"]


@pytest.mark.parametrize(
    ("method", "numbers", "definition"),
    [
        ("recent_n", "n=4", {"method": "recent_n", "parameters": {"n": 4.0}, "mastered": 2.5}),
        ("recent_n", "n=", {"method": "recent_n", "mastered": 2.5}),
        ("magic", "n=4", {"method": "decaying_average", "parameters": {"w": 0.7}, "mastered": 2.5}),
    ],
)
def test_an_address_may_name_another_method(method, numbers, definition):
    form = filled({"method": "decaying_average", "parameters": {"w": 0.7}, "mastered": 2.5})

    assert typed(with_method(form, method, numbers).said).definition == definition


@pytest.mark.parametrize(
    ("said", "name", "told"),
    [
        ({"number_n": "few"}, "number_n", "Write a number"),
        ({"policy_last_few": "1.5"}, "policy_last_few", "Write a whole number"),
        ({"criteria": "nothing", "criteria_k": "1"}, "criteria", "not both"),
        ({"criteria_k": "1", "more": '{"criteria": null}'}, "more", "not in both"),
        ({"policy_late": "x", "more": '{"policy": {"late": "y"}}'}, "more", "not in both"),
        ({"level_1_label": "Low"}, "scale", "Level 1: write its points as a number"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(said, name, told):
    found = typed(said)

    assert told in found.wrong[name]
    assert found.definition is None
