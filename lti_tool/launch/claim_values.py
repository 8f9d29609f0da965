"""How single values of a token's JSON are read: strictly where required, gently where optional.

Nothing here knows what a claim means; that is in ``lti_tool.launch.claims``.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from lti_tool.launch.form import is_plain
from lti_tool.launch.refusals import ClaimsRefused

IDENTIFIER_LENGTH = 255
TEXT_LENGTH = 512
ADDRESS_LENGTH = 4096
_MOST_IDENTIFIERS = 50

# RFC 3986, 2: what an address may be written with; anything else has to be percent-encoded.
_ADDRESS = re.compile(r"https?://[\w.~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)


def identifier(value: object, name: str) -> str:
    """A required identifier.

    Args:
        value: As sent.
        name: For the log.

    Returns:
        A plain text of 1 to 255 characters.

    Raises:
        ClaimsRefused: It is something else.
    """
    if not isinstance(value, str) or not 0 < len(value) <= IDENTIFIER_LENGTH:
        raise ClaimsRefused(f"{name}_form")
    if not is_plain(value):
        raise ClaimsRefused(f"{name}_form")
    return value


def optional_identifier(value: object) -> str | None:
    """An identifier that may be absent; a wrong one is."""
    try:
        return identifier(value, "optional")
    except ClaimsRefused:
        return None


def identifiers(value: object) -> tuple[str, ...]:
    """Identifiers in a list, at most fifty; whatever else is in it counts as absent."""
    named = value[:_MOST_IDENTIFIERS] if isinstance(value, list) else []
    found = (optional_identifier(one) for one in named)
    return tuple(one for one in found if one is not None)


def object_of(value: object) -> Mapping[str, Any]:
    """A JSON object, empty where it is absent or something else."""
    return value if isinstance(value, dict) else {}


def required_object(value: object, name: str) -> Mapping[str, Any]:
    """A JSON object that must be there.

    Raises:
        ClaimsRefused: It is not.
    """
    if not isinstance(value, dict):
        raise ClaimsRefused(f"{name}_form")
    return value


def text(value: object) -> str:
    """A text for showing: shortened, and without what cannot be encoded."""
    if not isinstance(value, str):
        return ""
    return value[:TEXT_LENGTH].encode("utf-8", "replace").decode("utf-8").strip()


def opaque(value: object) -> str | None:
    """A text to be given back as it came; None where it is absent or cannot be given back."""
    if not isinstance(value, str):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def truth(value: object, *, default: bool) -> bool:
    """A boolean, also where an LMS writes it as a text."""
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else default


def address(value: object, origin: str) -> str:
    """An address of the LMS, empty where it is absent or not to be trusted.

    Args:
        value: As sent; every character that RFC 3986 does not name must be encoded.
        origin: Waymark's own. Where that is on this very machine, so may the LMS be, without TLS.

    Returns:
        The address: https, or http on this machine.
    """
    if not isinstance(value, str) or len(value) > ADDRESS_LENGTH or not _ADDRESS.fullmatch(value):
        return ""
    try:
        return value if _is_safe(value, origin) else ""
    except ValueError:
        return ""


def _is_safe(value: str, origin: str) -> bool:
    parts = urlsplit(value)
    if parts.username is not None or parts.password is not None or not parts.hostname:
        return False
    # Asked for its own sake: a port that is no number raises.
    is_reachable = parts.port != 0
    is_local = _is_loopback(parts.hostname) and _is_loopback(urlsplit(origin).hostname or "")
    return is_reachable and (parts.scheme == "https" or is_local)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
