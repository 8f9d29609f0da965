"""How people come in whose browser keeps no cookies for Waymark in the LMS's page.

The tool is on localhost, the LMSs are on 127.0.0.1: two sites.
"""

import html
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser import people
from tests.browser.parts import PART
from tests.browser.processes import descendants, outlive
from tests.browser.worlds import World, frame_of, heading, landed, opened
from tests.stories.stage import Stage, free_port, serving_on

pytestmark = [pytest.mark.browser, pytest.mark.story]

FRAME_REFUSED = "frame-ancestors"
NOT_ANSWERED = "target origin provided"
# Launches twice at once from one page of the LMS, each with a login form of its own.
_TWO_AT_ONCE = """async (address) => {
  const forms = await Promise.all([1, 2].map(async () => {
    const text = await (await fetch(address)).text();
    return new DOMParser().parseFromString(text, "text/html").getElementById("login");
  }));
  forms.forEach((form, at) => {
    const frame = document.createElement("iframe");
    frame.name = form.target = `twin${at}`;
    frame.className = "tool";
    document.body.append(frame, document.adoptNode(form));
  });
  forms.forEach((form) => form.submit());
}"""
# Somebody began a login of their own, opens its launch with the victim's browser and answers
# every question about the secret, which they know.
_TRAP = """<!doctype html><title>A trap</title>
<form id="trap" method="post" action="{action}" target="{target}" rel="opener">{fields}
<button>Win a prize</button></form><iframe name="trap"></iframe>
<script>
window.asked = [];
const answer = (message_id) =>
  ({{ subject: "lti.get_data.response", message_id, key: "{key}", value: "{value}" }});
addEventListener("message", ({{ data, source }}) => {{
  window.asked.push(data);
  source.postMessage(answer(data.message_id), "*");
}});
document.getElementById("trap").addEventListener("submit", () => {{
  const victim = "{target}" === "trap" ? frames.trap : window.open("", "{target}");
  setInterval(() => victim.postMessage(answer("guessed"), "*"), 50);
}});
</script>"""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    before = descendants()
    with sync_playwright() as playwright:
        yield playwright
    assert not outlive(descendants() - before)


