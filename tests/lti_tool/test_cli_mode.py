"""``waymark mode`` and ``waymark passback agree``, as a district's administrator meets them."""

import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from lti_tool.cli_dry_run import show_dry_run
from lti_tool.console import report
from mapping.records import Mode
from store import ways
from store.sync_state import Phase
from tests.conftest import Clock
from tests.lti_tool.test_cli_passback import environ
from tests.workers.night import new_night

__all__ = ["environ"]
TITLE, SCHOOL = "Algebra", "School s1"


@pytest.fixture
def night(environ):
    """A district in which a course was read and nobody agreed to its first push."""
    with running(load_settings(environ)) as container:
        made = new_night(container.engine, Clock(), is_agreed=False)
        made.run()
        yield made


@pytest.fixture
def run(night):
    assert night

    def run(*arguments, status=0):
        done = CliRunner().invoke(waymark, arguments)
        assert done.exit_code == status, done.output
        return " ".join(done.output.split())

    return run


def state(night):
    return night.ask(ways.course_way, night.course())


def test_a_school_is_set_to_a_mode_and_told_what_that_means(run, night):
    told = run("mode", "set", "advisory", "--school", SCHOOL, "--reason", "A pilot.")

    assert "teachers see its results; nothing is written" in told
    assert state(night).mode is Mode.ADVISORY


def test_a_course_has_a_mode_of_its_own_and_goes_back_to_its_schools(run, night):
    run("mode", "set", "shadow", "--course", TITLE)
    own = state(night).own_mode

    told = run("mode", "set", "school", "--course", TITLE)

    assert own is Mode.SHADOW
    assert state(night).own_mode is None
    assert "waymark passback agree" in told


def test_who_stops_writing_is_told_that_what_stands_stays(run):
    assert "stays as it is" in run("mode", "set", "published", "--course", TITLE)


def test_modes_are_listed_and_so_is_who_changed_them(run):
    run("mode", "set", "published", "--school", SCHOOL, "--reason", "Families asked.")

    modes = json.loads(run("mode", "list", "--json"))
    (newest, *_) = json.loads(run("mode", "history", "--json"))

    assert modes["schools"] == [{"name": SCHOOL, "mode": "published"}]
    assert [(one["title"], one["is_written"]) for one in modes["courses"]] == [(TITLE, False)]
    assert (newest["before"], newest["after"]) == ("official", "published")
    assert (newest["school"], newest["reason"]) == (SCHOOL, "Families asked.")
    assert "Families asked." in run("mode", "history")
    assert "published" in run("mode", "list")


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("mode", "set", "shadow"), 2, "Name a course"),
        (("mode", "set", "school", "--school", SCHOOL), 2, "no school above"),
        (("mode", "set", "shadow", "--school", "Nowhere"), 1, "there is School s1"),
        (("mode", "set", "shadow", "--course", "Nowhere"), 1, "There is no course"),
        (("passback", "agree", TITLE, "--all"), 2, "Name courses"),
        (("passback", "agree", "--school", "Nowhere"), 1, "there is School s1"),
    ],
)
def test_what_makes_no_sense_is_explained(run, arguments, status, word):
    assert word in run(*arguments, status=status)


def test_without_a_course_the_ones_that_wait_are_shown_with_their_marks(run):
    assert f"{TITLE}: 2 marks" in run("passback", "agree")
    assert "waits for a first yes" in run("passback", "list")


@pytest.mark.parametrize("which", [(TITLE,), ("--school", SCHOOL), ("--all",)])
def test_a_yes_is_given_for_courses_a_school_or_all(run, night, which):
    told = run("passback", "agree", *which)

    assert "Agreed for 1 course" in told
    assert state(night).agreed_by.startswith("command line")
    assert "No course waits" in run("passback", "agree")


def test_a_yes_given_again_says_so(run):
    run("passback", "agree", TITLE)

    assert "1 had been agreed to before" in run("passback", "agree", TITLE)


def test_a_dry_run_is_printed_with_its_totals(night, environ, capsys):
    night.clock.advance(hours=24)
    night.score("quiz 1", "ada", 1.0)
    run = night.begin()
    night.reach(run, Phase.DONE)

    with running(load_settings(environ)) as container:
        told = report(container, run)
        found = show_dry_run(container, told, is_json=True, out=Console(stderr=True))

    printed = capsys.readouterr()
    assert found.unagreed == 1
    assert json.loads(printed.out)["dry_run"]["unagreed"] == 1
    assert "1 courses wait for a first yes" in printed.err
