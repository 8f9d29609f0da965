"""A browser without scripts: it follows redirects, keeps cookies and sends the forms it is shown.

It keeps secure cookies for the loopback address too, as browsers do.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

_MOST_REDIRECTS = 10
_REMOVED = re.compile(r"max-age=0\b", re.IGNORECASE)


@dataclass
class Form:
    """A form as it stands on a page, with what it would send."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)

    def with_fields(self, *more):
        return Form(self.action, self.method, [*self.fields, *more], self.boxes)


@dataclass
class Page:
    """An answer, where it came from, and its forms."""

    url: str
    status: int
    text: str
    headers: dict[str, str]
    forms: list[Form]

    @property
    def path(self):
        return urlsplit(self.url).path


class Visitor:
    """One browser, with cookies for each host and port."""

    def __init__(self):
        self._session = requests.Session()
        self._session.trust_env = False
        self._cookies = {}

    def open(self, url):
        return self._follow(self._ask("GET", url))

    def send(self, form):
        return self._follow(self._ask(form.method, form.action, form.fields))

    def close(self):
        self._session.close()

    def _follow(self, page):
        for _ in range(_MOST_REDIRECTS):
            if "location" not in page.headers:
                return page
            page = self._ask("GET", urljoin(page.url, page.headers["location"]))
        raise AssertionError("redirected without end")

    def _ask(self, method, url, fields=None):
        kept = self._cookies.setdefault(urlsplit(url).netloc, {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
        is_form = method == "POST"
        response = self._session.request(
            method,
            url,
            data=fields if is_form else None,
            params=None if is_form else fields,
            headers=headers if kept else {},
            allow_redirects=False,
            timeout=30,
        )
        self._session.cookies.clear()
        for line in response.raw.headers.getlist("Set-Cookie"):
            _keep(kept, line)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Page(url, response.status_code, response.text, headers, _forms(url, response.text))


def _keep(kept, line):
    name, _, value = line.partition(";")[0].partition("=")
    if _REMOVED.search(line):
        kept.pop(name, None)
    else:
        kept[name] = value


def _forms(url, text):
    reader = _FormReader(url)
    reader.feed(text)
    return reader.forms


class _FormReader(HTMLParser):
    def __init__(self, url):
        super().__init__()
        self.forms = []
        self._url = url

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._url, given.get("action") or self._url)
            self.forms.append(Form(action, given.get("method", "get").upper()))
        elif tag == "input" and self.forms and "name" in given:
            named = (given["name"], given.get("value", ""))
            is_box = given.get("type") in {"checkbox", "radio"}
            is_sent = not is_box or "checked" in given
            if is_box:
                self.forms[-1].boxes.append(named)
            if is_sent and given.get("type") != "submit":
                self.forms[-1].fields.append(named)
