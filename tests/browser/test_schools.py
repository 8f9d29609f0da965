"""An administrator says what a school is, by keyboard alone, and chooses its mode."""

from itertools import count

import pytest

from tests.browser import people
from tests.browser.eyes import violations
from tests.browser.keys import Keys

pytestmark = [pytest.mark.browser, pytest.mark.story]
FIRST = "input[name=school]"
SURE = "input[name=sure]"
_TURNS = count(1)


@pytest.fixture
def visit(desk):
    school, person = people.school(desk.stage), people.administrator(desk.stage)
    visit = desk.canvas_account(school, person)
    visit.go("schools")
    return visit


def name_first(visit, name):
    """Send another name for the first account; what moves is shown then."""
    keys = Keys(visit.page, visit.frame)
    keys.to(FIRST)
    visit.page.keyboard.press("Control+A")
    visit.page.keyboard.type(name)
    keys.press("button.main")
    return keys


def save_moves(visit):
    """Save what is shown, with a yes where one is asked for."""
    keys = Keys(visit.page, visit.frame)
    if visit.frame.locator(SURE).count():
        keys.to(SURE)
        visit.page.keyboard.press("Space")
    keys.press("button.main")


def test_an_account_becomes_another_school_that_writes_nothing_and_goes_back(visit):
    before, name = visit.frame.locator(FIRST).first.input_value(), f"Harbour {next(_TURNS)}"

    name_first(visit, name)
    save_moves(visit)
    said, wrong = visit.text(), violations(visit.frame)
    now = visit.frame.locator(FIRST).first.input_value()
    name_first(visit, before)
    save_moves(visit)
    visit.go("courses")

    assert (before != name, now) == (True, name)
    assert "1 new school: nothing leaves Waymark" in said
    assert wrong == []
    row = visit.frame.locator("tr", has_text=name).first
    assert row.locator("select").input_value() == "shadow"


def test_what_moves_is_seen_before_it_is_saved_and_marks_need_a_yes(visit):
    own, name = visit.frame.locator(FIRST).first.input_value(), f"Harbour {next(_TURNS)}"

    keys = name_first(visit, name)
    away, wrong = visit.text(), violations(visit.frame)
    keys.press('button[value="back"]')
    typed = visit.frame.locator(FIRST).first.input_value()
    keys.press("button.main")
    save_moves(visit)
    keys = name_first(visit, own)
    home, wrong_home = visit.text(), violations(visit.frame)
    keys.to("button.main")
    visit.page.keyboard.press("Enter")
    held = visit.frame.locator(f"{SURE}:invalid").count()
    save_moves(visit)

    assert f"from {own} to {name}, a new school" in away
    assert "Nothing is saved yet" in away
    assert typed == name
    assert f"from {name} to {own}" in home
    assert "written from the next run on" in home
    assert (wrong, wrong_home, held) == ([], [], 1)
    assert visit.frame.locator(FIRST).first.input_value() == own


def test_a_school_gets_another_name_and_its_own_again(visit):
    own = visit.frame.locator("input[name=name]").first.input_value()
    for now, then in ((own, "Lighthouse"), ("Lighthouse", own)):
        keys = Keys(visit.page, visit.frame)
        keys.to(f'input[name=name][value="{now}"]')
        visit.page.keyboard.press("Control+A")
        visit.page.keyboard.type(then)
        with visit.frame.expect_navigation():
            visit.page.keyboard.press("Enter")
        told = visit.text()

        assert "The school has its new name" in told
        assert then in told
        assert now not in told
