"""``waymark runs``, ``failures``, ``notify`` and ``doctor``, at a terminal."""

import json

from sqlalchemy import update

from store.tables import work_items
from tests.lti_tool.commands import desk, still

__all__ = ["desk", "still"]


def test_runs_are_listed_with_what_they_did(still):
    (line,) = json.loads(still.run("runs", "--json"))

    assert (line["courses"], line["scores_pulled"], line["failed"]) == (1, 3, 0)
    assert "quota" in line
    assert "by hand" in still.run("runs")


def test_one_run_is_shown_with_its_seconds_by_phase(still):
    (line,) = json.loads(still.run("runs", "--json"))

    shown = json.loads(still.run("runs", "show", str(line["run"]), "--json"))

    assert set(shown["seconds_by_phase"]) >= {"plan", "pull", "compute"}
    assert shown["alarms"] == []
    assert "There is no run 999" in still.run("runs", "show", "999", status=1)


def test_where_no_run_is_under_way_there_is_nothing_to_watch(still):
    assert "No run is under way" in still.run("runs", "watch")


def test_what_failed_is_tried_again_when_asked(desk):
    assert "Nothing: all was done." in desk.run("failures")
    failed = update(work_items).where(work_items.c.phase == "pull")
    desk.night.write(
        lambda c: c.execute(failed.values(state="failed", cause="timeout", message="No answer."))
    )

    shown = json.loads(desk.run("failures", "--json"))
    retried = desk.run("failures", "retry", "--cause", "timeout")

    assert shown["failures"][0]["parts"][0]["title"] == "Algebra"
    assert "1 to be tried again" in retried
    assert "Nothing that failed is meant" in desk.run(
        "failures", "retry", "--course", "9", status=1
    )
    assert "Say what" in desk.run("failures", "retry", status=2)


def test_a_webhook_is_added_listed_and_removed(desk):
    address = "https://hooks.district.example/waymark"

    added = desk.run("notify", "add", "--webhook", address, "--kind", "alarms")
    listed = desk.run("notify", "list", "--json")
    desk.run("notify", "remove", address)

    assert "whsec_" in added
    assert json.loads(listed)[0]["kinds"] == ["alarms"]
    assert "whsec_" not in listed
    assert json.loads(desk.run("notify", "list", "--json")) == []


def test_a_test_message_that_cannot_be_sent_says_why(desk):
    desk.run("notify", "add", "--email", "head@district.example")

    assert "WAYMARK_SMTP_URL" in desk.run("notify", "test", "head@district.example", status=1)


def test_the_doctor_names_what_is_missing_and_ends_with_one(still):
    found = {
        one["name"]: one for one in json.loads(still.run("doctor", "--offline", "--json", status=1))
    }

    assert found["Workers"]["ok"] is False
    assert "waymark worker" in found["Workers"]["advice"]
    assert found["Cron"]["ok"] is False
    assert found["Schema"]["ok"] is True
    assert found["Secrets"]["ok"] is True
    assert "waymark failures" in found["Last night of District"]["advice"]
    assert "FAIL Cron: none within a day" in still.run("doctor", "--offline", status=1)
