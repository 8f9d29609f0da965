"""Somebody at a screen: opens an LMS, launches Waymark in its frame, and looks."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, Locator, Page

from tests.stories.stage import Stage

_PATIENCE_MILLISECONDS = 15_000
_REACHABLE = """() => {
  const all = [...document.querySelectorAll(
    "a[href], summary, button, input, select, textarea, [tabindex='0']")];
  const seen = all.filter((one) => one.checkVisibility());
  seen.forEach((one, index) => one.setAttribute("data-at", index));
  return seen.length;
}"""
_FOCUSED = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  // The button within a date field has the focus alone; the field around it shows that.
  const isShown = one.matches(":focus-visible, [type=date]:focus-within")
    && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
    && box.right > 0 && box.bottom > 0;
  return [one.getAttribute("data-at"), isShown ? "" : one.outerHTML];
}"""

_CALLED = """() => {
  const one = document.activeElement;
  const words = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent;
  return words.trim().replace(/\\s+/g, " ");
}"""
_MOST_TABS = 150


@dataclass(frozen=True)
class Visit:
    """A launched Waymark: the LMS's page, and the frame in it that Waymark is in."""

    page: Page
    frame: Frame

    @property
    def base(self) -> str:
        return "/".join(self.frame.url.split("/")[:5])

    def text(self) -> str:
        """All that the page says, also what is folded away."""
        return re.sub(r"\s+", " ", self.frame.locator("main").text_content() or "")

    def heading(self) -> str:
        return self.frame.locator("h1").inner_text()

    def go(self, path: str) -> None:
        self.frame.goto(f"{self.base}/{path}")

    def click(self, selector: str, *, to: str) -> None:
        """Follow a link and wait for its page."""
        self.frame.locator(selector).first.click()
        self.frame.wait_for_url(re.compile(re.escape(self.base + "/") + to))


class Desk:
    """One browser with its own cookies; ``complaints`` are what its console said in red."""

    def __init__(self, chromium: Browser, stage: Stage, size: tuple[int, int]) -> None:
        self.stage = stage
        self.complaints: list[str] = []
        self._chromium = chromium
        self._size = size
        self._contexts: list[BrowserContext] = []
        self._context = self._new_context(has_scripts=True)
        self._plain: BrowserContext | None = None
        self._launched: dict[str, tuple[Visit, str]] = {}

    def once(self, who: str, launch: "Callable[[Desk], Visit]", *, locale: str = "en") -> Visit:
        """Somebody's launch in a browser of their own, made once; then back where it landed."""
        if who not in self._launched:
            self._context = self._new_context(has_scripts=True, locale=locale)
            visit = launch(self)
            self._launched[who] = visit, visit.frame.url
        visit, landing = self._launched[who]
        visit.frame.goto(landing)
        visit.page.bring_to_front()
        return visit

    def at(self, address: str) -> Visit:
        """Whatever page of an LMS launches Waymark."""
        return self._launch(address)

    def canvas(self, course: int, person: int) -> Visit:
        return self._launch(f"{self.stage.canvas}/courses/{course}?user={person}")

    def canvas_account(self, school: int, person: int) -> Visit:
        return self._launch(f"{self.stage.canvas}/accounts/{school}?user={person}")

    def moodle(self, course: int, person: int) -> Visit:
        return self._launch(f"{self.stage.moodle}/course/{course}?user={person}")

    def without_scripts(self, visit: Visit) -> Page:
        """The page of a visit by itself, in a browser that runs no script."""
        self._plain = self._plain or self._new_context(has_scripts=False)
        # The cookies belong to the frame within the LMS; on its own the page needs them whole.
        self._plain.add_cookies(
            [
                {name: one[name] for name in ("name", "value", "domain", "path", "secure")}
                | {"sameSite": "None", "httpOnly": True}
                for one in visit.page.context.cookies()
            ]
        )
        page = self._plain.new_page()
        page.goto(visit.frame.url)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _launch(self, address: str) -> Visit:
        page = self._context.new_page()
        base = f"{self.stage.container.settings.public_url}/l/"
        with page.expect_event(
            "framenavigated", lambda frame: frame.url.startswith(base)
        ) as landed:
            page.goto(address)
        frame = landed.value
        frame.wait_for_load_state()
        assert urlsplit(frame.url).hostname != urlsplit(page.url).hostname
        return Visit(page=page, frame=frame)

    def _new_context(self, *, has_scripts: bool, locale: str = "en") -> BrowserContext:
        width, height = self._size
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=has_scripts,
            locale=locale,
        )
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._contexts.append(context)
        return context

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


def overflow(frame: Frame) -> int:
    """How many pixels a page is wider than its frame."""
    return frame.evaluate("document.documentElement.scrollWidth - innerWidth")


def reach(visit: Visit, aim: Locator) -> None:
    """Come to something by Tab alone."""
    for _ in range(200):
        if aim.evaluate("one => one === document.activeElement"):
            return
        visit.page.keyboard.press("Tab")
    raise AssertionError("It cannot be reached by Tab.")


def press(visit: Visit, name: str, role: Literal["link", "button"] = "link") -> None:
    """Come to something by Tab alone and press Enter on it; waits for its page."""
    reach(visit, visit.frame.get_by_role(role, name=name).first)
    with visit.frame.expect_navigation():
        visit.page.keyboard.press("Enter")


def walk_by_tab(visit: Visit) -> tuple[int, list[int], list[str]]:
    """Press Tab through the frame, from the LMS's page and out again.

    Returns:
        How many things there are to reach, which were reached in order, and the text of those
        that showed no focus.
    """
    count = visit.frame.evaluate(_REACHABLE)
    reached: list[int] = []
    faint: list[str] = []
    for _ in range(count + 30):
        visit.page.keyboard.press("Tab")
        at, unseen = visit.frame.evaluate(_FOCUSED)
        if at is None and reached:
            break
        if at is not None:
            reached.append(int(at))
            faint += filter(None, [unseen])
    return count, reached, faint


def tab_to(visit: Visit, name: str) -> None:
    """Press Tab until what is called so has the focus: by its label, or by its own words."""
    for _ in range(_MOST_TABS):
        visit.page.keyboard.press("Tab")
        if visit.frame.evaluate(_CALLED).startswith(name):
            return
    raise AssertionError(f"no Tab comes to {name}")


def go_by_enter(visit: Visit) -> None:
    """Press Enter and wait for the page that comes of it."""
    with visit.frame.expect_navigation():
        visit.page.keyboard.press("Enter")
