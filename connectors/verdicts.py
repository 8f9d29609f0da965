"""What an answer means: fine, for later, or to be given up."""

import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import requests

from connectors.errors import ConnectorError, GiveUp, Gone, RetryLater, Unauthorized
from connectors.exchange import Reply, Request
from connectors.urls import redacted

LONGEST_RETRY_AFTER_SECONDS = 3600.0

_QUOTA = re.compile(r"-?\d{1,9}(\.\d{1,20})?")
# What stands in front of an LMS says these while a part of it restarts.
_HICCUPS = (
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


def refusal(request: Request, reply: Reply) -> ConnectorError:
    """The error that a status outside 2xx stands for.

    Args:
        request: What was asked.
        reply: The answer.

    Returns:
        An error whose message names the platform, the status and the redacted address.
    """
    what = f"{reply.platform} answered {reply.status} to {request.method} {redacted(reply.url)}"
    platform = reply.platform
    if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Unauthorized(
            f"{what}: Waymark's access is missing, expired, revoked or lacks a right. Renew the "
            "token or give its user the right.",
            cause="refused_access",
            platform=platform,
        )
    if reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return Gone(f"{what}: it is no longer there.", cause="not_found", platform=platform)
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        return GiveUp(
            f"{what}: it has moved. Enter the platform's present address.",
            cause="redirected",
            platform=platform,
        )
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in (
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
    ):
        is_closed = reply.status == HTTPStatus.SERVICE_UNAVAILABLE
        return RetryLater(
            f"{what}: it is in trouble or in maintenance; the next run tries again.",
            cause="maintenance" if is_closed else "server_error",
            platform=platform,
            after_seconds=retry_after_seconds(reply),
            is_hiccup=reply.status in _HICCUPS,
        )
    return GiveUp(
        f"{what}: it does not accept the request.", cause="refused_request", platform=platform
    )


def is_throttled(reply: Reply) -> bool:
    """Whether the LMS refused because of too many requests.

    Source: Canvas, throttling (older versions answer 403 with a sentence, newer ones 429).
    """
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return reply.status == HTTPStatus.FORBIDDEN and b"Rate Limit Exceeded" in reply.body


def retry_after_seconds(reply: Reply) -> float:
    """Seconds from 0 to an hour that ``Retry-After`` asks for; 0 where it does not.

    A date is compared with the answer's own ``Date``, so that no clock is needed.

    Source: RFC 9110 section 10.2.3.
    """
    text = reply.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,6}", text):
        seconds = float(text)
    else:
        seconds = _seconds_between(reply.headers.get("Date", ""), text)
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _seconds_between(earlier: str, later: str) -> float:
    try:
        return (parsedate_to_datetime(later) - parsedate_to_datetime(earlier)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def remaining_quota(reply: Reply) -> float | None:
    """What is left of the token's allowance; None where the answer does not say.

    Source: Canvas, throttling: ``X-Rate-Limit-Remaining``.
    """
    text = reply.headers.get("X-Rate-Limit-Remaining")
    if text is None or not _QUOTA.fullmatch(text):
        return None
    return float(text)


def failure(request: Request, error: Exception, platform: str) -> ConnectorError:
    """The error that a failed exchange stands for.

    Args:
        request: What was asked.
        error: What requests, urllib3 or the deadline raised. It is named, not chained: its text
            holds the address with its query.
        platform: The platform's name.

    Returns:
        An error whose message names the platform and the redacted address.
    """
    where = redacted(request.url)
    if isinstance(error, requests.exceptions.SSLError):
        return GiveUp(
            f"The certificate of {platform} cannot be trusted ({where}). Ask its "
            "administrator to renew it.",
            cause="certificate",
            platform=platform,
        )
    if isinstance(error, requests.Timeout):
        return late(request, platform)
    if isinstance(error, requests.ConnectionError):
        return _later(f"{platform} cannot be reached ({where})", "unreachable", platform)
    if isinstance(error, ValueError):
        return GiveUp(
            f"The request to {platform} cannot be sent ({where}): its address or token "
            "holds a character that does not belong there. Enter it anew.",
            cause="bad_request",
            platform=platform,
        )
    broke_off = f"The answer of {platform} broke off ({where}, {type(error).__name__})"
    return _later(broke_off, "broken_answer", platform)


def late(request: Request, platform: str) -> RetryLater:
    """The error of an exchange whose time was over."""
    message = f"{platform} did not answer in time ({redacted(request.url)})"
    return _later(message, "timeout", platform)


def _later(message: str, cause: str, platform: str) -> RetryLater:
    return RetryLater(
        f"{message}; the next run tries again.",
        cause=cause,
        platform=platform,
        is_hiccup=cause != "timeout",
    )
