"""Whose LMS speaks Spanish reads Waymark in Spanish; a screen reader is told so."""

import pytest

from tests.browser.every_page import PAGES, go

pytestmark = [pytest.mark.browser, pytest.mark.story]


def test_a_learner_whose_lms_is_in_spanish_reads_their_page_in_spanish(seat):
    frame = go(seat, PAGES["my progress in Spanish"])

    assert frame.evaluate("document.documentElement.lang") == "es"
    assert frame.locator("h1").inner_text() == "Mi progreso"
    assert "Dominada cuando" in (frame.locator("main").text_content() or "")
    assert frame.locator(".bar nav").get_attribute("aria-label") == "Páginas"


def test_what_a_page_of_the_lms_is_not_in_stays_english_as_a_whole(seat):
    frame = go(seat, PAGES["runs"])

    assert frame.evaluate("document.documentElement.lang") == "en"
