"""No page has a barrier that axe-core knows of: light and dark, on a laptop and on a phone."""

import pytest

from lti_tool.launch.api_access import make_link
from store import api_access
from store.session import writing
from tests.browser.every_page import PAGES, go
from tests.browser.eyes import violations
from tests.stories.test_access import canvas_of, set_key_up
from tests.stories.test_registering import invite

pytestmark = [pytest.mark.browser, pytest.mark.story]

_REFUSALS = ("404", "403")


@pytest.mark.parametrize("name", PAGES)
def test_no_page_of_a_visit_has_a_violation(seat, name):
    frame = go(seat, PAGES[name])

    found = violations(frame)

    assert found == []
    # The browser says of a refusal that it is one.
    seat.complaints[:] = [one for one in seat.complaints if not any(s in one for s in _REFUSALS)]


@pytest.fixture
def page(chromium, size):
    width, height = size
    context = chromium.new_context(viewport={"width": width, "height": height})
    yield context.new_page()
    context.close()


@pytest.fixture
def tool(stage):
    return stage.container.settings.public_url


def test_a_barrier_is_seen(page):
    page.set_content(
        "<!doctype html><html lang='en'><title>A page</title><main><h1>A page</h1>"
        "<p style='color: #999; background: #fff'>Faint.</p><a href='/' "
        "style='display: inline-block; width: 9px; height: 9px; overflow: hidden'>a</a>"
        "<a href='/b' style='display: inline-block; width: 9px; height: 9px'>b</a></main>"
    )

    found = " ".join(violations(page, schemes=("light",)))

    assert "color-contrast" in found
    assert "target-size" in found


def test_no_page_outside_a_visit_has_a_violation(page, stage, tool):
    token = invite(stage, "canvas")
    found = {}

    for path in ("/", "/nowhere", "/lti/launch", f"/lti/setup?invite={token}", "/lti/setup"):
        page.goto(tool + path)
        found[path.split("?")[0]] = violations(page)

    assert not any(found.values()), found


def test_no_page_of_the_setup_by_hand_has_a_violation(page, stage, tool):
    token = invite(stage, "canvas")
    page.goto(f"{tool}/lti/setup?invite={token}")
    page.locator("main button").click()
    page.locator("[role=alert]").filter(visible=True).wait_for()
    found = violations(page)

    page.locator("#client_id").fill(f"typed-{token[:8]}")
    page.locator("main button").click()
    page.locator("dl.pairs").wait_for()
    found += violations(page)

    assert found == []


def test_no_page_of_a_registration_has_a_violation(page, stage, tool):
    page.goto(f"{stage.moodle}/mod/lti/toolconfigure.php")
    page.fill("input[name=url]", f"{tool}/lti/register?invite={invite(stage, 'moodle')}")
    page.locator("button").first.click()
    frame = page.frame_locator("#registration")
    frame.locator("a", has_text="new tool").click()
    frame.locator("button.main").wait_for()
    page.goto(next(one.url for one in page.frames if "/lti/register/" in one.url))
    found = violations(page)

    page.locator("button.main").click()
    page.locator("#closing").wait_for(state="attached")
    found += violations(page)

    assert found == []


def test_no_page_of_granting_access_has_a_violation(page, stage):
    set_key_up(stage)
    page.goto(make_link(stage.container, canvas_of(stage)))
    found = violations(page)
    page.locator("button.main").click()
    page.locator("button", has_text="Authorize").click()
    page.wait_for_url("**/lti/access/callback**")
    found += violations(page)
    with writing(stage.container.engine) as connection:
        platform = canvas_of(stage)
        api_access.forget_access(connection, platform.tenant, platform.id)

    assert found == []
