"""``waymark role``: the way in from the machine itself."""

import pytest
from click.testing import CliRunner

from bootstrap.container import running
from bootstrap.settings import load_settings
from lti_tool.cli import waymark
from store import desk_roles
from store.desk_roles import Person
from store.session import writing
from tests.lti_tool.test_cli_passback import environ
from tests.store.places import NOW, new_platform, new_tenant

__all__ = ["environ"]


@pytest.fixture
def run(environ):
    def run(*arguments, status=0):
        done = CliRunner().invoke(waymark, ("role", *arguments))
        assert done.exit_code == status, done.output
        return " ".join(done.output.split())

    with running(load_settings(environ)) as container:
        with writing(container.engine) as connection:
            tenant = new_tenant(connection)
            platform = new_platform(connection, tenant)
            run.people = [
                Person(platform=platform, subject=name, name=name) for name in ("Ada", "Bob", "bob")
            ]
        run.note = lambda: [_note(container, tenant, one) for one in run.people]
        yield run


def _note(container, tenant, person):
    with writing(container.engine) as connection:
        desk_roles.note_sight(connection, tenant, person, now=NOW)


def test_without_anybody_it_says_how_somebody_comes_here(run):
    assert "Open Waymark in the LMS" in run("list")


def test_a_role_is_given_and_taken_back_by_name(run):
    run.note()

    assert "Ada is district." in run("give", "ada", "district")
    assert "reader" in run("list")
    assert "Ada is district." in run("clear", "Ada")  # as all are where nobody was given it


def test_nobody_is_locked_out_from_the_machine(run):
    run.note()
    run("give", "Ada", "district")

    assert "Ada is reader." in run("give", "Ada", "reader")


def test_a_name_of_two_is_asked_for_by_number(run):
    run.note()

    assert "take the number" in run("give", "bob", "reader", status=1)
    assert "nobody called so" in run("give", "Cy", "reader", status=1)


def test_a_school_that_is_none_is_told(run):
    run.note()

    assert "no school" in run("give", "Ada", "operator", "--school", "Nowhere", status=1)
