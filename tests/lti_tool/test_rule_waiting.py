"""Where a district wants a second person, a change of a rule waits for another administrator."""

import re

import pytest

from lti_tool.pages.desk.said_rules import newest_version
from store import rule_proposals
from store.desk_roles import DeskRole, Wanted, administrators_of, give_role
from store.policy_changes import Author, changes_of
from store.session import reading, writing
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor
from tests.lti_tool.test_rules_page import PLACE, field, post, publish, said


@pytest.fixture
def boss(stage):
    fill(stage)
    boss = Visitor(stage, **ADMINISTRATOR, sub="boss", name="Boss")
    assert post(boss, "people/second", second="yes", reason="Four eyes.").status_code == 303
    return boss


@pytest.fixture
def deputy(stage, boss):
    assert boss
    return Visitor(stage, **ADMINISTRATOR, sub="deputy", name="Dana <b>")


@pytest.fixture
def page(stage, boss):
    """The page of a change that the boss proposed."""
    done = publish(boss, mastered="2.5", reason="Fairer.")
    assert done.status_code == 303
    assert "waits=yes" in done.headers["Location"]
    with reading(stage.container.engine) as connection:
        (found,) = rule_proposals.waiting(connection, stage.tenants["A"])
    return f"rules/waiting/{found.id}"


def newest(stage):
    with reading(stage.container.engine) as connection:
        return newest_version(connection, stage.tenants["A"])


def approve(visitor, page, **fields):
    seen = field(post(visitor, f"{page}/effect").text, "seen")
    return post(visitor, f"{page}/approve", **{"seen": seen, "reason": "I agree.", **fields})


def test_a_proposed_change_is_seen_with_its_effect_and_approved_by_another(
    stage, boss, deputy, page
):
    before = said(stage)
    assert "1 to decide upon" in deputy.text("desk")
    assert "proposed by" in deputy.text("rules")
    assert "is 2.50" in deputy.text(page)
    assert "Approve this rule" not in deputy.text(page)
    tried = post(deputy, f"{page}/effect").text

    done = approve(deputy, page)

    assert "What it would do" in tried
    assert "Approve this rule" in tried
    assert done.status_code == 303
    assert before != said(stage) == {"mastered": 2.5}
    assert boss.get(page).status_code == 404
    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, stage.tenants["A"], most=1)[0]
    assert newest.by == "Dana <b>"
    assert newest.reason == "Proposed by Boss: Fairer. Approved: I agree."
    assert "Dana &lt;b&gt;" in boss.get(PLACE).text


def test_who_proposed_it_cannot_approve_it(stage, boss, page):
    before = said(stage)
    tried = post(boss, f"{page}/effect").text

    done = post(boss, f"{page}/approve", seen=newest(stage), reason="Me.")

    assert "Approve this rule" not in tried
    assert "You proposed this change" in tried
    assert done.status_code == 422
    assert "proposed this change yourself" in done.text
    assert said(stage) == before


@pytest.mark.parametrize("step", ["approve", "decline"])
def test_a_decision_needs_a_reason(deputy, page, step):
    seen = field(post(deputy, f"{page}/effect").text, "seen")

    done = post(deputy, f"{page}/{step}", seen=seen, reason=" ")

    assert done.status_code == 422
    assert "Say why" in done.text


def test_a_change_is_declined_with_a_reason(stage, deputy, page):
    before = said(stage)

    done = post(deputy, f"{page}/decline", reason="Too easy.")

    assert done.status_code == 303
    assert said(stage) == before
    assert "Too easy." in deputy.text("changes")
    assert deputy.get(page).status_code == 404


def test_what_was_not_looked_at_is_not_approved(deputy, page):
    done = post(deputy, f"{page}/approve", seen="99", reason="I agree.")

    assert done.status_code == 422
    assert "Look at it once more" in done.text


def test_going_back_needs_nobody_else(stage, boss, deputy, page):
    approve(deputy, page)
    stage.clock.pass_time(hours=1)
    publish(boss, mastered="2")
    with reading(stage.container.engine) as connection:
        (found,) = rule_proposals.waiting(connection, stage.tenants["A"])
    approve(deputy, f"rules/waiting/{found.id}")
    stage.clock.pass_time(hours=1)
    assert said(stage) == {"mastered": 2}

    post(boss, f"{PLACE}/back", reason="Back.")

    assert said(stage) == {"mastered": 2.5}


def test_others_and_other_districts_are_refused(stage, boss, page):
    for claims in (TEACHER, GUARDIAN):
        assert Visitor(stage, **claims).get(page).status_code == 403
    stranger = Visitor(stage, stage.same_issuer, **ADMINISTRATOR)
    assert stranger.get(page).status_code == 404
    for step in ("effect", "approve", "decline"):
        assert boss.browser.post(f"{boss.base}/{page}/{step}").status_code == 403
        assert post(stranger, f"{page}/{step}", reason="Me.").status_code in (404, 422)


def test_a_role_without_the_right_decides_and_switches_nothing(stage, deputy, page):
    deputy.get("people")
    with writing(stage.container.engine) as connection:
        known = {one.name: one.id for one in administrators_of(connection, stage.tenants["A"])}
        for name, role in (("Boss", DeskRole.DISTRICT), ("Dana <b>", DeskRole.DESIGNER)):
            give_role(
                *(connection, stage.tenants["A"], Wanted(role=role)),
                administrator=known[name],
                author=Author(by="Tests", at=stage.clock()),
            )

    switched = post(deputy, "people/second", second="no", reason="Bother.")
    with writing(stage.container.engine) as connection:
        give_role(
            *(connection, stage.tenants["A"], Wanted(role=DeskRole.READER)),
            administrator=known["Dana <b>"],
            author=Author(by="Tests", at=stage.clock()),
        )

    assert switched.status_code == 403
    assert "second-reason" not in deputy.get("people").text
    assert "Decline this change" not in deputy.get(page).text
    assert post(deputy, f"{page}/decline", reason="No.").status_code == 403


def test_the_switch_is_kept_in_the_trail_with_its_reason(stage, boss):
    assert post(boss, "people/second", second="no", reason="").status_code == 422

    post(boss, "people/second", second="no", reason="We are two.")

    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, stage.tenants["A"], most=1)[0]
    assert (newest.by, newest.reason) == ("Boss", "We are two.")
    assert re.search("anybody", newest.after)
    assert publish(boss, mastered="2.5").headers["Location"].endswith("published=holds")
