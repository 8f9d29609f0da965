"""An administrator calls things as the district does, by keyboard alone, and a teacher reads it."""

import pytest

from mapping.terms import USUAL_TERMS
from store.district_words import set_terms
from store.policy_changes import Author
from store.session import writing
from store.tenants import all_tenants
from tests.browser import people
from tests.browser.desk import overflow, walk_by_tab
from tests.browser.every_page import teacher
from tests.browser.eyes import violations

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture
def visit(desk):
    school, person = people.school(desk.stage), people.administrator(desk.stage)
    visit = desk.canvas_account(school, person)
    visit.go("rules/words")
    yield visit
    with writing(desk.stage.container.engine) as connection:
        for tenant in all_tenants(connection):
            author = Author(by="the test", at=desk.stage.container.now())
            set_terms(connection, tenant.id, USUAL_TERMS, author=author)


def save(visit, **words):
    page, keys = visit.frame, visit.page.keyboard
    for name, word in words.items():
        page.locator(f"#{name}").focus()
        keys.press("Control+A")
        keys.type(word)
    page.get_by_label("Why?").focus()
    keys.type("As in our schools.")
    with page.expect_navigation():
        keys.press("Enter")


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_words_are_tried_while_typing_saved_and_read_by_a_teacher(desk, visit):
    page, keys = visit.frame, visit.page.keyboard
    _, reached, faint = walk_by_tab(visit)
    page.locator("#competency").focus()
    keys.type("outcome")
    keys.press("Tab")
    keys.type("outcomes")
    page.locator("#reads").filter(has_text="speaks for an outcome yet").wait_for()
    save(visit, status_mastered="Secure")
    said = visit.text()
    read = desk.once("teacher", teacher).text()

    assert "✓ Saved" in said
    assert "in each outcome" in read
    assert "Secure" in read
    assert reached
    assert faint == []


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_how_mastery_works_is_shown_to_everybody_and_taken_back_by_keyboard(visit):
    visit.go("rules/mastery")
    page, keys = visit.frame, visit.page.keyboard
    page.get_by_label("Why?").focus()
    keys.type("For the newsletter.")
    with page.expect_navigation():
        keys.press("Enter")
    address = page.locator(".address a").get_attribute("href")
    other = visit.page.context.new_page()
    other.goto(address)
    other.set_viewport_size({"width": 320, "height": 800})
    said, wrong, wide = other.locator("main").inner_text(), violations(other), overflow(other)
    page.get_by_role("button", name="Take the link back").focus()
    with page.expect_navigation():
        keys.press("Enter")

    assert "What the words mean" in said
    assert (wrong, wide) == ([], 0)
    assert "leads nowhere any more" in visit.text()
