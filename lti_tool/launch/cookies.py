"""One cookie for each login and each launch, so that launches side by side never meet.

Each holds a secret whose digest the server keeps; which cookie belongs to what is told by a hash
in its name. ``__Host-`` keeps other hosts from planting one, ``Partitioned`` lets browsers that
block third-party cookies keep it for this LMS alone.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from flask import Response

LOGIN_PREFIX = "__Host-waymark-login-"
LAUNCH_PREFIX = "__Host-waymark-"
ACCESS_PREFIX = "__Host-waymark-access-"
PROBE = "__Host-waymark-probe"
"""The one cookie that scripts may read: a browser that shows it keeps cookies here."""
KEEP = 8
"""How many cookies of a kind a browser keeps, the new one included."""

_HASH_LENGTH = 8
_MOST_DELETED = 64
_PROBE_SECONDS = 30 * 86_400
_ATTRIBUTES = "Path=/; Secure; SameSite=None; Partitioned"
_TOP_LEVEL = "Path=/; Secure; SameSite=Lax"


def new_secret(now: datetime, about: str = "") -> str:
    """A secret of 256 bits that also says when it was made, for pruning, and for which launch."""
    return f"{int(now.timestamp()):x}.{about}.{secrets.token_urlsafe(32)}"


def digest(secret: str) -> str:
    """What the server keeps of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret(secret: str, expected_digest: str) -> bool:
    """Whether a secret is the one whose digest was kept, in constant time."""
    return hmac.compare_digest(digest(secret), expected_digest)


def cookie_name(prefix: str, about: str) -> str:
    """The name of the cookie for a login's state or a launch's id."""
    return prefix + digest(about)[:_HASH_LENGTH]


def put(
    response: Response,
    sent: Mapping[str, str],
    *,
    name: str,
    secret: str,
    max_age_seconds: int,
) -> None:
    """Set a cookie and drop the oldest of its kind.

    Args:
        response: Gets the cookie.
        sent: The cookies the browser sent.
        name: From ``cookie_name``.
        secret: From ``new_secret``.
        max_age_seconds: How long it lives.
    """
    for old in _surplus(sent, name):
        _set(response, old, value="", max_age_seconds=0)
    _set(response, name, value=secret, max_age_seconds=max_age_seconds)


def put_top_level(response: Response, *, name: str, secret: str, max_age_seconds: int) -> None:
    """Set a cookie for a way that never leaves the browser's own window."""
    _add(response, f"{name}={secret}; Max-Age={max_age_seconds}; {_TOP_LEVEL}; HttpOnly")


def remove_top_level(response: Response, name: str) -> None:
    """Have the browser forget a cookie of ``put_top_level``."""
    put_top_level(response, name=name, secret="", max_age_seconds=0)


def put_probe(response: Response) -> None:
    """Set the cookie that tells scripts, and the next login, that cookies are kept."""
    _add(response, f"{PROBE}=1; Max-Age={_PROBE_SECONDS}; {_ATTRIBUTES}")


def remove(response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    _set(response, name, value="", max_age_seconds=0)


def launches_of(sent: Mapping[str, str]) -> Mapping[str, str]:
    """The launches that a browser holds keys to, as it says: id to secret, as many as are kept."""
    found = {}
    for name, value in sent.items():
        _, _, rest = value.partition(".")
        launch_id = rest.partition(".")[0]
        if launch_id and name == cookie_name(LAUNCH_PREFIX, launch_id):
            found[launch_id] = value
    return dict(list(found.items())[: 2 * KEEP])


def _surplus(sent: Mapping[str, str], name: str) -> list[str]:
    kind = re.compile(re.escape(name[:-_HASH_LENGTH]) + r"[0-9a-f]{8}")
    others = [one for one in sent if one != name and kind.fullmatch(one)]
    newest_first = sorted(others, key=lambda one: _made_at(sent[one]), reverse=True)
    return newest_first[KEEP - 1 :][:_MOST_DELETED]


def _made_at(secret: str) -> int:
    moment, _, _ = secret.partition(".")
    return int(moment, 16) if re.fullmatch(r"[0-9a-f]{1,12}", moment) else 0


def _set(response: Response, name: str, *, value: str, max_age_seconds: int) -> None:
    _add(response, f"{name}={value}; Max-Age={max_age_seconds}; {_ATTRIBUTES}; HttpOnly")


def _add(response: Response, cookie: str) -> None:
    # Written by hand: every name and value here is made of letters, digits and "-_.", and the
    # general way costs a tenth of a login.
    response.headers.add("Set-Cookie", cookie)
