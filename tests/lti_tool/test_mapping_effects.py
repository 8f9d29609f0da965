"""What a draft of the mapping would do to where learners stand, tried from its page."""

import pytest

from tests.lti_tool.classroom import ADMINISTRATOR
from tests.lti_tool.test_mapping_pages import (
    OTHER,
    QUIZ,
    aligned,
    ids,
    office,
    send,
    words,
)
from tests.lti_tool.test_pages import Visitor
from workers import trials

__all__ = ["ids", "office"]


def test_a_draft_is_tried_on_all_evidence_and_changes_nothing(stage, ids, office):
    before = aligned(stage, ids)
    send(office, "rules", **QUIZ)
    assert f"{office.draft}/effect" in office.get(f"mappings/{office.draft}/publish").text

    told = words(send(office, "effect"))

    assert "What it would do" in told
    assert "Learners who would stand otherwise" in told
    assert aligned(stage, ids) == before


def test_in_a_large_district_it_is_tried_in_the_background(office, monkeypatch):
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    send(office, "rules", **QUIZ)

    assert "being tried on all evidence" in words(send(office, "effect"))


def test_a_draft_of_another_district_is_not_tried(stage, office):
    stranger = Visitor(stage, stage.same_issuer, **OTHER)
    stranger.draft = office.draft
    page = stranger.get("mappings").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]

    done = stranger.browser.post(
        f"{stranger.base}/mappings/{office.draft}/effect", data={"csrf": csrf}
    )

    assert done.status_code == 404


@pytest.mark.usefixtures("office")
def test_a_request_from_elsewhere_is_refused(stage, office):
    visitor = Visitor(stage, **ADMINISTRATOR)

    assert visitor.browser.post(f"{visitor.base}/mappings/{office.draft}/effect").status_code == 403


def test_what_is_tried_in_the_background_is_the_draft_with_all_it_says(stage, office, monkeypatch):
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    send(office, "rules", **QUIZ, school="*", counts="levels", levels_from="50 80")

    done = send(office, "effect")
    (name,) = stage.container.redis.scan_iter("waymark:trial:*")
    key = name.decode().rsplit(":", 1)[1]
    trials.work_out(stage.container, stage.tenants["A"], key)

    assert "being tried" in words(done)
    assert trials.trial(stage.container, stage.tenants["A"], key).effect is not None
