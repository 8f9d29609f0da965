"""From a proven launch to a session, and from a later request back to it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import SplitResult, quote

from flask import Request, Response

from lti_tool.guards import Capacity, Visit, capacities_of, course_of, person_of
from lti_tool.launch import cookies
from lti_tool.launch.claims import DEEP_LINKING_MESSAGE, origin_of
from lti_tool.launch.message import MessageLaunch
from lti_tool.launch.refusals import ProofRefused
from lti_tool.launch.services import Services
from lti_tool.launch.state import LONGEST_SESSION, LaunchRecord, ProofRecord, new_launch_id
from store import alignments, deployments, registrations
from store.registrations import Platform
from store.session import reading


class NoSession(Exception):  # noqa: N818 - named for what the person finds
    """This browser holds no key to this launch."""


class SessionEnded(Exception):  # noqa: N818 - named for what the person finds
    """The browser holds a key, but not, or no longer, to a launch."""


_BEARER = "Bearer "
# RFC 3986, 3.4, and the percent sign of what is encoded already.
_QUERY_CHARACTERS = "%=&+:/?@,;!$'()*~-._"
_CHOOSE = "choose"
_CLASS = "class"
_DESK = "desk"

# What a person with several capacities came for, the first one they have.
_LANDINGS = (
    (Capacity.TEACHER, _CLASS),
    (Capacity.GUARDIAN, "family"),
    (Capacity.ADMINISTRATOR, _DESK),
    (Capacity.LEARNER, "me"),
)


def open_session(
    launch: MessageLaunch, at: Services, *, sent_cookies: Mapping[str, str], state: str
) -> Response:
    """Remember a proven launch and send the browser to its page.

    Args:
        launch: Validated, and proven to be of this browser.
        at: The services.
        sent_cookies: What the browser sent.
        state: Of the login, whose cookie has done its work.

    Returns:
        A 303, so that reloading the page does not post the launch again.

    Raises:
        ProofRefused: The same launch was used at the same moment.
    """
    launch_id = new_launch_id()
    secret = cookies.new_secret(at.now(), launch_id)
    record = _record(launch, at, digest=cookies.digest(secret))
    if not at.launches.open(state, launch_id, record):
        raise ProofRefused("state_used")
    address = f"/l/{launch_id}/{_page(record, launch.claims.target, at)}"
    response = Response(status=HTTPStatus.SEE_OTHER, headers=[("Location", address)])
    cookies.remove(response, cookies.cookie_name(cookies.LOGIN_PREFIX, state))
    kept = _without_other_people(response, at, record=record, sent_cookies=sent_cookies)
    cookies.put(
        response,
        kept,
        name=cookies.cookie_name(cookies.LAUNCH_PREFIX, launch_id),
        secret=secret,
        max_age_seconds=int(LONGEST_SESSION.total_seconds()),
    )
    return response


def await_proof(launch: MessageLaunch, at: Services, *, state: str) -> str:
    """Remember a launch whose browser keeps no cookies, until it shows its secret.

    Args:
        launch: Validated; ``unproven`` says what is to be shown.
        at: The services.
        state: Of the login.

    Returns:
        The ticket to show it with.

    Raises:
        ProofRefused: The same launch was used at the same moment.
    """
    assert launch.unproven is not None  # noqa: S101 - the caller's question
    record = _record(launch, at, digest="")
    ticket = at.proofs.open(
        state,
        ProofRecord(
            launch=record,
            page=_page(record, launch.claims.target, at),
            storage_digest=launch.unproven.storage_digest,
        ),
    )
    if ticket is None:
        raise ProofRefused("state_used")
    return ticket


def open_proven_session(ticket: str, secret: str, at: Services) -> tuple[str, str]:
    """Open the session of a browser without cookies.

    Args:
        ticket: From ``await_proof``; used up by this, whatever the secret.
        secret: What the LMS kept for the browser that began the login.
        at: The services.

    Returns:
        The bearer that stands for the session's cookie, and the page to show.

    Raises:
        ProofRefused: The ticket is unknown or used, or the secret is not the one.
    """
    proof = at.proofs.take(ticket)
    if proof is None or not cookies.is_secret(secret, proof.storage_digest):
        raise ProofRefused("ticket_unknown" if proof is None else "storage_secret")
    launch_id = new_launch_id()
    bearer = cookies.new_secret(at.now(), launch_id)
    at.launches.save(launch_id, replace(proof.launch, browser_digest=cookies.digest(bearer)))
    return bearer, f"/l/{launch_id}/{proof.page}"


def _record(launch: MessageLaunch, at: Services, *, digest: str) -> LaunchRecord:
    claims, platform = launch.claims, launch.platform
    return LaunchRecord(
        tenant=platform.tenant,
        platform=platform.id,
        deployment=claims.deployment,
        subject=claims.subject,
        course=course_of(claims, platform),
        course_title=claims.context_title,
        person=person_of(claims, platform),
        name=claims.name,
        capacities=frozenset(one.value for one in capacities_of(claims, platform)),
        browser_digest=digest,
        created_at=at.now(),
        message=claims.message,
        focus=claims.focus,
        mentees=claims.mentees,
        review_of=claims.review_of,
        deep_linking=claims.deep_linking,
        lineitems_url=claims.lineitems_url,
        memberships_url=claims.memberships_url,
        locale=claims.locale,
        has_high_contrast=claims.has_high_contrast,
    )


def _without_other_people(
    response: Response, at: Services, *, record: LaunchRecord, sent_cookies: Mapping[str, str]
) -> Mapping[str, str]:
    """End what other people opened in this browser; the cookies that stay."""
    keys = cookies.launches_of(sent_cookies)
    found = at.launches.find_all(list(keys))
    theirs = [
        launch_id
        for launch_id, known in found.items()
        if not _is_same_person(known, record)
        and cookies.is_secret(keys[launch_id], known.browser_digest)
    ]
    at.launches.end(theirs)
    dropped = {
        cookies.cookie_name(cookies.LAUNCH_PREFIX, one)
        for one in keys
        if one in theirs or one not in found
    }
    for name in sorted(dropped):
        cookies.remove(response, name)
    return {name: value for name, value in sent_cookies.items() if name not in dropped}


def _is_same_person(one: LaunchRecord, other: LaunchRecord) -> bool:
    who = (one.platform, one.subject)
    return one.subject is not None and who == (other.platform, other.subject)


def landing(capacities: Collection[Capacity], message: str) -> str:
    """The page, below the launch's address, that a person came for."""
    if message == DEEP_LINKING_MESSAGE:
        return _CHOOSE
    return next((page for capacity, page in _LANDINGS if capacity in capacities), "welcome")


