"""Every page in a frame of 320 pixels, read from left to right and from right to left."""

import pytest

from tests.browser.desk import Desk, overflow
from tests.browser.every_page import PAGES, go

pytestmark = [pytest.mark.browser, pytest.mark.story]

_NARROWEST = 320
# The LMS's page has a margin around its frame.
_MARGINS = 34
_TURN = "(way) => { document.documentElement.dir = way; }"
_UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
# Text that stands outside of what is seen: of anything but lists that scroll by themselves.
_LOST = """() => [...document.querySelectorAll("main :is(h1, h2, h3, p, li, button, a, summary)")]
  .filter((one) => one.checkVisibility() && !one.closest(".scroller, .sr"))
  .filter((one) => {
    const box = one.getBoundingClientRect();
    return box.left < -1 || box.right > innerWidth + 1;
  })
  .map((one) => one.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def narrow(chromium, stage):
    desk = Desk(chromium, stage, (_NARROWEST + _MARGINS, 700))
    yield desk
    desk.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_320_pixels_whichever_way_it_is_read(narrow, name):
    frame = go(narrow, PAGES[name])
    frame.evaluate(_UNFOLD)
    found = {}

    for way in ("ltr", "rtl"):
        frame.evaluate(_TURN, way)
        found[way] = (overflow(frame), frame.evaluate(_LOST))

    assert frame.evaluate("innerWidth") == _NARROWEST
    assert found == {"ltr": (0, []), "rtl": (0, [])}
