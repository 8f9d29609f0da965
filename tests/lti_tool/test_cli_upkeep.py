"""``waymark backup``, ``restore`` and ``purge``, as an operator meets them."""

import pytest
from click.testing import CliRunner

from bootstrap.backup import BackupError
from lti_tool.cli import waymark
from tests.lti_tool.commands import still

__all__ = ["still"]


def test_a_copy_goes_back_into_an_empty_database_and_nowhere_else(still, tmp_path, monkeypatch):
    copy = tmp_path / "copy"

    said = still.run("backup", str(copy))

    assert f"{copy}: " in said
    into_use = CliRunner().invoke(waymark, ["restore", str(copy)])
    assert isinstance(into_use.exception, BackupError)
    assert "not empty" in str(into_use.exception)
    monkeypatch.setenv("WAYMARK_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    said = still.run("restore", str(copy))
    assert "was put back. Then empty Redis" in said
    assert "0 differ" in still.run("replay")


def test_a_purge_says_what_would_go_and_takes_nothing_out_of_a_young_installation(still):
    assert "0 parts of old runs" in still.run("purge", "--dry-run")
    assert "0 rows were taken out." in still.run("purge", "--yes", "--days", "30")


def test_a_purge_that_is_not_confirmed_takes_nothing_out(still):
    assert "Older than 400 days" in still.run("purge", status=1)


def test_where_everything_is_kept_a_purge_says_so(still, monkeypatch):
    monkeypatch.setenv("WAYMARK_KEEP_RUN_DAYS", "0")

    assert "everything is kept" in still.run("purge", "--yes")


@pytest.mark.parametrize("days", ["29", "-1", "some"])
def test_runs_are_not_kept_for_less_than_a_month(still, monkeypatch, days):
    assert still
    monkeypatch.setenv("WAYMARK_KEEP_RUN_DAYS", days)

    refused = CliRunner().invoke(waymark, ["purge", "--yes"])

    assert "WAYMARK_KEEP_RUN_DAYS must be" in str(refused.exception)


def test_canvas_is_given_an_address_for_its_events_that_stays_until_it_is_given_up(still):
    keys = "https://events.example/jwks"

    first = still.run("platform", "events", "Canvas", "--keys", keys)

    address = next(word for word in first.split() if "/events/canvas/" in word)
    assert len(address.rpartition("/")[2]) >= 32
    assert address in still.run("platform", "events", "Canvas")
    assert "taken any more" in still.run("platform", "events", "Canvas", "--off")
    assert "Say where the keys are" in still.run("platform", "events", "Canvas", status=1)


def test_keys_of_events_come_from_a_safe_address(still):
    keys = "http://events.example/jwks"

    assert "https://" in still.run("platform", "events", "Canvas", "--keys", keys, status=2)
