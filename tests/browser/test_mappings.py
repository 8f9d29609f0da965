"""A district's administrator drafts a mapping, sees what it does, publishes it and goes back."""

import pytest

from tests.browser import people
from tests.browser.desk import overflow, walk_by_tab
from tests.browser.eyes import violations

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture
def visit(desk):
    school, person = people.school(desk.stage), people.administrator(desk.stage)
    visit = desk.canvas_account(school, person)
    visit.go("mappings")
    return visit


def begin(visit, title):
    visit.frame.get_by_label("Name", exact=True).fill(title)
    visit.click("button:has-text('Begin the draft')", to=r"mappings/\d+")


def looked_at(visit):
    return overflow(visit.frame), violations(visit.frame)


def try_patterns(page):
    """Choose a competency by a word of it, and see what patterns match before any is kept."""
    page.get_by_label("Competency", exact=True).press_sequentially("frac")
    option = page.locator("#competencies option").first
    option.wait_for(state="attached")
    page.get_by_label("Competency", exact=True).fill(option.get_attribute("value"))
    for pattern, told in (("no such work", "Matches nothing"), ("*", "Matches everything")):
        page.get_by_label("Name of the assignment").fill(pattern)
        page.locator("#matches").filter(has_text=told).wait_for()


def test_a_rule_is_tried_while_typing_added_published_and_rolled_back(visit):
    found = [looked_at(visit)]
    begin(visit, "Autumn")
    page = visit.frame
    try_patterns(page)
    found.append(looked_at(visit))
    page.get_by_label("Name of the assignment").fill("*1*")
    page.locator("#matches").filter(has_text="✓ Matches").wait_for()
    with page.expect_navigation():
        page.get_by_role("button", name="Add the rule").click()
    draft = page.url.split("?")[0]
    found.append(looked_at(visit))
    page.goto(f"{draft}/publish")
    found.append(looked_at(visit))
    page.get_by_label("Why?").fill("A new term.")
    visit.click("button:has-text('Publish')", to="mappings$")
    published = visit.text()
    page.get_by_label("Why version 1 shall hold again").fill("Back to what was.")
    with page.expect_navigation():
        page.get_by_role("button", name="Roll back to 1", exact=True).click()
    found.append(looked_at(visit))

    assert "A new term." in published
    assert "to the rules of version 1" in visit.text()
    assert [one for one in found if one != (0, [])] == []


def test_a_draft_without_rules_is_looked_over_and_given_suggestions(visit):
    visit.frame.get_by_label("Begin with the rules of").select_option("empty")
    begin(visit, "Nothing yet")
    page, found = visit.frame, []
    draft = page.url
    for path in ("coverage", "suggestions"):
        page.goto(f"{draft}/{path}")
        with page.expect_navigation():
            page.locator("main form button.main").first.click()
        found.append(looked_at(visit))

    page.locator("input[name=pick]").first.check()
    with page.expect_navigation():
        page.get_by_role("button", name="Add the chosen to the draft").click()
    page.goto(draft)

    assert "Rules 1 to 1 of 1" in visit.text()
    assert found == [(0, []), (0, [])]


def tab_to(visit, field):
    while not field.evaluate("one => one === document.activeElement"):
        visit.page.keyboard.press("Tab")


def add_what_the_lms_links(visit):
    """Choose it with an arrow, see what is linked, name a school, pass or fail, add the rule."""
    keyboard, page = visit.page.keyboard, visit.frame
    page.get_by_label("one competency").focus()
    keyboard.press("ArrowDown")
    page.locator("#matches").filter(has_text="linked in the LMS").wait_for()
    school = page.get_by_label("School", exact=True)
    tab_to(visit, school)
    keyboard.type("*")
    tab_to(visit, page.get_by_label("as it is"))
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    keyboard.type("65")
    with page.expect_navigation():
        keyboard.press("Enter")


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_the_editor_is_used_by_keyboard_alone(visit):
    visit.frame.get_by_label("Begin with the rules of").select_option("empty")
    begin(visit, "By keyboard")
    page = visit.frame
    page.get_by_label("Competency", exact=True).focus()
    value = page.locator("#competencies option").first.get_attribute("value")
    visit.page.keyboard.type(value)
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.type("*1*")
    with page.expect_navigation():
        visit.page.keyboard.press("Enter")
    table = visit.text()
    add_what_the_lms_links(visit)
    linked, found = visit.text(), looked_at(visit)

    _, reached, faint = walk_by_tab(visit)

    assert "Rules 1 to 1 of 1" in table
    assert "Whatever the LMS links it to" in linked
    assert "passed from 65% on" in linked
    assert found == (0, [])
    assert reached
    assert faint == []


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_without_script_the_rule_is_tried_by_a_button(desk, visit):
    begin(visit, "Plain")

    page = desk.without_scripts(visit)
    page.get_by_label("Name of the assignment").fill("no such work")
    page.get_by_role("button", name="Try it").click()

    page.locator("#matches").filter(has_text="Matches nothing").wait_for()
