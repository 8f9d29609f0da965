"""Authorising access to Canvas's own API in a real browser: page, button, consent, and back."""

import pytest

from lti_tool.launch.api_access import make_link
from store import api_access
from store.session import writing
from tests.stories.test_access import canvas_of, set_key_up

pytestmark = pytest.mark.browser


@pytest.fixture
def address(stage):
    """A one-time address; what comes of it is forgotten, for the other tests' nights."""
    set_key_up(stage)
    yield make_link(stage.container, canvas_of(stage))
    with writing(stage.container.engine) as connection:
        platform = canvas_of(stage)
        api_access.forget_access(connection, platform.tenant, platform.id)


@pytest.fixture
def page(chromium, size):
    width, height = size
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    yield page
    context.close()


def is_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_button_leads_through_canvas_and_back_with_the_browsers_own_cookie(
    page, stage, address
):
    page.goto(address)
    widths = [is_wide(page)]
    page.locator("summary").click()
    widths.append(is_wide(page))
    page.locator("button.main").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stage.canvas}/login/oauth2/auth**")
    page.locator("button", has_text="Authorize").click()
    page.wait_for_url("**/lti/access/callback**")

    page.locator("h1", has_text="Waymark may use").wait_for()
    widths.append(is_wide(page))
    access = canvas_of(stage).api_access
    assert access.is_authorized
    assert page.locator("dd").first.inner_text() == access.user
    assert not any(widths)
    assert page.complaints == []


def test_cancel_in_canvas_leads_back_to_a_page_that_says_so(page, stage, address):
    page.goto(address)
    page.locator("button.main").click()
    page.wait_for_url(f"{stage.canvas}/login/oauth2/auth**")

    page.locator("button", has_text="Cancel").click()

    page.locator("h1", has_text="Waymark has no access").wait_for()
    assert "pressed Cancel" in page.locator("main").inner_text()
    assert not canvas_of(stage).api_access.is_authorized
