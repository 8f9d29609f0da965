"""The address of an LMS, out of whatever a person copies from the browser."""

import re
from urllib.parse import urlsplit

_LONGEST = 255
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# A Moodle may live in a folder; these are Moodle's own.
_MOODLES_OWN = re.compile(
    r"/(admin|auth|backup|blocks|calendar|course|enrol|grade|login|message|mod|my|question|report|"
    r"tag|user|webservice)(/.*)?$|/[^/]*\.php.*$"
)


def lms_address(kind: str, text: str) -> str | None:
    """Where an LMS lives.

    Args:
        kind: ``canvas`` or ``moodle``.
        text: An address of the LMS, of any page of it, with or without ``https://``.

    Returns:
        Without a slash at the end; None where it is no web address.
    """
    text = text.strip()
    if not _SCHEME.match(text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    is_web = parts.scheme.lower() in {"http", "https"} and host and _is_host(host)
    if not is_web or parts.username or parts.password or len(text) > _LONGEST:
        return None
    name = f"[{host}]" if host and ":" in host else host
    site = f"{parts.scheme.lower()}://{name}" + ("" if port is None else f":{port}")
    if kind == "canvas":
        return site
    return site + _MOODLES_OWN.sub("", parts.path).rstrip("/")


def _is_host(host: str) -> bool:
    is_name = host.isascii() and not re.search(r"[^a-z0-9.:-]", host)
    return is_name and ("." in host or ":" in host or host == "localhost")
