"""From a proven launch to a session, and from a later request back to it."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import cast
from urllib.parse import SplitResult, quote, urlsplit

from flask import Response, redirect

from lti_tool.guards import Capacity, Visit, capacities_of, course_of, person_of
from lti_tool.launch import cookies
from lti_tool.launch.message import MessageLaunch
from lti_tool.launch.services import Services
from lti_tool.launch.state import LAUNCH_SECONDS, LaunchRecord
from store import registrations
from store.session import reading


class NoSession(Exception):  # noqa: N818 - named for what the person finds
    """This browser holds no key to this launch."""


class SessionEnded(Exception):  # noqa: N818 - named for what the person finds
    """The browser holds a key, but not, or no longer, to a launch."""


# RFC 3986, 3.4, and the percent sign of what is encoded already.
_QUERY_CHARACTERS = "%=&+:/?@,;!$'()*~-._"

# What a person with several capacities came for, the first one they have.
_LANDINGS = (
    (Capacity.TEACHER, "class"),
    (Capacity.GUARDIAN, "family"),
    (Capacity.ADMINISTRATOR, "runs"),
    (Capacity.LEARNER, "me"),
)


def open_session(
    launch: MessageLaunch, at: Services, *, sent_cookies: Mapping[str, str], state: str
) -> Response:
    """Remember a proven launch and send the browser to its page.

    Args:
        launch: Validated.
        at: The services.
        sent_cookies: What the browser sent.
        state: Of the login, whose cookie has done its work.

    Returns:
        A 303, so that reloading the page does not post the launch again.
    """
    claims, platform = launch.claims, launch.platform
    secret = cookies.new_secret(at.now())
    capacities = capacities_of(claims, platform)
    launch_id = at.launches.save(
        LaunchRecord(
            tenant=platform.tenant,
            platform=platform.id,
            deployment=claims.deployment,
            course=course_of(claims, platform),
            course_title=claims.context_title,
            person=person_of(claims, platform),
            name=claims.name,
            capacities=frozenset(capacity.value for capacity in capacities),
            browser_digest=cookies.digest(secret),
            created_at=at.now(),
        )
    )
    address = f"/l/{launch_id}/{landing(capacities)}{_tail(claims.target)}"
    response = cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))
    cookies.remove(response, cookies.cookie_name(cookies.LOGIN_PREFIX, state))
    cookies.put(
        response,
        sent_cookies,
        name=cookies.cookie_name(cookies.LAUNCH_PREFIX, launch_id),
        secret=secret,
        max_age_seconds=LAUNCH_SECONDS,
    )
    return response


def landing(capacities: Collection[Capacity]) -> str:
    """The page, below the launch's address, that a person came for."""
    return next((page for capacity, page in _LANDINGS if capacity in capacities), "welcome")


def find_visit(launch_id: str, at: Services, sent: Mapping[str, str]) -> Visit:
    """The launch that a request belongs to.

    Args:
        launch_id: From the address.
        at: The services.
        sent: The cookies the browser sent.

    Returns:
        The visit; its platform is active, its deployment approved, both still of its tenant.

    Raises:
        NoSession: The browser sent no key, so whether there is such a launch is not said.
        SessionEnded: The key does not fit, or no longer.
    """
    secret = sent.get(cookies.cookie_name(cookies.LAUNCH_PREFIX, launch_id))
    if not secret:
        raise NoSession
    record = at.launches.find(launch_id)
    if record is None or not cookies.is_secret(secret, record.browser_digest):
        raise SessionEnded
    with reading(at.engine) as connection:
        platform = registrations.platform_of(connection, record.platform)
        deployment = registrations.find_deployment(connection, record.platform, record.deployment)
        timezone = registrations.timezone_of(connection, record.tenant)
    if platform is None or not platform.is_active or platform.tenant != record.tenant:
        raise SessionEnded
    if deployment is None or not deployment.is_approved:
        raise SessionEnded
    return Visit(launch_id=launch_id, record=record, platform=platform, timezone=timezone)


def _tail(target: SplitResult) -> str:
    """The query and fragment of the link that was launched, which the redirect keeps."""
    query = f"?{quote(target.query, safe=_QUERY_CHARACTERS)}" if target.query else ""
    fragment = f"#{quote(target.fragment, safe=_QUERY_CHARACTERS)}" if target.fragment else ""
    return query + fragment


def frame_origins(visit: Visit) -> tuple[str, ...]:
    """Where the pages of a visit may be framed: wherever its platform lives."""
    platform = visit.platform
    return tuple(
        dict.fromkeys(
            f"{parts.scheme}://{parts.netloc}"
            for parts in map(urlsplit, (platform.issuer, platform.api_url, platform.auth_url))
            if parts.scheme in {"https", "http"} and parts.netloc
        )
    )
