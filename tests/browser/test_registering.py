"""Registering in a real browser: the LMS's frame, the button, and the message that closes it."""

import pytest

from tests.stories.test_registering import invite, platform_named

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium, size):
    width, height = size
    context = chromium.new_context(viewport={"width": width, "height": height})
    yield context.new_page()
    context.close()


def register_address(stage, token):
    return f"{stage.container.settings.public_url}/lti/register?invite={token}"


def test_canvas_closes_the_frame_when_waymark_says_that_it_is_done(page, stage):
    page.goto(stage.canvas)
    page.locator("a[href$='/apps']").first.click()
    page.fill("input[name=url]", register_address(stage, invite(stage, "canvas")))
    page.click("button")

    page.frame_locator("#registration").locator("button.main").click()

    page.locator("#registration").wait_for(state="detached")
    page.wait_for_url("**/apps")
    assert page.locator("button", has_text="Enable").count() >= 1


def test_moodle_closes_the_frame_when_waymark_says_that_it_is_done(page, stage):
    page.goto(f"{stage.moodle}/mod/lti/toolconfigure.php")
    page.fill("input[name=url]", register_address(stage, invite(stage, "moodle")))
    page.locator("button").first.click()
    frame = page.frame_locator("#registration")
    frame.locator("a", has_text="new tool").click()

    frame.locator("button.main").click()

    page.locator("#registration").wait_for(state="detached")
    page.wait_for_url("**/toolconfigure.php")
    assert page.locator("td", has_text="Pending").count() >= 1


def test_a_page_that_is_not_the_lmss_cannot_frame_the_registration(page, stage):
    address = register_address(stage, invite(stage, "moodle"))
    page.goto(f"{stage.moodle}/mod/lti/toolconfigure.php")
    page.fill("input[name=url]", address)
    page.locator("button").first.click()
    frame = page.frame_locator("#registration")
    frame.locator("a", has_text="new tool").click()
    frame.locator("button.main").wait_for()
    confirm = next(one.url for one in page.frames if "/lti/register/" in one.url)

    # Another origin than the invited Moodle's.
    page.goto(stage.canvas)
    page.evaluate(
        """(url) => new Promise((done) => {
          const frame = document.createElement("iframe");
          frame.onload = done;
          frame.src = url;
          document.body.append(frame);
        })""",
        confirm,
    )

    assert page.frames[-1].locator("button.main").count() == 0


def test_the_form_by_hand_works_by_keyboard_and_does_not_scroll_sideways(page, stage):
    token = invite(stage, "canvas")
    page.goto(f"{stage.container.settings.public_url}/lti/setup?invite={token}")

    page.locator("#client_id").focus()
    page.keyboard.press("Enter")
    page.locator("[role=alert]").wait_for()
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.locator("#client_id").focus()
    page.keyboard.type(f"typed-{token[:8]}")
    page.keyboard.press("Enter")
    page.locator("dl.pairs").wait_for()

    assert not is_wide
    assert platform_named(stage, page.locator("dd").first.inner_text()).state == "pending"
