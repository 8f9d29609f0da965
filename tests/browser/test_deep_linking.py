"""A teacher places links from the LMS's own pages; what they place is opened by a learner."""

import re

import pytest

from tests.browser import people
from tests.browser.desk import overflow, walk_by_tab

pytestmark = [pytest.mark.browser, pytest.mark.story]

PICKERS = {
    "canvas": "/courses/{course}/external_tools/link_selection?user={person}",
    "moodle": "/course/{course}?user={person}&choose=1",
}


def _picker(desk, lms):
    place = people.teacher(desk.stage, lms)
    path = PICKERS[lms].format(course=place.course, person=place.person)
    return desk.at(desk.stage.lms(lms) + path), place


def _first_strand(visit):
    """Open the first strand and give the boxes of what it groups."""
    strand = visit.frame.locator("details").first
    if strand.get_attribute("open") is None:
        strand.locator("summary").click()
    return strand.locator(".choices input")


def _links(visit):
    return visit.page.locator(".links a").all_inner_texts()


@pytest.mark.parametrize("lms", PICKERS)
def test_a_teacher_chooses_and_the_lms_has_the_links(desk, lms):
    visit, place = _picker(desk, lms)
    course = desk.stage.lms(lms) + f"/course{'s' if lms == 'canvas' else ''}/{place.course}"
    boxes = _first_strand(visit)
    boxes.nth(0).check()
    boxes.nth(1).check()

    visit.frame.locator("button", has_text="Place links").click()

    if lms == "moodle":
        visit.frame.locator("button", has_text="Save and return to course").click()
    else:
        visit.frame.locator(".placed").wait_for()
    visit = desk.at(f"{course}?user={place.person}")
    assert len(_links(visit)) >= 2


def test_a_placed_link_opens_at_what_it_is_about(desk):
    place = people.learner(desk.stage, "canvas")
    known = people.standings_of(desk.stage, "canvas", place, view=1)
    visit, teacher = _picker(desk, "canvas")
    assert teacher.course == place.course
    box = visit.frame.locator(f'input[value="{known[0].competency}"]')
    strand = visit.frame.locator("details", has=box)
    if strand.get_attribute("open") is None:
        strand.locator("summary").click()
    box.check()
    visit.frame.locator("button", has_text="Place links").click()
    visit.frame.locator(".placed").wait_for()
    link = people.in_lms(desk.stage, "canvas", "SELECT max(id) FROM placed_links")[0][0]

    learner = desk.at(
        f"{desk.stage.canvas}/courses/{place.course}/links/{link}?user={place.person}"
    )

    assert learner.heading() == "My progress"
    assert known[0].sentence in learner.text()
    assert learner.frame.locator("details[open] table.evidence").first.is_visible()
    assert learner.frame.locator(".card").count() == 1
    learner.click("a:text('Show everything')", to=r"me\?all=1")
    assert learner.frame.locator(".card").count() > 1


@pytest.mark.parametrize("lms", PICKERS)
def test_the_picker_fits_its_frame_with_everything_open(desk, lms):
    visit, _ = _picker(desk, lms)

    visit.frame.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")

    assert overflow(visit.frame) == 0


def test_the_picker_is_walked_by_tab(desk):
    visit, _ = _picker(desk, "moodle")

    count, reached, faint = walk_by_tab(visit)

    # A group of radio buttons is one stop.
    radios = visit.frame.locator("input[type=radio]:visible").count()
    assert len(reached) == count - max(radios - 1, 0)
    assert faint == []


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_nothing_is_lost_where_scripts_are_off(desk):
    visit, _ = _picker(desk, "moodle")
    page = desk.without_scripts(visit)
    page.locator("details summary").first.click()
    page.locator(".choices input").first.check()

    page.locator("button", has_text="Place links").click()

    page.locator("h1", has_text="Back to your LMS").wait_for()
    page.locator("button", has_text="Go back to").click()
    page.wait_for_url(re.compile(r".*contentitem_return\.php.*"))
    assert "Save and return to course" in page.content()


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_teacher_who_goes_back_places_nothing(desk):
    visit, _ = _picker(desk, "canvas")

    visit.frame.locator("button", has_text="Place nothing and go back").click()

    visit.frame.locator("[role=alert]").wait_for()
    assert "Nothing was added." in visit.frame.locator("main").inner_text()
