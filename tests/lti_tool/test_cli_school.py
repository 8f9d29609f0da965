"""``waymark school``, as an administrator meets it."""

import json
from datetime import UTC, datetime

import click
import pytest
from sqlalchemy import select, update

from store.session import reading, writing
from store.tables import courses, schools
from tests.lti_tool.commands import desk, still

__all__ = ["desk", "still"]
SINCE = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def run(desk):
    """The command, after a night whose course is filed under account 11."""
    with writing(desk.night.engine) as connection:
        connection.execute(update(courses).values(school_ref="11", school_id=None))

    def run(*words, **more):
        """What was said, without the frame of its table."""
        return " ".join(desk.run("school", *words, **more).replace("│", " ").split())

    return run


def lms(run):
    (place, *_) = [one for one in json.loads(run("list", "--json")) if one["ref"] == "11"]
    return place["lms"]


def names(desk):
    with reading(desk.night.engine) as connection:
        return set(connection.execute(select(schools.c.name)).scalars())


def test_an_account_becomes_a_school_and_none_again(desk, run):
    made = run("fill", "North", "11", "--platform", lms(run), "--yes")
    listed = run("list")
    again = run("fill", "", "11", "--platform", lms(run), "--yes")

    assert "Made the school North" in made
    assert "Changed: 1, with 1 courses" in made
    assert "11 North 1" in listed
    assert "Changed: 1" in again
    assert "North" in names(desk)
    assert "11 no school 1" in run("list")


@pytest.fixture
def official(desk):
    """The school is official and writes; the course has nothing of its own."""
    with writing(desk.night.engine) as connection:
        connection.execute(
            update(schools).values(mode="official", passback_way="words", agreed_at=SINCE)
        )
        connection.execute(update(courses).values(mode=None, passback_way=None))


@pytest.mark.usefixtures("official")
def test_what_would_move_is_told_and_a_no_changes_nothing(run):
    told = run("fill", "School s1", "11", "--platform", lms(run), given="n\n", status=1)

    assert "1 course moves from no school to School s1." in told
    assert "shadow, none, not written" in told
    assert "official, words, marks written" in told
    assert "▲ In 1 of them marks come to be written" in told
    assert "Save this?" in told
    assert "11 no school 1" in run("list")


@pytest.mark.usefixtures("official")
def test_a_yes_saves_it(run):
    done = run("fill", "School s1", "11", "--platform", lms(run), given="y\n")

    assert "Changed: 1, with 1 courses" in done
    assert "11 School s1 1" in run("list")


@pytest.mark.usefixtures("official")
def test_with_yes_nobody_is_asked_and_what_moves_is_told_all_the_same(run):
    told = run("fill", "School s1", "11", "--platform", lms(run), "--yes")

    assert "1 course moves" in told
    assert "Save this?" not in told


@pytest.mark.usefixtures("official")
def test_what_changed_while_somebody_was_asked_is_not_saved(desk, run, monkeypatch):
    def meanwhile(*_, **__):
        with writing(desk.night.engine) as connection:
            connection.execute(update(schools).values(mode="shadow"))

    monkeypatch.setattr(click, "confirm", meanwhile)

    told = run("fill", "School s1", "11", "--platform", lms(run), status=2)

    assert "Something else would move by now" in told
    assert "11 no school 1" in run("list")


@pytest.mark.usefixtures("official")
def test_where_no_course_moves_nobody_is_asked(run):
    run("fill", "School s1", "11", "--platform", lms(run), "--yes")

    assert "Changed: 0" in run("fill", "School s1", "11", "--platform", lms(run))


def test_a_number_that_is_none_changes_nothing(desk, run):
    before = names(desk)

    told = run("fill", "North", "11", "404", "--platform", lms(run), status=2)
    nowhere = run("fill", "North", "11", "--platform", "Nowhere", status=2)

    assert "No course is filed under 404 of" in told
    assert "No course is filed under 11 of Nowhere" in nowhere
    assert names(desk) == before


def test_a_school_is_renamed(desk, run):
    run("fill", "Noth", "11", "--platform", lms(run), "--yes")

    assert "It is called North now" in run("rename", "Noth", "North")
    assert "North" in names(desk)
    assert "Another school" in run("rename", "North", "School s1", status=2)


@pytest.mark.parametrize(
    ("name", "then", "told"),
    [
        ("Nowhere", "North", "There is no such school. There are: School s1."),
        ("School s1", "", "at most 255"),
        ("School s1", "x" * 256, "at most 255"),
    ],
)
def test_what_makes_no_sense_is_explained(desk, run, name, then, told):
    before = names(desk)

    assert told in run("rename", name, then, status=2)
    assert names(desk) == before
