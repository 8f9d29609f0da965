"""A browser without scripts: walks links and forms over real sockets, as a person would."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit


class _Reader(HTMLParser):
    """Collects a page's forms, frames and links."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.frames: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            action, method = found.get("action", ""), found.get("method", "get")
            self.forms.append({"action": action, "method": method, "fields": {}})
        elif tag == "input" and self.forms and found.get("name"):
            self.forms[-1]["fields"][found["name"]] = found.get("value", "")
        elif tag == "iframe" and found.get("src"):
            self.frames.append(found["src"])
        elif tag == "a" and found.get("href"):
            self.links.append(found["href"])


@dataclass
class Page:
    """What an address answered, after redirects."""

    url: str
    status: int
    headers: Any
    text: str

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.text)
        self.forms, self.frames, self.links = reader.forms, reader.frames, reader.links

    def form(self, part: str) -> dict[str, Any]:
        return next(form for form in self.forms if part in form["action"])


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments):
        return None


@dataclass
class Walker:
    """Keeps cookies by host and port, also those that only a secure site may set."""

    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def get(self, url: str) -> Page:
        return self._ask(url)

    def submit(self, page: Page, form: dict[str, Any], **changes: str) -> Page:
        fields = {**form["fields"], **changes}
        action = urljoin(page.url, form["action"])
        if form["method"].lower() != "post":
            return self._ask(f"{action}?{urlencode(fields)}", page)
        return self._ask(action, page, urlencode(fields).encode())

    def _ask(self, url: str, page: Page | None = None, body: bytes | None = None) -> Page:
        for _ in range(10):
            answer = self._once(url, page, body)
            self.seen.append(url)
            if answer.status not in (302, 303):
                return answer
            url, body = urljoin(url, answer.headers["Location"]), None
        raise AssertionError("redirected for ever")

    def _once(self, url: str, page: Page | None, body: bytes | None) -> Page:
        request = urllib.request.Request(url, body, self._headers(url, page))  # noqa: S310 - our own servers
        try:
            reply = urllib.request.build_opener(_NoRedirects).open(request)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            for header in reply.headers.get_all("Set-Cookie", []):
                jar = self.cookies.setdefault(urlsplit(url).netloc, {})
                name, _, value = header.partition(";")[0].partition("=")
                jar[name] = value
            return Page(
                url=url, status=reply.status, headers=reply.headers, text=reply.read().decode()
            )

    def _headers(self, url: str, page: Page | None) -> dict[str, str]:
        jar = self.cookies.get(urlsplit(url).netloc, {})
        headers = {"User-Agent": "a browser", "Sec-Fetch-Site": "none"}
        if page is not None:
            is_same = urlsplit(page.url).netloc == urlsplit(url).netloc
            headers["Sec-Fetch-Site"] = "same-origin" if is_same else "cross-site"
            # Waymark's pages send no referrer, so browsers withhold the origin as well.
            headers["Origin"] = "null"
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        return headers


def launched(walker: Walker, page: Page) -> Page:
    """Go through a launch from the page with the login form to Waymark's own page."""
    login = walker.submit(page, page.form("/lti/login"))
    if "ladder.js" in login.text:
        # Its script would find that cookies are kept, and go on.
        login = walker.submit(page, page.form("/lti/login"))
    if "id_token" not in login.text:
        return login
    return walker.submit(login, login.form("/lti/launch"))