def _page(record: LaunchRecord, target: SplitResult, at: Services) -> str:
    capacities = [Capacity(name) for name in record.capacities]
    page = landing(capacities, record.message)
    if page == _CLASS and Capacity.ADMINISTRATOR in capacities and not _is_mapped(record, at):
        # Moodle's administrators open Waymark in a course, as its teachers do. Before a first
        # mapping no class has anything to show, and all there is to do is theirs.
        page = _DESK
    return page + _tail(target)


def _is_mapped(record: LaunchRecord, at: Services) -> bool:
    with reading(at.engine) as connection:
        return alignments.mapping_in_force(connection, record.tenant) is not None


def find_visit(launch_id: str, at: Services, request: Request) -> Visit:
    """The launch that a request belongs to.

    Args:
        launch_id: From the address.
        at: The services.
        request: With the session's cookie, or its bearer where cookies fail.

    Returns:
        The visit; its platform is active, its deployment approved, both still of its tenant.

    Raises:
        NoSession: The browser sent no key, so whether there is such a launch is not said.
        SessionEnded: The key does not fit, or no longer.
    """
    secret = request.cookies.get(cookies.cookie_name(cookies.LAUNCH_PREFIX, launch_id))
    secret = secret or _bearer(request)
    if not secret:
        raise NoSession
    record = at.launches.find(launch_id, at.now())
    if record is None or not cookies.is_secret(secret, record.browser_digest):
        raise SessionEnded
    with reading(at.engine) as connection:
        platform = registrations.platform_of(connection, record.platform)
        deployment = deployments.find_deployment(connection, record.platform, record.deployment)
        timezone = registrations.timezone_of(connection, record.tenant)
    if platform is None or not platform.is_active or platform.tenant != record.tenant:
        raise SessionEnded
    if deployment is None or not deployment.is_approved:
        raise SessionEnded
    return Visit(
        launch_id=launch_id,
        record=record,
        platform=platform,
        timezone=timezone,
        csrf=cookies.digest(f"csrf {secret}"),
    )


def _bearer(request: Request) -> str:
    sent = request.headers.get("Authorization", "")
    secret = sent.removeprefix(_BEARER)
    # A launch's own token is no key, and neither is anything else without our form.
    return secret if sent.startswith(_BEARER) and secret.isascii() else ""


def _tail(target: SplitResult) -> str:
    """The query and fragment of the link that was launched, which the redirect keeps."""
    query = f"?{quote(target.query, safe=_QUERY_CHARACTERS)}" if target.query else ""
    fragment = f"#{quote(target.fragment, safe=_QUERY_CHARACTERS)}" if target.fragment else ""
    return query + fragment


def frame_origins(platform: Platform) -> tuple[str, ...]:
    """Where pages for a platform may be framed: wherever it lives."""
    found = map(origin_of, (platform.issuer, platform.api_url, platform.auth_url))
    return tuple(dict.fromkeys(one for one in found if one.startswith(("https://", "http://"))))
