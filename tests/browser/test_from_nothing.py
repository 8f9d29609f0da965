"""From an empty installation to a first published mapping: in the browser, without a mouse."""

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page

import workers.jobs
from bootstrap.embedded import running_redis
from bootstrap.settings import load_settings
from lti_tool.launch.setup_links import make_setup_link
from mapping.records import RunId
from tests.browser.desk import Visit, overflow
from tests.browser.eyes import violations
from tests.browser.keys import Keys
from tests.databases import lay_database
from tests.stories.stage import district_on_stage, work_off

pytestmark = [pytest.mark.browser, pytest.mark.story]
FRAMEWORK = "code,statement,parent\nMA,Mathematics,\nMA.1,Adds fractions,MA\nMA.2,Finds ratios,MA\n"
_SMALL, _LARGE = {"width": 375, "height": 812}, {"width": 1280, "height": 800}
_ADMINISTRATOR = 2
_NEW_TOOL = 2


@pytest.fixture
def nothing(executable, tmp_path, monkeypatch):
    """LMSs, and a Waymark that knows nothing of them, with a Redis of its own."""
    del executable
    # Jobs in this process work for one installation at a time.
    monkeypatch.setattr(workers.jobs, "_process", replace(workers.jobs._process))
    settings = load_settings({"WAYMARK_DATA_DIR": str(tmp_path)})
    with (
        running_redis(settings) as redis_url,
        district_on_stage(
            *(tmp_path, lay_database(tmp_path), redis_url),
            tool_host="localhost",
            is_loaded=False,
        ) as found,
    ):
        yield found


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport=_LARGE)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.complaints = []
    # An answer that asks for something again (422) is told by browsers as if it were a fault.
    context.on(
        "console",
        lambda said: (
            page.complaints.append(said.text)
            if said.type in {"error", "warning"} and "422" not in said.text
            else None
        ),
    )
    yield page
    context.close()
    assert page.complaints == []


def look(page: Page, frame=None):
    """What is wrong with how a page looks, wide and narrow."""
    shown = frame or page
    found = violations(shown)
    page.set_viewport_size(_SMALL)
    found += [f"{overflow(shown)} pixels too wide"] if overflow(shown) > 0 else []
    page.set_viewport_size(_LARGE)
    return found


def register_in_moodle(page: Page, moodle: str, address: str) -> None:
    """What Moodle's administrator does in another window, as the page says.

    The window stays open: closing one that still loads has been seen to wait for ever.
    """
    other = page.context.new_page()
    other.goto(f"{moodle}/mod/lti/toolconfigure.php")
    other.fill("input[name=url]", address)
    other.locator("button").first.click()
    frame = other.frame_locator("#registration")
    frame.locator("a", has_text="new tool").click()
    frame.locator("button.main").click()
    other.locator("#registration").wait_for(state="detached")
    other.wait_for_url("**/toolconfigure.php")
    with other.expect_navigation():
        other.get_by_role("button", name="Activate").last.click()


def connect(page: Page, nothing) -> list[str]:
    """From the printed address to an LMS that is let in and can be read."""
    page.goto(make_setup_link(nothing.container, None))
    keys, wrong = Keys(page), []
    zone = page.input_value("#timezone")
    keys.press("button.main")
    wrong += look(page)
    assert page.locator("#name-problem").is_visible()
    keys.write("#name", "Vale")
    keys.press("button.main")
    wrong += look(page)
    keys.to("[name=kind]:checked")
    page.keyboard.press("ArrowDown")
    keys.write("#url", f"{nothing.moodle}/course/view.php?id=2")
    keys.press("button.main")
    wrong += look(page)
    register_in_moodle(page, nothing.moodle, page.input_value("#paste"))
    # Nobody has to tell the page that it is done.
    page.wait_for_url(re.compile("/lms$"))
    wrong += look(page)
    keys.press("button.main")
    keys.write("[name=token]", token_of(nothing))
    keys.press("form[action$='/token'] button")
    work_off(nothing.container)
    page.get_by_text(re.compile(r"All \d+ checks are fine")).wait_for()
    wrong += look(page)
    assert zone.count("/") == 1 or zone == "UTC"
    return wrong


def token_of(nothing) -> str:
    district = json.loads((nothing.folder / "district" / "district.json").read_text())
    return next(one["api_token"] for one in district["platforms"] if one["kind"] == "moodle")


def open_in_moodle(page: Page, nothing) -> Visit:
    """Waymark as the site's administrator opens it, by the tool that was registered last."""
    base = f"{nothing.container.settings.public_url}/l/"
    with page.expect_event("framenavigated", lambda frame: frame.url.startswith(base)) as landed:
        page.goto(f"{nothing.moodle}/course/2?user={_ADMINISTRATOR}&type={_NEW_TOOL}")
    landed.value.wait_for_load_state()
    return Visit(page=page, frame=landed.value)


def begin_a_run(visit: Visit, nothing) -> None:
    keys = Keys(visit.page, visit.frame)
    keys.press(".next-step button")
    number = int(re.search(r"/runs/(\d+)", visit.frame.url)[1])
    nothing.see_through(RunId(number))
    visit.go("desk")


def bring_in_a_framework(visit: Visit, tmp_path) -> None:
    file = tmp_path / "maths.csv"
    file.write_text(FRAMEWORK)
    keys = Keys(visit.page, visit.frame)
    keys.press(".next-step .go")
    keys.press("a[href$='/frameworks/import']")
    # What the system's own dialog does, nobody can do from here.
    visit.frame.locator("#file").set_input_files(file)
    keys.press("button.main")
    keys.press("button.main")
    visit.go("desk")


def publish_a_mapping(visit: Visit) -> list[str]:
    keys = Keys(visit.page, visit.frame)
    keys.press(".next-step .go")
    keys.write("[name=title]", "Spring")
    keys.press("form button.main")
    keys.write("[name=competency]", "MA.1")
    keys.write("[name=line_item]", "Quiz*")
    visit.frame.locator("#matches").filter(has_text="✓ Matches").wait_for()
    keys.to("[name=line_item]")
    with visit.frame.expect_navigation():
        visit.page.keyboard.press("Enter")
    keys.press("a[href$='/publish']")
    keys.press("form[action$='/effect'] button")
    effect = visit.text()
    keys.press("a.go")
    keys.write("#reason", "A first term.")
    keys.press("button.main")
    return [effect]


def test_a_district_gets_from_nothing_to_a_published_mapping(page, nothing, tmp_path):
    page.goto(nothing.container.settings.public_url)
    assert "waymark setup" in page.inner_text("main")

    wrong = connect(page, nothing)
    visit = open_in_moodle(page, nothing)
    assert visit.heading() == "Start"
    begin_a_run(visit, nothing)
    assert "3 courses found, 3 read" in visit.text()
    bring_in_a_framework(visit, tmp_path)
    (effect,) = publish_a_mapping(visit)

    assert "Tried on all evidence of" in effect
    assert "Mastered" in effect
    visit.go("desk")
    assert visit.frame.locator(".step", has_text="Publish a mapping").get_by_text("Done").count()
    assert wrong == []
