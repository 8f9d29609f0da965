"""Browsers set up as people set them up: by the browser's own settings, never by a patched page.

``blocking`` refuses third-party cookies, as incognito windows and managed browsers do; Chromium
still keeps partitioned ones. ``refusing`` has a site exception that refuses every cookie of
Waymark's host inside pages of the LMS's host, partitioned ones too, and none elsewhere.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Page, Playwright

from tests.browser.processes import CHROMIUM_ARGS
from tests.stories.stage import Stage

_BLOCK = 2
_PATIENCE_MILLISECONDS = 15_000
_SETTINGS = {
    "blocking": {"cookie_controls_mode": 1},
    "refusing": {
        "content_settings": {
            "exceptions": {"cookies": {"http://localhost,http://127.0.0.1": {"setting": _BLOCK}}}
        }
    },
}
WORLDS = tuple(_SETTINGS)

# Looks on only: which messages a window got, and from where.
_LISTEN = """
window.heard = [];
window.addEventListener("message", ({ data, origin }) => heard.push([data?.subject, origin]));
"""


@dataclass
class World:
    """One browser, its pages, and what its console said in red."""

    stage: Stage
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    @property
    def tool(self) -> str:
        return self.stage.container.settings.public_url

    def open(self, address: str) -> Page:
        page = self.context.new_page()
        page.goto(address)
        return page

    def open_course(self, lms: str, course: int, person: int) -> tuple[Page, Frame]:
        """A course with Waymark's frame in it."""
        path = {"canvas": "courses", "moodle": "course"}[lms]
        page = self.open(f"{self.stage.lms(lms)}/{path}/{course}?user={person}")
        return page, frame_of(page)

    def cookies_in_frames(self) -> list[str]:
        """The names of Waymark's cookies that belong to a frame in another site's page."""
        tool = urlsplit(self.tool)
        return [
            one["name"]
            for one in self.context.cookies()
            if one["domain"] == tool.hostname and "127.0.0.1" in str(one.get("partitionKey", ""))
        ]


def frame_of(page: Page) -> Frame:
    """The frame that an LMS made for its tool."""
    element = page.wait_for_selector(
        "iframe[title='Tool'], iframe[title^='Waymark']", state="attached"
    )
    frame = element and element.content_frame()
    assert frame
    return frame


def landed(frame: Frame | Page, page: str = "") -> str:
    """Wait until a page of a visit is shown; its address."""
    frame.wait_for_url(re.compile(rf"/l/[0-9a-f]{{32}}/{page}"))
    frame.wait_for_selector("main h1:not([data-part] h1)")
    return frame.url


def heading(frame: Frame | Page, text: str) -> None:
    """Wait for a heading, whatever way the page came."""
    frame.locator("main h1", has_text=text).filter(visible=True).wait_for()


@contextmanager
def opened(
    playwright: Playwright, executable: str, folder: Path, *, stage: Stage, kind: str, **options
) -> Iterator[World]:
    profile = folder / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(json.dumps({"profile": _SETTINGS[kind]}))
    context = playwright.chromium.launch_persistent_context(
        str(folder), executable_path=executable, args=list(CHROMIUM_ARGS), **options
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    context.add_init_script(_LISTEN)
    world = World(stage=stage, context=context)

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            world.complaints.append(message.text)

    context.on("console", hear)
    context.on("weberror", lambda error: world.complaints.append(str(error.error)))
    yield world
    context.close()
