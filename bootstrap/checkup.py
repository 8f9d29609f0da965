"""What can be checked of a platform without a browser, in an administrator's words.

Each check asks one thing and says what was found and, where something is wrong, what to do. The
LMS is asked anew each time: what was kept from an earlier answer would hide what changed since.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bootstrap.container import Container
from connectors.addresses import RESOLVE_SECONDS, Guard
from connectors.advantage import LINE_ITEM, LINE_ITEM_READ, RESULT_READ, SCORE
from connectors.canvas.rest import CanvasRest
from connectors.errors import ConnectorError, GiveUp, Gone, Unauthorized
from connectors.http import HttpClient, Reply, Request
from connectors.key_sets import LARGEST_BYTES, TOTAL_SECONDS
from connectors.limiter import UnpacedLimiter
from connectors.moodle.webservice import Webservice
from connectors.platform import PlatformAccess, PlatformKind
from mapping.records import Course, CourseState, PlatformId
from store import courses, deployments, registrations
from store.deployments import Deployment
from store.registrations import Platform
from store.secrets import SealBroken
from store.session import reading

SCOPES = (
    LINE_ITEM,
    LINE_ITEM_READ,
    RESULT_READ,
    SCORE,
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
)
"""Everything that Waymark asks of LTI Advantage."""
MOST_DIFFERENCE_SECONDS = 30.0
"""Between the clocks; Moodle's launches live 60 seconds."""

_ADDRESSES = "Addresses may be connected to"
_BITS = range(2048, 8193)
_PORTS = {"https": 443, "http": 80}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """The platform that is looked at, and a client that may ask its addresses."""

    container: Container
    platform: Platform
    access: PlatformAccess
    deployments: Sequence[Deployment]
    http: HttpClient


class _Person(msgspec.Struct):
    name: str = ""


class _Site(msgspec.Struct):
    fullname: str = ""
    username: str = ""
    release: str = ""


def check_platform(container: Container, platform_id: PlatformId) -> Iterator[Check]:
    """Look at a platform as far as that goes without a browser.

    Args:
        container: What to work with.
        platform_id: Which.

    Yields:
        One result after another, as they come; some take seconds.

    Raises:
        LookupError: There is no such platform.
    """  # noqa: DOC502 - raised by _subject()
    subject = _subject(container, platform_id)
    yield check_own_address(container)
    yield check_state(subject.platform)
    yield check_endpoints(subject.platform)
    yield _asked(_check_addresses, subject, _ADDRESSES)
    yield from _asked_key_set(subject)
    yield from _asked_service_token(subject)
    yield from _asked_roster(subject)
    yield _asked(_check_api_token, subject, "API token")
    yield check_deployments(subject.deployments)


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
        for name, url in _addresses(platform).items()
        if not _is_whole(url)
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


def _subject(container: Container, platform_id: PlatformId) -> _Subject:
    with reading(container.engine) as connection:
        platform = registrations.platform_of(connection, platform_id)
        known = deployments.deployments_of(connection, platform_id)
    if platform is None:
        raise LookupError(f"There is no platform {platform_id}.")
    http = HttpClient(
        platform=platform.name,
        addresses=(platform.api_url, platform.token_url, platform.jwks_url),
        limiter=UnpacedLimiter(),
        public_url=container.settings.public_url,
        private_networks=container.settings.private_networks,
    )
    return _Subject(
        container=container,
        platform=platform,
        access=_access(container, platform),
        deployments=known,
        http=http,
    )


def _access(container: Container, platform: Platform) -> PlatformAccess:
    token = ""
    # A token that cannot be opened is told as one that is not there.
    with suppress(SealBroken):
        token = registrations.api_token(platform, container.secrets)
    return PlatformAccess(
        name=platform.name,
        kind=PlatformKind(platform.kind),
        issuer=platform.issuer,
        client_id=platform.client_id,
        token_url=platform.token_url,
        api_url=platform.api_url,
        api_token=token,
        audience=platform.audience,
    )


def _addresses(platform: Platform) -> Mapping[str, str]:
    return {
        "login address": platform.auth_url,
        "token address": platform.token_url,
        "key set address": platform.jwks_url,
        "LMS address": platform.api_url,
    }