@pytest.fixture(scope="module")
def blocking_browser(playwright, executable, stage, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocking")
    with opened(playwright, executable, folder, stage=stage, kind="blocking") as world:
        yield world


@pytest.fixture(scope="module")
def refusing_browser(playwright, executable, stage, tmp_path_factory):
    folder = tmp_path_factory.mktemp("refusing")
    with opened(playwright, executable, folder, stage=stage, kind="refusing") as world:
        yield world


@pytest.fixture
def storage(stage: Stage):
    """Choose how the LMS's storage behaves, for one test."""

    def choose(mode: str, target: str = "post_message_forwarding") -> None:
        stage.ask(f"{stage.canvas}/_control/storage", {"mode": mode, "target": target})

    yield choose
    choose("on")


@pytest.fixture
def blocking(blocking_browser: World) -> Iterator[World]:
    yield from _used(blocking_browser)


@pytest.fixture
def refusing(refusing_browser: World) -> Iterator[World]:
    yield from _used(refusing_browser)


@pytest.fixture(params=["blocking", "refusing"])
def world(request: pytest.FixtureRequest) -> World:
    return request.getfixturevalue(request.param)


@pytest.fixture
def teacher(stage: Stage) -> people.Place:
    return people.teacher(stage, "canvas")


def _used(world: World) -> Iterator[World]:
    """A browser without cookies; after the test its pages are closed, and it had no complaints."""
    world.context.clear_cookies()
    world.complaints.clear()
    before = set(world.context.pages)
    yield world
    for page in set(world.context.pages) - before:
        page.close()
    # What Chromium says of a message that it rightly kept from a foreign window.
    assert [one for one in world.complaints if NOT_ANSWERED not in one] == []


@pytest.mark.parametrize("lms", ["canvas", "moodle"])
def test_a_partitioned_cookie_is_enough_and_nothing_is_asked_of_the_lms(blocking, lms):
    place = people.teacher(blocking.stage, lms)

    page, frame = blocking.open_course(lms, place.course, place.person)

    landed(frame, "class")
    storage = page.frame(name="post_message_forwarding")
    assert "__Host-waymark-probe" in blocking.cookies_in_frames()
    assert not storage or storage.evaluate("heard") == []
    assert page.evaluate("heard") == []


def test_back_and_reload_are_harmless_where_cookies_are_kept(blocking, teacher):
    page, frame = blocking.open_course("canvas", teacher.course, teacher.person)
    address = landed(frame, "class")

    frame.locator("tbody th a").first.click()
    landed(frame, r"learners/\d+")
    page.evaluate("history.back()")
    landed(frame, "class")
    frame.evaluate("location.reload()")
    page.wait_for_timeout(300)

    assert landed(frame, "class") == address
    assert frame.locator("table.grid").is_visible()


def test_without_any_cookie_the_launch_works_by_the_storage_of_the_lms(refusing, teacher):
    page, frame = refusing.open_course("canvas", teacher.course, teacher.person)

    landed(frame, "class")

    storage = page.frame(name="post_message_forwarding")
    subjects = [subject for subject, _ in storage.evaluate("heard")]
    origins = {origin for _, origin in storage.evaluate("heard")}
    assert list(dict.fromkeys(subjects)) == ["lti.put_data", "lti.get_data"]
    assert origins == {refusing.tool}
    assert refusing.cookies_in_frames() == []
    assert frame.locator("tbody tr").count() == people.learners_of(
        refusing.stage, "canvas", teacher.course
    )


def test_the_page_of_the_lms_itself_may_be_the_storage(refusing, teacher, storage):
    storage("on", "_parent")

    page, frame = refusing.open_course("canvas", teacher.course, teacher.person)

    landed(frame, "class")
    assert [subject for subject, _ in page.evaluate("heard")][:1] == ["lti.put_data"]


def test_without_cookies_pages_are_walked_forth_and_back(refusing, teacher):
    page, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    klass = landed(frame, "class")
    link = frame.locator("tbody th a").first
    name = link.inner_text()

    link.click()
    heading(frame, name)
    learner, focused = frame.url, frame.evaluate("document.activeElement.textContent")
    page.evaluate("history.back()")
    heading(frame, "Mathematics")
    back = frame.url
    page.evaluate("history.forward()")
    heading(frame, name)

    assert re.fullmatch(r".*/learners/\d+", learner)
    assert name in focused
    assert (back, frame.url) == (klass, learner)
    assert name in frame.evaluate("document.title")


def test_without_cookies_a_link_to_one_thing_on_a_page_shows_that_thing(refusing, teacher):
    _, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    landed(frame, "class")
    frame.locator("tbody tr:first-child td:nth-child(3) a").click()
    frame.wait_for_selector("details[open]")

    address = frame.url

    target = frame.locator(".card:target")
    assert urllib.parse.urlsplit(address).fragment
    assert target.is_visible()
    assert target.evaluate("one => one.getBoundingClientRect().top < innerHeight")


def test_without_cookies_a_reload_says_how_to_come_back(refusing, teacher):
    page, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    landed(frame, "class")

    frame.evaluate("location.reload()")
    heading(frame, "This browser has no visit here")

    assert "open Waymark from there again" in frame.locator("main").inner_text()
    assert frame.locator("table").count() == 0
    # The browser says of each answer of 404 that it is one.
    assert [one for one in refusing.complaints if "404" not in one] == []
    refusing.complaints.clear()
    page.reload()
    landed(frame_of(page), "class")


def test_the_bearer_is_in_no_address_page_or_history(refusing, teacher):
    page = refusing.context.new_page()
    with page.expect_response("**/lti/proof") as proof:
        page.goto(f"{refusing.stage.canvas}/courses/{teacher.course}?user={teacher.person}")
    frame = frame_of(page)
    landed(frame, "class")
    bearer = proof.value.json()["bearer"]

    frame.locator("tbody th a").first.click()
    frame.wait_for_url(re.compile("/learners/"))

    assert len(bearer) > 40
    assert bearer not in frame.url
    assert bearer not in frame.content()
    assert bearer not in str(frame.evaluate("[history.state, document.cookie, name]"))


def test_without_cookies_the_end_of_a_visit_is_said_in_words(refusing, teacher):
    _, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    landed(frame, "class")
    redis = refusing.stage.container.redis
    for key in redis.keys("waymark:launch:*"):
        redis.delete(key)

    frame.locator("tbody th a").first.click()

    heading(frame, "Your visit has ended")
    assert [one for one in refusing.complaints if "401" not in one] == []
    refusing.complaints.clear()


def test_without_cookies_a_lost_connection_is_said_and_the_page_can_be_asked_for_again(
    refusing, teacher
):
    _, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    landed(frame, "class")
    link = frame.locator("tbody th a").first
    name = link.inner_text()
    refusing.context.set_offline(True)
    link.click()
    heading(frame, "Waymark does not answer")
    refusing.context.set_offline(False)

    frame.get_by_text("try again").click()

    heading(frame, name)
    assert all("ERR_INTERNET_DISCONNECTED" in one for one in refusing.complaints)
    refusing.complaints.clear()


def test_without_cookies_competencies_are_chosen_and_go_back_to_the_lms(refusing, teacher):
    picker = f"courses/{teacher.course}/external_tools/link_selection?user={teacher.person}"
    client_id = _form_of(
        _fetched(f"{refusing.stage.canvas}/courses/{teacher.course}?user={teacher.person}")
    )[1]["client_id"]
    page = refusing.open(f"{refusing.stage.canvas}/{picker}&client_id={client_id}")
    frame = frame_of(page)
    landed(frame, "choose")
    frame.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    boxes = frame.get_by_role("checkbox")
    chosen = [boxes.nth(at).locator("xpath=../span").inner_text() for at in (1, 2)]

    for at in (1, 2):
        boxes.nth(at).check()
    frame.locator("main button[type=submit], main form button").first.click()

    frame.wait_for_url(f"{refusing.stage.canvas}/**")
    placed = frame.locator("body").inner_text()
    assert all(one.split()[0] in placed for one in chosen)


def test_without_cookies_a_part_of_a_page_is_fetched_with_the_visits_proof(refusing, teacher):
    _, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    landed(frame, "class")
    frame.locator("tbody th a").first.click()
    frame.wait_for_url(re.compile("/learners/"))

    frame.evaluate(PART, "class")
    frame.get_by_role("button", name="Bring up to date").click()

    frame.locator("#part caption").wait_for()
    assert frame.locator("[data-trouble]").is_hidden()


def test_without_cookies_the_trail_is_searched_in_its_place(refusing):
    school, person = people.school(refusing.stage), people.administrator(refusing.stage)
    page = refusing.open(f"{refusing.stage.canvas}/accounts/{school}?user={person}")
    frame = frame_of(page)
    landed(frame, "desk")
    frame.locator("nav a", has_text="Changes").click()
    heading(frame, "Who changed what")

    frame.get_by_label("Containing").fill("found nowhere")
    page.keyboard.press("Enter")

    frame.get_by_text("No change is like that.").wait_for()
    assert frame.locator("#told").inner_text() == "0 changes"
    assert "text=" not in frame.url


def test_without_cookies_nobody_else_is_shown_the_proof(refusing, teacher):
    page, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    landed(frame, "class")

    frame.evaluate(PART, "../../static/waymark.css")
    with page.expect_request("**/static/waymark.css") as asked:
        frame.get_by_role("button", name="Bring up to date").click()

    assert "authorization" not in asked.value.headers


def test_without_cookies_a_file_is_saved(refusing):
    school, person = people.school(refusing.stage), people.administrator(refusing.stage)
    page = refusing.open(f"{refusing.stage.canvas}/accounts/{school}?user={person}")
    frame = frame_of(page)
    landed(frame, "desk")
    frame.locator("nav a", has_text="Changes").click()
    heading(frame, "Who changed what")

    with page.expect_download() as saved:
        frame.locator("#found a[href*=export]").click()

    assert saved.value.path().read_text(encoding="utf-8-sig").startswith("when (UTC),what,of")
    assert saved.value.suggested_filename.endswith(".csv")
    assert frame.locator("h1").inner_text() == "Who changed what"


def test_two_frames_of_one_page_launch_at_once(world, teacher):
    page, frame = world.open_course("canvas", teacher.course, teacher.person)
    landed(frame, "class")
    world.context.clear_cookies()

    page.evaluate(_TWO_AT_ONCE, page.url)
    twins = [page.frame(name=f"twin{at}") for at in range(2)]
    addresses = [landed(twin, "class") for twin in twins]
    for twin in twins:
        twin.locator("tbody th a").first.click()
        twin.wait_for_url(re.compile(r"/learners/\d+"))
        heading(twin, "")

    assert len({address.split("/")[4] for address in addresses}) == 2
    assert [twin.url.split("/")[4] for twin in twins] == [
        address.split("/")[4] for address in addresses
    ]


@pytest.mark.parametrize("mode", ["silent", "error", "unlisted", "wrong_id", "elsewhere"])
def test_where_the_lms_keeps_nothing_a_new_tab_works(refusing, teacher, storage, mode):
    storage(mode)
    page, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    heading(frame, "Where should Waymark open?")

    with refusing.context.expect_page() as tab:
        frame.get_by_role("link", name="Open in a new tab").click()
    landed(tab.value, "class")
    heading(frame, "Waymark is open in a new tab")

    tab.value.reload()
    assert tab.value.locator("table.grid").is_visible()
    assert tab.value.evaluate("opener !== null")
    assert refusing.cookies_in_frames() == []
    tab.value.close()
    assert page.frames


def test_a_frame_of_another_origin_is_told_nothing(refusing, teacher, storage):
    storage("elsewhere")

    page, frame = refusing.open_course("canvas", teacher.course, teacher.person)
    heading(frame, "Where should Waymark open?")

    impostor = page.frame(name="post_message_forwarding")
    assert impostor.url.startswith("http://localhost:")
    assert impostor.evaluate("heard") == []


def test_in_moodle_the_choice_comes_at_once_and_a_refusal_leaves_the_new_tab(refusing):
    place = people.learner(refusing.stage, "moodle")
    _, frame = refusing.open_course("moodle", place.course, place.person)

    frame.get_by_role("button", name="Continue here").click()
    frame.get_by_text("Your browser did not allow it").wait_for()
    focused = frame.evaluate("document.activeElement.textContent")
    with refusing.context.expect_page() as tab:
        frame.get_by_role("link", name="Open in a new tab").click()

    landed(tab.value, "me")
    assert focused == "Open in a new tab"
    assert not frame.get_by_role("button", name="Continue here").is_visible()
    tab.value.close()
    assert [one for one in refusing.complaints if "Permission denied" not in one] == []
    refusing.complaints.clear()


def test_what_the_browser_was_asked_for_in_vain_is_not_offered_again(refusing):
    place = people.learner(refusing.stage, "moodle")
    _, frame = refusing.open_course("moodle", place.course, place.person)
    tab = frame.get_by_role("link", name="Open in a new tab")
    tab.wait_for()

    frame.goto(f"{refusing.tool}{tab.get_attribute('href')}&storage_access=asked")
    tab.wait_for()

    assert not frame.get_by_role("button", name="Continue here").is_visible()


def test_without_cookies_and_scripts_a_new_tab_works(
    playwright, executable, stage, tmp_path, teacher
):
    folder = tmp_path / "plain"
    options = {"stage": stage, "kind": "refusing", "java_script_enabled": False}
    with opened(playwright, executable, folder, **options) as world:
        page, frame = world.open_course("canvas", teacher.course, teacher.person)
        page.get_by_role("button", name="Open the tool").click()
        with world.context.expect_page() as tab:
            frame.get_by_role("link", name="Open in a new tab").click()
        tab.value.get_by_role("button", name="Continue").click()

        landed(tab.value, "class")
        assert tab.value.locator("table.grid").is_visible()


def test_what_the_lms_has_forgotten_cannot_be_made_up_for(refusing, teacher, storage):
    storage("forgetful")

    _, frame = refusing.open_course("canvas", teacher.course, teacher.person)

    heading(frame, "Open Waymark in a new tab")
    assert frame.locator("table").count() == 0


def test_another_value_than_the_one_that_was_kept_opens_nothing(refusing, teacher, storage):
    storage("tampered")

    _, frame = refusing.open_course("canvas", teacher.course, teacher.person)

    heading(frame, "Waymark could not confirm this launch")
    assert re.search(r"Reference number: \w{8}", frame.locator("main").inner_text())
    assert [one for one in refusing.complaints if "401" not in one] == []
    refusing.complaints.clear()


@pytest.mark.parametrize("target", ["popup", "trap"])
def test_a_foreign_page_that_opens_a_launch_and_answers_itself_gets_nothing(
    refusing, teacher, target
):
    launch = _begun_by_an_attacker(refusing.stage, teacher)
    page_of_trap = _TRAP.format(
        action=f"{refusing.tool}/lti/launch",
        target=target,
        fields=_inputs(launch["fields"]),
        key=launch["key"],
        value=launch["value"],
    )
    with serving_on(free_port(), _always(page_of_trap)) as foreign:
        page = refusing.open(foreign)
        if target == "popup":
            with refusing.context.expect_page() as tab:
                page.get_by_role("button").click()
            victim = tab.value
            heading(victim, "Open Waymark in a new tab")
            assert "/l/" not in victim.url
            assert victim.evaluate("opener !== null")
            victim.close()
        else:
            page.get_by_role("button").click()
            page.wait_for_timeout(2500)
            assert page.frame(name="trap").url.startswith("chrome-error:")
            assert any(FRAME_REFUSED in one for one in refusing.complaints)
            refusing.complaints.clear()

        assert page.evaluate("asked") == []


def _begun_by_an_attacker(stage: Stage, place: people.Place) -> dict:
    """A login and its launch up to the form that goes to Waymark, made without a browser."""
    course = _fetched(f"{stage.canvas}/courses/{place.course}?user={place.person}")
    login = _fetched(*_form_of(course))
    kept = {
        name: html.unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', login)
    }
    _, fields = _form_of(_fetched(kept["address"]))
    return {"fields": fields, "key": kept["key"], "value": kept["value"]}


def _fetched(address: str, fields: dict[str, str] | None = None) -> str:
    data = urllib.parse.urlencode(fields).encode() if fields else None
    with urllib.request.urlopen(urllib.request.Request(address, data)) as reply:  # noqa: S310 - our own servers
        return reply.read().decode()


def _form_of(page: str) -> tuple[str, dict[str, str]]:
    action = re.search(r'<form[^>]*action="([^"]*)"', page).group(1)
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return html.unescape(action), {name: html.unescape(value) for name, value in pairs}


def _inputs(fields: dict[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )


def _always(page: str):
    def answer(_environ, start):
        start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]

    return answer
