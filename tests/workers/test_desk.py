"""What a course's gradebook shall say: the words and points of each learner's standing."""

import pytest

from mapping.rules.scopes import Scope
from mapping.scales import Level, RatingScale
from store import rules
from store.rules import RulePlace
from tests.contracts.fake import graded
from tests.store.places import set_rule
from workers.desk import set_desk

OWN_WORDS = RatingScale(
    levels=(
        Level(label="Starting", points=1.0, symbol="○", cut=0.0),
        Level(label="Going well", points=5.0, symbol="◐", cut=0.5),
        Level(label="There", points=10.0, symbol="●", cut=0.8),
    )
)


def words(night):
    return {ref: mark.words for ref, mark in night.cells().items()}


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (10.0, "Mastered (1 of 1 competency mastered)"),
        (6.0, "Developing (0 of 1 competency mastered)"),
        (1.0, "Emerging (0 of 1 competency mastered)"),
    ],
)
def test_by_the_default_scale_cells_say_what_they_always_said(night, points, said):
    night.score("quiz 1", "ada", points)

    night.run()

    assert words(night)["ada"] == said


def test_working_levels_are_called_what_the_rules_scale_calls_them(night):
    night.write(set_rule, night.tenant, now=night.clock(), scale=OWN_WORDS, mastered=8.0)
    night.score("quiz 1", "ada", 6.0)
    night.score("quiz 1", "bo", 1.0)

    night.run()

    assert words(night)["ada"].startswith("Going well (0 of 1")
    assert words(night)["bo"].startswith("Starting (0 of 1")


def test_who_is_to_show_it_again_is_told_so_and_still_mastered(night):
    night.write(set_rule, night.tenant, now=night.clock(), recheck_days=2)
    night.put(graded("quiz 1", "ada", 10.0)._replace(submitted_at=night.clock()))

    for _ in range(4):
        night.run()

    assert words(night)["ada"] == "Mastered, re-check due (1 of 1 competency mastered)"


def test_a_column_is_out_of_the_points_of_its_own_strands_scale(night):
    night.run()
    before = set_desk_of(night)
    place = RulePlace(scope=Scope.COMPETENCY, target=night.competency("N"))
    definition = {"scale": OWN_WORDS.definition(), "mastered": 8.0}
    night.write(rules.save_rule, night.tenant, definition, now=night.clock(), place=place)

    night.run()

    assert [spec.maximum for spec in before.specs.values()] == [4.0]
    assert [spec.maximum for spec in set_desk_of(night).specs.values()] == [10.0]


def set_desk_of(night):
    return night.ask(set_desk, night.course(), now=night.clock())
