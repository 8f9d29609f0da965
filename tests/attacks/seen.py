"""What a person gets to see after a launch, and what of it could run."""

import re
from html.parser import HTMLParser


class Markup(HTMLParser):
    """What a browser would make of a page: its elements, and what of it could run."""

    def __init__(self, text):
        super().__init__()
        self.runs = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        is_inline = tag == "script" and not (given.get("src") or "").startswith("/static/")
        is_handler = any(name.startswith("on") for name in given)
        is_link = any((given.get(name) or "").startswith("javascript:") for name in ("href", "src"))
        if is_inline or is_handler or is_link or tag in {"img", "iframe", "object", "base"}:
            self.runs.append((tag, attrs))


def pages(browser, response):
    """The page that a launch leads to, and all of ours that it links to."""
    landing = browser.get(response.headers["Location"])
    below = set(re.findall(r'href="(/l/[^"#]+)"', landing.text))
    return [landing, *(browser.get(address) for address in sorted(below))]
