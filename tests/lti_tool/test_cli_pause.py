"""``waymark pause`` and ``waymark resume``, as an operator meets them."""

from tests.lti_tool.commands import desk

__all__ = ["desk"]


def test_a_pause_is_told_with_who_and_why_and_a_run_refused_until_it_ends(desk):
    told = desk.run("pause", "--reason", "The LMS moves")
    refused = desk.run("sync", status=1)

    assert "District: Paused by" in told
    assert told.endswith("UTC: The LMS moves. Nothing leaves for the LMSs until: waymark resume")
    assert "Nothing is run until: waymark resume" in refused


def test_a_district_goes_on_once(desk):
    desk.run("pause", "--district", "District")

    assert desk.run("resume") == "District: goes on."
    assert desk.run("resume") == "District: was not paused."


def test_a_dry_run_is_not_mixed_with_a_run_that_writes(desk):
    run = desk.night.begin()

    said = desk.run("sync", "--dry-run", status=1)

    assert f"Run {run} is under way and writes to gradebooks" in said