def _is_whole(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_web = parts.scheme in _PORTS and bool(parts.hostname)
    return is_web and has_port and not parts.fragment and "@" not in parts.netloc


def _asked(check: Callable[[_Subject], Check], subject: _Subject, name: str) -> Check:
    try:
        return check(subject)
    except ConnectorError as error:
        return Check(name=name, ok=False, advice=_said(error))


def _said(error: ConnectorError) -> str:
    # The connectors speak to whoever reads the summary of a night.
    return str(error).replace("; the next run tries again", "")


def _check_addresses(subject: _Subject) -> Check:
    guard = Guard(
        platform=subject.platform.name,
        private_networks=subject.container.settings.private_networks,
    )
    for name, url in _addresses(subject.platform).items():
        if _is_whole(url):
            _judge(guard, name, url)
    return Check(name=_ADDRESSES, ok=True)


def _judge(guard: Guard, name: str, url: str) -> None:
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    checked = guard.check(parts.scheme, parts.hostname or "", port=port, seconds=RESOLVE_SECONDS)
    if parts.scheme != "https" and not checked.is_allowed_network:
        raise GiveUp(
            f"The {name} begins with http: tokens and names would travel unprotected. Enter its "
            "https address.",
            cause="not_https",
        )


def _asked_key_set(subject: _Subject) -> Iterator[Check]:
    """The key set, and the clock of whoever sends it."""
    try:
        reply = _fetch_key_set(subject)
        document = reply.decode(dict[str, Any])
    except ConnectorError as error:
        yield Check(name="Key set", ok=False, advice=_said(error))
        return
    yield check_key_set(document)
    yield check_clock(reply.headers.get("Date", ""), subject.container.now())


def _fetch_key_set(subject: _Subject) -> Reply:
    return subject.http.send(
        Request(
            method="GET",
            url=subject.platform.jwks_url,
            read_seconds=TOTAL_SECONDS,
            total_seconds=TOTAL_SECONDS,
            most_bytes=LARGEST_BYTES,
        )
    )


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


def _asked_service_token(subject: _Subject) -> Iterator[Check]:
    """The token, and what it may be used for: an LMS grants less without calling it an error."""
    try:
        subject.container.fresh_tokens(subject.platform).get(subject.http, subject.access, SCOPES)
    except Unauthorized as error:
        if error.cause != "missing_scope":
            yield Check(name="Service token", ok=False, advice=_said(error))
            return
        yield Check(name="Service token", ok=True)
        yield Check(name="Rights", ok=False, advice=_said(error))
        return
    except ConnectorError as error:
        yield Check(name="Service token", ok=False, advice=_said(error))
        return
    is_pinned = subject.platform.pinned_kid is not None
    found = "signed with its pinned key" if is_pinned else "the LMS has Waymark's keys"
    yield Check(name="Service token", ok=True, found=found)
    yield Check(name="Rights", ok=True, found=f"all {len(SCOPES)} granted")


def _asked_roster(subject: _Subject) -> Iterator[Check]:
    """Who is in a course: the rights of a token are one thing, the service behind it another."""
    with reading(subject.container.engine) as connection:
        known = courses.courses_of(
            connection, subject.platform.tenant, platform=subject.platform.id
        )
    # LMSs answer for courses that go on; before the first night there is none to ask for.
    running = [one.record for one in known if one.record.state is CourseState.ACTIVE]
    if running:
        yield _asked(lambda _: _check_roster(subject, running[0]), subject, "Roster")


def _check_roster(subject: _Subject, course: Course) -> Check:
    count = len(list(subject.container.members(subject.platform.id, course.ref)))
    return Check(name="Roster", ok=True, found=f"{count} members of {course.title}")


def _check_api_token(subject: _Subject) -> Check:
    who = (
        _canvas_user if PlatformKind(subject.platform.kind) is PlatformKind.CANVAS else _moodle_user
    )
    return Check(name="API token", ok=True, found=who(subject.http, subject.access))


def _canvas_user(http: HttpClient, access: PlatformAccess) -> str:
    rest = CanvasRest(http, access)
    # What a night begins with: whoever may not do this can read nothing.
    next(iter(rest.pages("accounts/self/courses")))
    try:
        return rest.get("users/self", _Person).name
    except (Unauthorized, Gone):
        # A token limited to what nights need may not ask whose it is.
        return "may list the courses"


def _moodle_user(http: HttpClient, access: PlatformAccess) -> str:
    site = Webservice(http, access).call("core_webservice_get_site_info", {}, _Site)
    return f"{site.fullname or site.username}, Moodle {site.release}".strip(", ")
