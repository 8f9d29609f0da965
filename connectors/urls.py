"""Addresses as text: which site one belongs to, and how much of it may be shown."""

import re
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_SHOWN_PARAMETERS = frozenset({"page", "per_page", "type_id", "limit", "from", "wsfunction"})
# Parsers of addresses disagree about these, so one could be shown a site and ask another.
_AMBIGUOUS = re.compile(r"[\\\s\x00-\x1f\x7f]")
_PORTS = {"https": 443, "http": 80}


@lru_cache(maxsize=256)
def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in one spelling; empty where it is not surely one site."""
    if _AMBIGUOUS.search(url):
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    if not parts.hostname or port is None or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"


def redacted(url: str) -> str:
    """A URL that may be shown: no credentials, no query values but paging ones."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "(an unreadable address)"
    shown = [(name, value if name in _SHOWN_PARAMETERS else "***") for name, value in query]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(shown, safe="*:[]"), ""))
