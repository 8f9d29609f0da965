"""Parts of a page that are fetched by htmx, under the policy that every page has."""

import pytest

from tests.browser import people
from tests.browser.parts import PART

pytestmark = [pytest.mark.browser, pytest.mark.story]

# Would each run code out of an attribute, were that not switched off.
_CODE = """() => {
  const form = document.createElement("div");
  form.innerHTML = `<button hx-on:click="window.ran = true" hx-get=""
    hx-vals="js:{a: window.ran = 1}"
    hx-trigger="click[window.ran = 2]">Run</button>`;
  document.querySelector("main").append(form);
  htmx.process(form);
}"""


@pytest.fixture
def visit(desk):
    place = people.teacher(desk.stage, "canvas")
    return desk.canvas(place.course, place.person)


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_part_is_brought_up_to_date_without_the_page_being_loaded(visit):
    visit.click("tbody th a", to=r"learners/\d+")
    visit.frame.evaluate("window.mark = 1")
    visit.frame.evaluate(PART, "class")

    visit.frame.get_by_role("button", name="Bring up to date").click()

    visit.frame.locator("#part caption").wait_for()
    assert visit.frame.evaluate("window.mark") == 1
    assert visit.frame.locator("style").count() == 0


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_part_that_cannot_be_had_is_said(desk, visit):
    visit.frame.evaluate(PART, "nowhere")

    visit.frame.get_by_role("button", name="Bring up to date").click()

    visit.frame.get_by_role("alert").filter(has_text="Waymark did not answer").wait_for()
    assert all("404" in one for one in desk.complaints)
    desk.complaints.clear()


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_no_code_is_taken_out_of_attributes(desk, visit):
    visit.frame.evaluate(_CODE)

    visit.frame.get_by_role("button", name="Run").click()

    assert visit.frame.evaluate("window.ran") is None
    desk.complaints.clear()
