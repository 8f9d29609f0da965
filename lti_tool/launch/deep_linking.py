"""Links to place: what a teacher chose, as a signed answer to the LMS that asked for it.

What may be chosen, and by whom, does not belong here.

Source: LTI Deep Linking 2.0, 3 and 4.5; contracts/canvas.md 5.8; contracts/moodle.md 3.9.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import quote

import jwt

from lti_tool.launch.claims import FOCUS_PARAMETER, LTI, VERSION, DeepLinkingSettings
from store.registrations import Platform
from store.tool_keys import ToolKey

MESSAGE = "LtiDeepLinkingResponse"
LINK_TYPE = "ltiResourceLink"
LIFE = timedelta(minutes=5)
# A second ahead of Moodle's clock is too late already.
BACKDATED = timedelta(seconds=5)
TITLE_LENGTH = 100
"""An activity's name is read in a list; both LMSs take 255 characters."""

_DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
_CANVAS = "canvas"
_ONE_ASSIGNMENT = "assignment_selection"
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A competency that was chosen; ``sentence`` is as a learner reads it."""

    identifier: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to be placed; ``maximum`` in scale points, None for one without a grade column."""

    about: Sequence[Chosen]
    maximum: float | None = None


class ColumnOffer(Enum):
    """Whether a placed link can have a grade column, and why not."""

    OFFERED = "offered"
    NOT_TAKEN = "not_taken"
    """The LMS says that it takes none with the link."""
    WOULD_COUNT = "would_count"
    """The LMS would make a column that counts, and leaves nobody the time to change that."""


def column_offer(settings: DeepLinkingSettings, platform: Platform) -> ColumnOffer:
    """Whether a grade column may be offered: only where a teacher can keep it from counting.

    Canvas shows a form before it saves the one assignment that was asked for; from elsewhere it
    makes a published assignment at once. In Moodle a number always counts in the course total.

    Source: contracts/passback.md; contracts/canvas.md 5.8; contracts/moodle.md 3.9.
    """
    if not settings.may_have_line_items:
        return ColumnOffer.NOT_TAKEN
    if platform.kind == _CANVAS and settings.placement == _ONE_ASSIGNMENT:
        return ColumnOffer.OFFERED
    return ColumnOffer.WOULD_COUNT


def content_item(link: Link, launch_url: str) -> dict[str, Any]:
    """A link as LTI writes it.

    Args:
        link: About one competency at least.
        launch_url: Where Waymark is launched.

    Returns:
        An object of type ``ltiResourceLink``, without members that say nothing.
    """
    identifiers = [one.identifier for one in link.about]
    title = title_of(link)
    item: dict[str, Any] = {
        "type": LINK_TYPE,
        "title": title,
        "text": "Waymark shows where each learner stands here, and on what evidence.",
        "url": launch_url,
        "custom": {FOCUS_PARAMETER: ",".join(quote(one, safe=":/") for one in identifiers)},
    }
    if link.maximum is not None:
        item["lineItem"] = {
            "label": title,
            "scoreMaximum": link.maximum,
            "resourceId": f"waymark:{_digest(identifiers)}",
            "tag": "waymark",
        }
    return item


def title_of(link: Link) -> str:
    """What a link is called: its first competency, shortened, and how many more there are."""
    first, more = link.about[0].sentence, len(link.about) - 1
    tail = f" (and {more} more)" if more else ""
    room = TITLE_LENGTH - len(tail)
    short = first if len(first) <= room else first[: room - 1].rstrip() + _ELLIPSIS
    return short + tail


def response_claims(
    settings: DeepLinkingSettings,
    platform: Platform,
    *,
    deployment: str,
    items: Sequence[Mapping[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """The claims of an answer.

    Args:
        settings: As the LMS asked.
        platform: Which asked.
        deployment: Within which installation.
        items: From ``content_item``; only the first is sent where the LMS takes one. None says
            that nothing is to be placed.
        now: Aware; the answer is valid from then on for five minutes.

    Returns:
        What is to be signed; a text for the person where there are no items.
    """
    claims: dict[str, Any] = {
        "iss": platform.client_id,
        "aud": platform.issuer,
        "iat": int((now - BACKDATED).timestamp()),
        "exp": int((now + LIFE).timestamp()),
        "nonce": secrets.token_urlsafe(32),
        LTI + "message_type": MESSAGE,
        LTI + "version": VERSION,
        LTI + "deployment_id": deployment,
        _DEEP_LINKING + "content_items": list(items if settings.is_multiple else items[:1]),
    }
    if settings.data is not None:
        claims[_DEEP_LINKING + "data"] = settings.data
    if not items:
        claims[_DEEP_LINKING + "errormsg"] = "Nothing was chosen in Waymark, so nothing is placed."
    return claims


def signed(claims: Mapping[str, Any], key: ToolKey) -> str:
    """An answer, signed with a key that the LMS can fetch (RS256)."""
    return jwt.encode(
        dict(claims), key.private_key, algorithm="RS256", headers={"kid": key.kid, "typ": "JWT"}
    )


def _digest(identifiers: Sequence[str]) -> str:
    """The same for the same competencies, in whatever order; short enough for every LMS."""
    return hashlib.sha256("\n".join(sorted(identifiers)).encode()).hexdigest()[:32]
