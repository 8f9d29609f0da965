"""An administrator changes a rule and somebody's role, with nothing but a keyboard."""

import re

import pytest

from mapping.records import PlatformId
from store import desk_roles, rule_proposals
from store.desk_roles import Person
from store.mapping_drafts import Editor
from store.policy_changes import Author
from store.rule_proposals import RuleChange
from store.rules import DISTRICT
from store.second_person import set_needs_second
from store.session import writing
from tests.browser import people
from tests.browser.desk import go_by_enter, overflow, tab_to
from tests.browser.eyes import violations
from workers import trials

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture
def visit(desk):
    return desk.canvas_account(people.school(desk.stage), people.administrator(desk.stage))


def looked_at(visit):
    return overflow(visit.frame), violations(visit.frame)


def write(visit, name, text):
    tab_to(visit, name)
    visit.page.keyboard.press("ControlOrMeta+a")
    visit.page.keyboard.type(text)


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_rule_is_changed_tried_published_and_taken_back_by_keyboard(visit):
    visit.go("rules")
    tab_to(visit, "The district")
    go_by_enter(visit)
    page, before = visit.frame, visit.frame.locator("p.big").first.inner_text()
    write(visit, "Mastered from how many points", "2.5")
    page.locator("#words").filter(has_text="is 2.50").wait_for()
    tab_to(visit, "See the effect")
    go_by_enter(visit)
    found, tried = [looked_at(visit)], visit.text()
    tab_to(visit, "Why now and why then")
    go_by_enter(visit)
    found.append(looked_at(visit))
    beside = visit.text()
    tab_to(visit, "What the change would do")
    go_by_enter(visit)
    write(visit, "Why?", "The board agreed.")
    tab_to(visit, "Publish this rule")
    go_by_enter(visit)
    found.append(looked_at(visit))
    published = page.locator("p.big").first.inner_text()
    write(visit, "Why go back?", "It was better before.")
    tab_to(visit, "Go back to version")
    go_by_enter(visit)

    assert "What it would do" in tried
    assert re.search(r"Now .* is 3\.00 .* With the change .* is 2\.50", beside)
    assert "is 2.50" in published
    assert page.locator("p.big").first.inner_text() == before
    assert "It was better before." in visit.text()
    assert found == [(0, []), (0, []), (0, [])]


@pytest.fixture
def proposal(desk):
    """What somebody else proposed, where the district wants a second person."""
    engine, tenant = desk.stage.container.engine, tenant_of(desk.stage)
    author = Author(by="Ursula", at=desk.stage.container.now(), reason="Fairer.")
    change = RuleChange(place=DISTRICT, definition={"mastered": 2.25})
    with writing(engine) as connection:
        set_needs_second(connection, tenant, is_needed=True, author=author)
        editor = Editor(author=author, key="ursula")
        rule_proposals.publish(connection, tenant, change, editor=editor)
        found = rule_proposals.waiting(connection, tenant)[-1]
    yield f"rules/waiting/{found.id}"
    with writing(engine) as connection:
        set_needs_second(connection, tenant, is_needed=False, author=author)


@pytest.mark.parametrize("size", ["phone"], indirect=True)
def test_somebody_elses_change_is_looked_at_and_declined_by_keyboard(visit, proposal):
    visit.go(proposal)
    tab_to(visit, "See the effect, then decide")
    go_by_enter(visit)
    found, shown = looked_at(visit), visit.text()
    write(visit, "Why not?", "Too easy.")
    tab_to(visit, "Decline this change")
    go_by_enter(visit)

    assert found == (0, [])
    assert "What it would do" in shown
    assert "Approve this rule" in shown
    assert "It is not to be" in visit.text()


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_trial_in_the_background_is_waited_for_and_then_offers_publishing(
    visit, desk, monkeypatch
):
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    visit.go("rules/district/0")
    write(visit, "Mastered from how many points", "2.75")
    tab_to(visit, "See the effect")
    go_by_enter(visit)
    waiting, found = visit.text(), looked_at(visit)
    key = visit.frame.get_attribute("#progress", "hx-get").rpartition("/")[2]
    trials.work_out(desk.stage.container, tenant_of(desk.stage), key)
    visit.frame.get_by_role("button", name="Publish this rule").wait_for()

    assert "being tried on all evidence" in waiting
    assert "Publish this rule" not in waiting
    assert "What it would do" in visit.text()
    assert "Publish without waiting" not in visit.text()
    assert found == (0, [])


def tenant_of(stage):
    return stage.rows("SELECT tenant_id FROM platforms WHERE kind = 'canvas'")[0][0]


@pytest.fixture
def colleague(desk):
    """Another administrator who was here once."""
    stage = desk.stage
    tenant, platform = stage.rows("SELECT tenant_id, id FROM platforms WHERE kind = 'canvas'")[0]
    person = Person(platform=PlatformId(platform), subject="ursula", name="Ursula")
    with writing(stage.container.engine) as connection:
        desk_roles.note_sight(connection, tenant, person, now=stage.container.now())
    return "Ursula"


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_role_is_given_and_taken_back_by_keyboard(visit, colleague):
    visit.go("people")
    row = visit.frame.locator("tr", has_text=colleague).locator("td").first
    told = [row.inner_text()]
    for key in ("r", "n"):
        tab_to(visit, f"Role of {colleague}")
        visit.page.keyboard.press(key)
        write(visit, f"Why {colleague} gets it", "As agreed.")
        tab_to(visit, "Give")
        go_by_enter(visit)
        told.append(row.inner_text())

    assert told[0] == told[2]
    assert "not given by anybody" in told[2]
    assert told[1].startswith("reader")
