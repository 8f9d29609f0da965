"""LTI Advantage: who is in a course (NRPS 2.0), read page by page.

A roster says less than a gradebook's own list: Moodle leaves out whoever is suspended and calls
a non-editing teacher a learner. It is for what only LTI knows: the ids of launches.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from connectors.bearer import BearerCalls, with_query
from connectors.http import HttpClient
from connectors.platform import PlatformAccess, PlatformKind
from connectors.tokens import ServiceTokens
from mapping.records import CourseRef

MEMBERSHIP_READ = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"

_MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_CUSTOM_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/custom"
_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_SHORT_ROLES = frozenset(
    {
        "Administrator",
        "ContentDeveloper",
        "Instructor",
        "Learner",
        "Manager",
        "Member",
        "Mentor",
        "Officer",
    }
)
_PAGE_SIZES = {PlatformKind.CANVAS: 50}
"""Canvas sends fifty at most; Moodle everything at once, and its filter is lost on page two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in a course. What the platform does not say, or says by an empty text, is None.

    Attributes:
        user_id: As launches name the person.
        roles: Full URIs; a word that LTI does not know stays as it came.
        sent_roles: As the platform wrote them.
        is_active: False where the platform says "Inactive" or "Deleted".
        status: Its word for that; "Active" where it has none.
        legacy_user_id: The person's id of LTI 1.1, where it differs.
        custom: Custom parameters of the resource link that was asked for.
        messages: All that the platform sends beside it for that link.
    """

    user_id: str
    roles: tuple[str, ...] = ()
    sent_roles: tuple[str, ...] = ()
    is_active: bool = True
    status: str = "Active"
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    picture: str | None = None
    sourced_id: str | None = None
    legacy_user_id: str | None = None
    custom: Mapping[str, object] = field(default_factory=dict)
    messages: tuple[Mapping[str, object], ...] = ()


class _Member(msgspec.Struct):
    user_id: str | int | None = None
    roles: list[str] | str | None = None
    status: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    picture: str | None = None
    lis_person_sourcedid: str | int | None = None
    lti11_legacy_user_id: str | int | None = None
    message: list[dict[str, object]] | dict[str, object] | None = None


class _Container(msgspec.Struct):
    members: list[_Member] = []


def roster_url(access: PlatformAccess, course: CourseRef) -> str:
    """Where a platform keeps a course's roster, as its launches name it.

    Args:
        access: The platform; Moodle's address holds the deployment.
        course: By the platform's own id.

    Source: Canvas, Names and Role API; Moodle 4.5, mod/lti/service/memberships.
    """
    if access.kind is PlatformKind.CANVAS:
        return f"{access.api_url}/api/lti/courses/{course}/names_and_roles"
    bindings = f"CourseSection/{course}/bindings/{access.deployment_ref}"
    return f"{access.api_url}/mod/lti/services.php/{bindings}/memberships"


class Rosters:
    """The rosters of one platform."""

    def __init__(self, http: HttpClient, tokens: ServiceTokens, *, access: PlatformAccess) -> None:
        """Take the platform.

        Args:
            http: The platform's client.
            tokens: Where bearer tokens come from.
            access: The platform.
        """
        self._calls = BearerCalls(http, tokens, access=access)

    def members(
        self,
        url: str,
        *,
        role: str | None = None,
        resource_link: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[Member]:
        """Everybody in a course, each once, a page at a time.

        Args:
            url: ``context_memberships_url`` of a launch; its query is kept.
            role: Full URI of a role; those who have it. The platform's own filter is not
                trusted alone: Moodle drops it on the second page.
            resource_link: Those who may see this link, with what is sent to it for them.
            page_size: Rows a page; None takes what suits the platform.

        Yields:
            Members in the platform's order. A page is asked for when the one before is used
            up, so the memory that is needed does not grow with the course, but for the ids.

        Source: LTI NRPS 2.0 section 3.
        """
        seen: set[str] = set()
        first = with_query(url, self._parameters(role, resource_link, page_size=page_size))
        for reply in self._calls.pages(first, MEMBERSHIP_READ, accept=_MEMBERS_TYPE):
            for payload in reply.decode(_Container).members:
                member = _member(payload)
                if member is None or member.user_id in seen:
                    continue
                seen.add(member.user_id)
                if role is None or role in member.roles:
                    yield member

    def _parameters(
        self, role: str | None, resource_link: str | None, *, page_size: int | None
    ) -> list[tuple[str, str]]:
        size = page_size or _PAGE_SIZES.get(self._calls.access.kind)
        named = {"role": role, "rlid": resource_link, "limit": None if size is None else str(size)}
        return [(name, value) for name, value in named.items() if value]


def full_role(role: str) -> str:
    """A role's full URI; Moodle sends short words.

    Source: LTI 1.3 core, appendix A.2.3: context roles may be named by their simple names.
    """
    return _ROLE + role if role in _SHORT_ROLES else role


def _member(payload: _Member) -> Member | None:
    """A member; None for one without an id, whom nothing could be said about."""
    user_id = _text(payload.user_id)
    if user_id is None:
        return None
    sent_roles = _roles(payload.roles)
    status = _text(payload.status) or "Active"
    messages = _messages(payload.message)
    return Member(
        user_id=user_id,
        roles=tuple(dict.fromkeys(full_role(role) for role in sent_roles)),
        sent_roles=sent_roles,
        is_active=status == "Active",
        status=status,
        name=_text(payload.name),
        given_name=_text(payload.given_name),
        family_name=_text(payload.family_name),
        email=_text(payload.email),
        picture=_text(payload.picture),
        sourced_id=_text(payload.lis_person_sourcedid),
        legacy_user_id=_text(payload.lti11_legacy_user_id),
        custom=_custom(messages),
        messages=messages,
    )


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value).strip() or None


def _roles(value: list[str] | str | None) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value or []
    return tuple(role for role in listed if role)


def _messages(
    value: list[dict[str, object]] | dict[str, object] | None,
) -> tuple[Mapping[str, object], ...]:
    if isinstance(value, dict):
        return (value,)
    return tuple(value or ())


def _custom(messages: tuple[Mapping[str, object], ...]) -> Mapping[str, object]:
    """Custom parameters, under the claim's name or the short one that Canvas uses."""
    found: dict[str, object] = {}
    for message in messages:
        for name in ("custom", _CUSTOM_CLAIM):
            value = message.get(name)
            if isinstance(value, dict):
                found.update(value)
    return found
