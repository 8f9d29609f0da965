"""A teacher judges for themselves, on a laptop and on a phone, with no complaint of the browser."""

import pytest

from tests.browser import people
from tests.browser.desk import overflow, walk_by_tab

pytestmark = [pytest.mark.browser, pytest.mark.story]

REASON = "Explained it to the class at the board."


def test_a_status_is_given_seen_and_taken_back(desk):
    place = people.teacher(desk.stage, "canvas")
    visit = desk.canvas(place.course, place.person)
    visit.click("tbody tr:nth-child(2) td:nth-child(3) a", to=r"learners/\d+")
    visit.click("details[open] a[href*='/judge/']", to=r"learners/\d+/judge/\d+")
    visit.frame.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
    found = [overflow(visit.frame)]

    visit.frame.locator("input[name=status][value='3']").check()
    visit.frame.get_by_label("Why?", exact=True).fill(REASON)
    visit.click("button:has-text('Give this status')", to=r"learners/\d+\?show=")
    given = visit.text()
    found.append(overflow(visit.frame))
    visit.click("details[open] a[href*='/judge/']", to=r"learners/\d+/judge/\d+")
    visit.click("button:has-text('Take the given status back')", to=r"learners/\d+\?show=")

    assert REASON in given
    assert REASON not in visit.text()
    assert found == [0, 0]


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_the_page_is_walked_through_by_tab(desk):
    place = people.teacher(desk.stage, "canvas")
    visit = desk.canvas(place.course, place.person)
    visit.click("tbody tr:nth-child(2) td:nth-child(3) a", to=r"learners/\d+")
    visit.click("details[open] a[href*='/judge/']", to=r"learners/\d+/judge/\d+")

    _, reached, faint = walk_by_tab(visit)

    assert reached
    assert faint == []
