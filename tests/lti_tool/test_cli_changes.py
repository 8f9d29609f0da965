"""``waymark changes``: the trail at a terminal."""

import json

import pytest

from lti_tool.cli_context import container_of_today, tenant_of
from store.policy_changes import Author, PolicyKind, record_change
from store.session import writing
from tests.lti_tool.commands import still

__all__ = ["still"]


@pytest.fixture(scope="module")
def told(still):
    with container_of_today() as container, writing(container.engine) as connection:
        author = Author(by="Vera", at=container.now(), reason="The pilot is over.")
        tenant = tenant_of(container, None)
        record_change(connection, tenant, author.change(PolicyKind.MODE, "shadow", "=official"))
        record_change(connection, tenant, author.change_of(PolicyKind.RULE, "district", after="{}"))
    return still


def test_changes_are_listed(told):
    said = told.run("changes")

    assert "The pilot is over." in said
    assert "district" in said


def test_changes_are_searched(told):
    (one,) = json.loads(told.run("changes", "--kind", "rule", "--by", "Vera", "--json"))

    assert (one["of"], one["after"], one["reason"]) == ("district", "{}", "The pilot is over.")
    assert json.loads(told.run("changes", "--until", "2001-01-01", "--json")) == []
    assert json.loads(told.run("changes", "--since", "2001-01-01", "--text", "PILOT", "--json"))


def test_a_spreadsheet_runs_nothing_of_them(told):
    assert "shadow,'=official,Vera" in told.run("changes", "--csv", "--kind", "mode")


def test_a_day_that_is_none_is_refused(told):
    assert "is no day" in told.run("changes", "--since", "yesterday", status=2)
