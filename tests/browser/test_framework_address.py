"""A district's administrator imports a framework from an address, by keyboard alone."""

import pytest

from bootstrap import framework_import
from connectors.framework_files import FetchedFile, Marks
from mapping.records import TenantId
from store.session import reading
from tests.browser import people
from tests.browser.desk import overflow, press, reach
from tests.browser.eyes import violations
from workers import framework_fetches

pytestmark = [pytest.mark.browser, pytest.mark.story]

ADDRESS = "https://case.example.org/table.csv"
FOUND = FetchedFile(content=b"code,statement\nA.1,Compare fractions\n", marks=Marks())


def test_a_framework_is_fetched_from_an_address_by_keyboard(desk, monkeypatch):
    monkeypatch.setattr(framework_import, "fetched", lambda *_: FOUND)
    container = desk.stage.container
    visit = desk.canvas_account(people.school(desk.stage), people.administrator(desk.stage))
    visit.go("frameworks/import")
    page = visit.frame
    page.locator("h1").click()
    reach(visit, page.get_by_label("Address of a CASE package or a table"))
    visit.page.keyboard.type(ADDRESS)
    with page.expect_navigation():
        visit.page.keyboard.press("Enter")
    looked = overflow(page), violations(page)
    with reading(container.engine) as connection:
        tenant = connection.exec_driver_sql("SELECT min(id) FROM tenants").scalar_one()
    framework_fetches.work_out(container, TenantId(tenant), page.url.rpartition("/")[2])
    page.get_by_role("link", name="See what it would change").wait_for()
    press(visit, "See what it would change")

    assert "Compare fractions" in visit.text()
    assert looked == (0, [])
