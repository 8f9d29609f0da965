"""An administrator brings a framework in from a file, confirms it, and makes one of their own."""

import re

import pytest

from tests.browser import every_page
from tests.browser.desk import overflow, walk_by_tab

pytestmark = [pytest.mark.browser, pytest.mark.story]

_FRAMEWORK = re.compile(r"/frameworks/\d+$")
FILE = "code;statement;parent\r\nM;Música;\r\nM.1;Sings a song of two voices;M\r\n"
ANOTHER = FILE + "M.2;Knows notes;M\r\n"


def sent(name, text):
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode("utf-16")}


def test_a_file_is_looked_at_confirmed_and_found_in_the_tree(desk, size):
    visit = every_page.administrator(desk)
    title = f"Music {size[0]}"
    visit.go("frameworks/import")
    found = [overflow(visit.frame)]

    visit.frame.set_input_files("#file", sent(f"{title}.csv", FILE))
    visit.click("button:has-text('See what it would change')", to=r"frameworks/drafts/\d+")
    preview = visit.text()
    found.append(overflow(visit.frame))
    visit.frame.get_by_label("Why?").fill("For the choir.")
    visit.click("button:has-text('Bring it in')", to=r"frameworks/\d+")
    brought = visit.text()
    found.append(overflow(visit.frame))

    visit.go("frameworks/import")
    visit.frame.set_input_files("#file", sent("again.csv", ANOTHER))
    visit.frame.select_option("#target", label=title)
    visit.click("button:has-text('See what it would change')", to=r"frameworks/drafts/\d+")
    again = visit.text()

    assert f"A new framework: {title}" in preview
    assert "Sings a song of two voices" in brought
    assert "Added1" in again.replace(" ", "")
    assert "cannot be demonstrated" in again
    assert found == [0, 0, 0]


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_framework_of_ones_own_is_made_with_the_keyboard_alone(desk):
    visit = every_page.administrator(desk)
    visit.go("frameworks/new")
    keyboard = visit.page.keyboard

    visit.frame.locator("#title").focus()
    keyboard.type("By keyboard")
    keyboard.press("Enter")
    visit.frame.wait_for_url(_FRAMEWORK)
    visit.click("a:has-text('Add a competency')", to="frameworks/.*new")
    visit.frame.locator("#code").focus()
    for text in ("K.1", "Types without a mouse"):
        keyboard.type(text)
        keyboard.press("Tab")
    visit.frame.locator("button.main").focus()
    keyboard.press("Enter")
    visit.frame.wait_for_url(_FRAMEWORK)

    assert "Types without a mouse" in visit.text()


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
@pytest.mark.parametrize("path", ["frameworks/import", "frameworks/new"])
def test_the_forms_are_walked_through_by_tab(desk, path):
    visit = every_page.administrator(desk)
    visit.go(path)

    _, reached, faint = walk_by_tab(visit)

    assert reached
    assert faint == []
