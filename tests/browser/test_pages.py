"""What holds for every page, whoever looks at it."""

import pytest

from tests.browser import people
from tests.browser.desk import overflow, walk_by_tab

pytestmark = [pytest.mark.browser, pytest.mark.story]


def _teacher(desk):
    place = people.teacher(desk.stage, "canvas")
    return desk.canvas(place.course, place.person)


def _learner(desk):
    place = people.learner(desk.stage, "canvas")
    return desk.canvas(place.course, place.person)


def _parent(desk):
    place, _ = people.canvas_parent(desk.stage)
    return desk.canvas(place.course, place.person)


def _administrator(desk):
    return desk.canvas_account(people.school(desk.stage), people.administrator(desk.stage))


PEOPLE = {
    "teacher": (_teacher, ("tbody tr:first-child td:nth-child(3) a",)),
    "learner": (_learner, ()),
    "parent": (_parent, (".cards a",)),
    "administrator": (_administrator, (".sums a",)),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_no_page_is_wider_than_its_frame(seat, who):
    launch, links = PEOPLE[who]
    visit = seat.once(who, launch)
    found = [overflow(visit.frame)]
    for link in links:
        visit.click(link, to=".*[0-9]")
        visit.frame.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
        found.append(overflow(visit.frame))

    assert found == [0] * len(found)
    assert overflow(visit.page.main_frame) == 0


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
@pytest.mark.parametrize("who", PEOPLE)
def test_a_page_is_the_same_where_scripts_are_off(seat, who):
    visit = seat.once(who, PEOPLE[who][0])

    page = seat.without_scripts(visit)

    assert page.locator("main").inner_text().split() == (
        visit.frame.locator("main").inner_text().split()
    )
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"


@pytest.mark.parametrize("who", PEOPLE)
def test_everything_is_reached_by_tab_and_shows_that_it_is(seat, who):
    visit = seat.once(who, PEOPLE[who][0])

    count, reached, faint = walk_by_tab(visit)

    assert reached == list(range(count))
    assert faint == []


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_reloading_the_landing_page_shows_it_again(seat):
    visit = seat.once("teacher", _teacher)
    before, address = visit.text(), visit.frame.url

    with visit.page.expect_event("framenavigated", lambda frame: frame == visit.frame):
        visit.frame.evaluate("location.reload()")
    visit.frame.wait_for_load_state()

    assert visit.frame.url == address
    assert visit.text() == before


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_two_launches_of_one_person_in_one_browser_are_two_visits(desk):
    first, second = _teacher(desk), _teacher(desk)

    first.click("tbody th a", to=r"learners/\d+")
    second.click("tbody th a", to=r"learners/\d+")
    first.click("nav a", to="class")

    assert first.frame.locator("table.grid").is_visible()
    assert second.heading()
    assert first.base != second.base


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_the_next_person_in_a_browser_ends_what_the_one_before_had_open(desk):
    teacher, learner = _teacher(desk), _learner(desk)

    teacher.frame.locator("tbody th a").first.click()
    teacher.frame.wait_for_selector("text=This browser has no visit here")
    learner.click("nav a", to="me")

    assert learner.heading() == "My progress"
    assert ["404" in one for one in desk.complaints] == [True]
    desk.complaints.clear()


def test_the_full_wording_of_a_clamped_column_is_one_step_away(seat):
    visit = seat.once("teacher", _teacher)
    header = visit.frame.locator("th.one a.statement").first
    statement = visit.frame.locator("th.one").first.get_attribute("title")

    header.click()

    target = visit.frame.locator(":target")
    assert statement in target.inner_text()
    assert target.is_visible()
