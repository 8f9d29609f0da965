"""What can be checked of a platform without a browser, in an administrator's words.

Each check asks one thing and says what was found and, where something is wrong, what to do. The
LMS is asked anew each time: what was kept from an earlier answer would hide what changed since.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bootstrap.access import user_tokens
from bootstrap.checks import (
    PORTS,
    Check,
    addresses_of,
    check_clock,
    check_deployments,
    check_endpoints,
    check_key_set,
    check_own_address,
    check_state,
    is_whole,
)
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
_ADDRESSES = "Addresses may be connected to"


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
    yield from _asked_service_user(subject)
    yield check_deployments(subject.deployments)


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
    token, authorized = "", None
    # A token that cannot be opened is told as one that is not there.
    with suppress(SealBroken):
        token = registrations.api_token(platform, container.secrets)
    with suppress(SealBroken):
        authorized = user_tokens(container, platform)
    return PlatformAccess(
        name=platform.name,
        kind=PlatformKind(platform.kind),
        issuer=platform.issuer,
        client_id=platform.client_id,
        token_url=platform.token_url,
        api_url=platform.api_url,
        api_token=token,
        audience=platform.audience,
        user_tokens=authorized,
    )


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
    for name, url in addresses_of(subject.platform).items():
        if is_whole(url):
            _judge(guard, name, url)
    return Check(name=_ADDRESSES, ok=True)


def _judge(guard: Guard, name: str, url: str) -> None:
    parts = urlsplit(url)
    port = parts.port or PORTS[parts.scheme]
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


def _asked_service_user(subject: _Subject) -> Iterator[Check]:
    """The API token, then what its user sees and may do."""
    token = _asked(_check_api_token, subject, "API token")
    yield token
    if not token.ok:
        return
    try:
        findings = subject.container.gradebook(subject.platform.id).self_check()
    except ConnectorError as error:
        yield Check(name="What the service user sees", ok=False, advice=_said(error))
        return
    for one in findings:
        yield Check(name=one.name, ok=one.is_fine, advice=one.advice, found=one.found)


def _check_api_token(subject: _Subject) -> Check:
    who = (
        _canvas_user if PlatformKind(subject.platform.kind) is PlatformKind.CANVAS else _moodle_user
    )
    found = who(subject.http, subject.access)
    given = subject.platform.api_access
    if given.authorized_at is not None:
        found = f"{found}, authorised by {given.user} on {given.authorized_at:%Y-%m-%d}"
    return Check(name="API token", ok=True, found=found)


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
