"""``waymark school``, as an administrator meets it."""

import json

import pytest
from sqlalchemy import select, update

from store.session import reading, writing
from store.tables import courses, schools
from tests.lti_tool.commands import desk, still

__all__ = ["desk", "still"]


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
    made = run("fill", "North", "11", "--platform", lms(run))
    listed = run("list")
    again = run("fill", "", "11", "--platform", lms(run))

    assert "Made the school North" in made
    assert "Changed: 1, with 1 courses" in made
    assert "11 North 1" in listed
    assert "Changed: 1" in again
    assert "North" in names(desk)
    assert "11 no school 1" in run("list")


def test_a_number_that_is_none_changes_nothing(desk, run):
    before = names(desk)

    told = run("fill", "North", "11", "404", "--platform", lms(run), status=2)
    nowhere = run("fill", "North", "11", "--platform", "Nowhere", status=2)

    assert "No course is filed under 404 of" in told
    assert "No course is filed under 11 of Nowhere" in nowhere
    assert names(desk) == before


def test_a_school_is_renamed(desk, run):
    run("fill", "Noth", "11", "--platform", lms(run))

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
