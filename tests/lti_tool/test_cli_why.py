"""``waymark why`` and ``waymark replay``: reasons on paper, and whether they hold."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from store.session import writing
from store.tables import standing_changes
from tests.lti_tool.commands import desk, still

__all__ = ["desk", "still"]

pytestmark = pytest.mark.redis


def day(night, **span):
    return f"{night.clock.moment + timedelta(**span):%Y-%m-%d}"


def test_a_status_is_explained_whole(still):
    said = still.run("why", "ada", "N.1")

    assert said.startswith("Ada, N.1 Count Mastered, estimate 3.60, 1 piece of evidence")
    assert "Rule: Mastered when" in said
    assert "quiz 1 (Algebra): 9 of 10 = 3.60" in said
    assert "Worked out:" in said
    assert "[met ]" in said


def test_a_strand_is_explained_by_its_parts(still):
    said = still.run("why", "Ada", "N", "--view", "learner")

    assert "Made up of:" in said
    assert "N.1 Count: Mastered, 3.60" in said


def test_a_past_day_is_told_as_it_was(desk):
    before = day(desk.night)
    desk.night.score("quiz 2", "ada", 0.0)
    desk.night.run()
    desk.night.run()

    then, now = desk.run("why", "ada", "N.1", "--at", before), desk.run("why", "ada", "N.1")

    assert "1 piece of evidence" in then
    assert "2 pieces of evidence" in now


def test_a_past_day_is_told_under_the_rules_of_today(desk, tmp_path):
    path = tmp_path / "rule.json"
    path.write_text('{"mastered": 3.9, "minimum_evidence": 1}')
    desk.run("rule", "set", str(path), "--yes")

    then = desk.run("why", "ada", "N.1", "--at", day(desk.night))
    today = desk.run("why", "ada", "N.1", "--at", day(desk.night), "--rules", "today")

    assert "Count Mastered" in then
    assert "Count Exemplary" in today


@pytest.mark.parametrize("named", [("nobody", "N.1"), ("ada", "X.1")], ids=str)
def test_who_or_what_there_is_not_is_told(still, named):
    assert "There is no" in still.run("why", *named, status=1)


def test_the_stored_statuses_are_those_replayed(still):
    said = still.run("replay")

    assert "0 differ." in said
    assert not said.startswith("0 standings")


def test_a_status_that_is_not_what_was_recorded_is_found(desk):
    with writing(desk.night.engine) as connection:
        connection.execute(update(standing_changes).values(status=2))

    said = desk.run("replay", status=1)

    assert "Emerging" in said
    assert "waymark sync --full" in said


def test_before_anything_was_recorded_there_is_nothing_to_differ(still):
    assert "0 standings" in still.run("replay", "--at", "2001-01-01")
