"""Making an LMS request into one of requests', with what stays the same worked out once."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import requests

from connectors.exchange import Request

# What these hold is sent as it is: a Canvas bookmark whose letters change is another page.
_PLAIN_URL = re.compile(r"https?://[a-z0-9.:-]+/[\w/.~:?@!$&'()*+,;=%-]*", re.ASCII)
_MOST_KNOWN = 32


class Preparation:
    """Prepares the requests of one client, which mostly differ in their address alone."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Take the headers of every request, which a request's own replace by name."""
        self._headers = headers
        self._known: dict[tuple[object, ...], requests.PreparedRequest] = {}

    def prepared(self, request: Request) -> requests.PreparedRequest:
        """The request as it will be sent; headers without a body are shared between requests.

        Raises:
            ValueError: An address or a header holds what does not belong there; requests' own.
        """  # noqa: DOC502 - raised by requests
        made = requests.PreparedRequest()
        made.method = request.method
        if not request.params and _PLAIN_URL.fullmatch(request.url):
            made.url = request.url
        else:
            made.prepare_url(request.url, list(request.params))
        headers = self._pattern(request).headers
        body = request.body if request.form is None else urlencode(request.form).encode()
        if body is None and request.method == "GET":
            made.headers = headers
            return made
        made.headers = headers.copy()
        made.headers["Content-Length"] = str(len(body or b""))
        if request.form is not None:
            made.headers["Content-Type"] = "application/x-www-form-urlencoded"
        made.body = body
        return made

    def _pattern(self, request: Request) -> requests.PreparedRequest:
        """A request with checked headers; those of a host are kept, for they say its name."""
        key = (urlsplit(request.url).netloc, *request.headers.items())
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = requests.PreparedRequest()
            known.prepare_headers({**self._headers, **request.headers})
            self._known[key] = known
        return known
