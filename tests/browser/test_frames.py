"""Waymark tells the LMS how high its page is, and nothing else."""

import pytest

from tests.browser.every_page import administrator, teacher

pytestmark = [pytest.mark.browser, pytest.mark.story]

_HEAR = """() => {
  window.heard = [];
  addEventListener("message", ({ data, origin }) => heard.push([data, origin]));
}"""


def heard(visit):
    return [data for data, _ in visit.page.evaluate("heard")]


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_page_says_its_height_and_says_it_again_when_that_changes(desk):
    visit = administrator(desk)
    visit.page.evaluate(_HEAR)

    visit.go("runs")
    visit.page.wait_for_function("heard.length >= 1")
    visit.frame.evaluate("document.querySelector('main').style.paddingBottom = '900px'")
    visit.page.wait_for_function("heard.length >= 2")

    first, *_, last = heard(visit)
    assert set(first) == {"subject", "height"}
    assert first["subject"] == last["subject"] == "lti.frameResize"
    assert last["height"] > first["height"] + 500
    assert {origin for _, origin in visit.page.evaluate("heard")} == {
        desk.stage.container.settings.public_url
    }


@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_a_page_whose_table_scrolls_under_its_head_keeps_its_frame(desk):
    visit = teacher(desk)
    visit.page.evaluate(_HEAR)

    visit.go("class")
    visit.page.wait_for_timeout(300)

    assert heard(visit) == []
