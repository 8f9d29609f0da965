"""What can be told of a platform from what is known of it, in an administrator's words."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from bootstrap.container import Container
from store.deployments import Deployment
from store.registrations import Platform

MOST_DIFFERENCE_SECONDS = 30.0
"""Between the clocks; Moodle's launches live 60 seconds."""
_BITS = range(2048, 8193)
PORTS = {"https": 443, "http": 80}
_HOSTED_HOST = "sso.canvaslms.com"
_HOSTED_ISSUER = "https://canvas.instructure.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What came of one check.

    Attributes:
        name: What was checked.
        ok: Whether launches and nights can work with it.
        advice: What to do; a warning where ``ok``, empty where all is well.
        found: What was seen, where that is worth telling.
    """

    name: str
    ok: bool
    advice: str = ""
    found: str = ""


def check_own_address(container: Container) -> Check:
    """Whether LMSs and browsers can use Waymark's own address."""
    url = container.settings.public_url
    if url.startswith("https://"):
        return Check(name="Waymark's address", ok=True, found=url)
    return Check(
        name="Waymark's address",
        ok=True,
        found=url,
        advice=(
            "It is not https, which will do on this machine only: browsers keep no session of "
            "Waymark in a frame, and no LMS elsewhere can fetch its keys. Set WAYMARK_PUBLIC_URL."
        ),
    )


def check_state(platform: Platform) -> Check:
    """Whether the registration may be used."""
    advice = {
        "active": "",
        "suspended": f"Launches are refused. To let them in again: waymark platform resume "
        f'"{platform.name}"',
        "pending": f"It was registered and waits for you. Compare it with the LMS, then: waymark "
        f'platform approve "{platform.name}"',
    }[platform.state]
    return Check(name="Registration", ok=not advice, found=platform.state, advice=advice)


def check_endpoints(platform: Platform) -> Check:
    """Whether the addresses of logins and tokens are complete, and fit one another."""
    problems = [
        f"The {name} ({url or 'none'}) is not a whole web address."
        for name, url in addresses_of(platform).items()
        if not is_whole(url)
    ]
    if platform.issuer.endswith("/"):
        problems.append("The issuer ends with a slash; Canvas and Moodle write theirs without one.")
    host = urlsplit(platform.token_url).hostname if not problems else ""
    if host == _HOSTED_HOST and platform.issuer != _HOSTED_ISSUER:
        problems.append(
            f"For every Canvas that Instructure hosts the issuer is {_HOSTED_ISSUER}, not the "
            "school's own address."
        )
    return Check(name="Login and token addresses", ok=not problems, advice=" ".join(problems))


def check_key_set(document: Mapping[str, Any]) -> Check:
    """Whether a platform's key set holds a key that launches can be checked with."""
    entries = document.get("keys")
    usable = [e for e in entries if _is_usable(e)] if isinstance(entries, list) else []
    if usable:
        return Check(name="Key set", ok=True, found=f"{len(usable)} usable")
    return Check(
        name="Key set",
        ok=False,
        advice=(
            "It answers, but holds no RSA key of 2,048 bits or more for RS256 signatures. Check "
            "that the key set address is the platform's own and not another tool's."
        ),
    )


def check_clock(reply_date: str, now: datetime) -> Check:
    """Whether the platform's clock and ours agree.

    Args:
        reply_date: Its ``Date`` header.
        now: Our clock when the answer came.

    Returns:
        A warning beyond 30 seconds.
    """
    try:
        difference = (parsedate_to_datetime(reply_date) - now).total_seconds()
    except (TypeError, ValueError):
        return Check(name="Clocks", ok=True, found="the platform does not tell its time")
    found = f"{abs(difference):.0f} s apart"
    if abs(difference) <= MOST_DIFFERENCE_SECONDS:
        return Check(name="Clocks", ok=True, found=found)
    which = "ahead of" if difference > 0 else "behind"
    return Check(
        name="Clocks",
        ok=True,
        found=found,
        advice=(
            f"The platform's clock is {which} Waymark's. Moodle's launches live for a minute "
            "only: beyond that all are refused. Set both clocks by a time server."
        ),
    )


def check_deployments(known: Sequence[Deployment]) -> Check:
    """Whether an installation of Waymark may launch, and whether others wait."""
    waiting = [one.ref for one in known if not one.is_approved]
    approved = len(known) - len(waiting)
    advice = ""
    if waiting:
        advice = f"{len(waiting)} wait for you: waymark platform approve (first: {waiting[0]})."
    elif not approved:
        advice = (
            "None is known. Open Waymark once from the LMS: the launch is refused, and its "
            "deployment then waits here for waymark platform approve."
        )
    found = f"{approved} approved, {len(waiting)} waiting"
    return Check(name="Deployments", ok=approved > 0, found=found, advice=advice)


def addresses_of(platform: Platform) -> Mapping[str, str]:
    """The addresses of a platform by what they are for."""
    return {
        "login address": platform.auth_url,
        "token address": platform.token_url,
        "key set address": platform.jwks_url,
        "LMS address": platform.api_url,
    }


def is_whole(url: str) -> bool:
    """Whether an address names a web server and nobody's name."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_web = parts.scheme in PORTS and bool(parts.hostname)
    return is_web and has_port and not parts.fragment and "@" not in parts.netloc


def _is_usable(entry: object) -> bool:
    if not isinstance(entry, Mapping) or entry.get("kty") != "RSA":
        return False
    if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return False
    modulus = entry.get("n")
    return isinstance(modulus, str) and _bits(modulus) in _BITS


def _bits(number: str) -> int:
    """The length of a number as RFC 7518 section 2 writes it; 0 where it is none."""
    try:
        data = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    except ValueError:
        return 0
    return int.from_bytes(data, "big").bit_length()
