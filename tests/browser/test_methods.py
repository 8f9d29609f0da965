"""An administrator compares methods on a class and takes one over, by keyboard alone."""

import pytest

from tests.browser import people
from tests.browser.desk import walk_by_tab

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture
def visit(desk):
    school, person = people.school(desk.stage), people.administrator(desk.stage)
    return desk.canvas_account(school, person)


def press(visit, locator, key="Enter"):
    locator.focus()
    with visit.frame.expect_navigation():
        visit.page.keyboard.press(key)


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_method_is_compared_and_put_into_the_rule_by_keyboard(visit):
    visit.go("rules/compare")
    page, keys = visit.frame, visit.page.keyboard
    press(visit, page.locator("tbody th a").first)
    page.get_by_label("Method 1").focus()
    keys.type("best n")
    keys.press("Tab")
    keys.type("n=2")
    with page.expect_navigation():
        keys.press("Enter")
    said = visit.text()
    _, reached, faint = walk_by_tab(visit)
    press(visit, page.get_by_role("link", name="Use this in the rule of this course").first)

    assert "The rule in force" in said
    assert "mean of the highest 2" in said
    assert "in dispute" in said
    assert reached
    assert faint == []
    assert page.get_by_label("How evidence becomes one estimate").input_value() == "best_n"
    assert page.locator("[name=number_n]").input_value() == "2"
