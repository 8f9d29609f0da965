"""A district's administrator tries a way to a gradebook and has it hold, by keyboard alone."""

import pytest

from mapping.records import CourseId, PassbackWay
from store.session import reading
from tests.browser import people
from tests.browser.desk import overflow, press, reach
from tests.browser.eyes import violations
from workers import way_trials

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture
def visit(desk):
    school, person = people.school(desk.stage), people.administrator(desk.stage)
    visit = desk.canvas_account(school, person)
    visit.go("gradebooks")
    return visit


def test_a_way_is_tried_and_held_by_keyboard(visit, desk):
    page = visit.frame
    page.locator("h1").click()
    first = page.locator("a[href*='/gradebooks/courses/']").first
    name = first.get_attribute("aria-label")
    course = CourseId(int(first.get_attribute("href").rpartition("/")[2]))
    press(visit, name)
    looked = [(overflow(page), violations(page))]
    radio = page.locator("input[name=way][value=none]")
    reach(visit, page.locator("input[name=way]:checked"))
    while not radio.is_checked():
        visit.page.keyboard.press("ArrowDown")
    press(visit, "See what it would do", role="button")
    container = desk.stage.container
    with reading(container.engine) as connection:
        tenant = connection.exec_driver_sql("SELECT min(id) FROM tenants").scalar_one()
    way_trials.work_out(container, tenant, course, way=PassbackWay.NONE)
    page.get_by_role("heading", name="Use this way").wait_for()
    looked.append((overflow(page), violations(page)))
    reach(visit, page.get_by_label("Why?"))
    visit.page.keyboard.type("Not this term.")
    press(visit, "Use this way from the next night on", role="button")

    assert "Not at all, by a choice of its own" in visit.text()
    assert looked == [(0, []), (0, [])]
