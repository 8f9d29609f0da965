"""A page worked by Tab, letters and Enter alone, its parts named as a style sheet names them."""

from playwright.sync_api import Frame, Page

from tests.browser.desk import Visit, reach


class Keys:
    """Somebody who has no mouse, on a page; in an LMS, on the page in its frame."""

    def __init__(self, page: Page, frame: Frame | None = None) -> None:
        self._visit = Visit(page=page, frame=frame or page.main_frame)

    def to(self, selector: str) -> None:
        """Press Tab until the first that is named so has the focus."""
        reach(self._visit, self._visit.frame.locator(selector).first)

    def write(self, selector: str, text: str) -> None:
        """Fill something in."""
        self.to(selector)
        self._visit.page.keyboard.type(text)

    def press(self, selector: str) -> None:
        """Press a button, or follow a link, and wait for the page that it leads to."""
        self.to(selector)
        with self._visit.frame.expect_navigation():
            self._visit.page.keyboard.press("Enter")
