"""What the server remembers of logins and launches: one record each, in Redis, for a while.

A login's record binds state, nonce, platform and browser. What comes of it, a session or a proof
that is still wanted, takes its place in one atomic step, after the signature was found good: of
two equal launches one succeeds. Nothing is stored for a request that proved nothing.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from bootstrap.container import REGISTRATIONS_KEY
from lti_tool.launch.claims import DeepLinkingSettings
from lti_tool.launch.cookies import digest
from mapping.records import CourseRef, LearnerRef, PlatformId, TenantId

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

LOGIN_SECONDS = 600
IDLE_SECONDS = 2 * 3600
"""How long a session lives without a request."""
LONGEST_SESSION = timedelta(hours=12)
PROOF_SECONDS = 120
"""How long a browser without cookies has to show its secret."""
_LOGIN_KEY = "waymark:login:"
_LAUNCH_KEY = "waymark:launch:"
_PROOF_KEY = "waymark:proof:"

_ENCODER = msgspec.json.Encoder()

# One trip each: a trip costs more than everything else that is done for a launch.
_BEGIN = """
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return redis.call('GET', KEYS[2])
"""
_TURN_INTO = """
if not redis.call('GETDEL', KEYS[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePlace:
    """Where an LMS keeps values for a tool in a frame without cookies.

    ``target`` is ``_parent`` or the name of a frame beside ours, ``origin`` the only one that
    messages go to and come from.

    Source: LTI Client Side postMessages 0.1; LTI OIDC Login with Client Side postMessages 0.1.
    """

    target: str
    origin: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecord:
    """A login that was begun and not yet answered.

    ``browser_digest`` is of the secret in its cookie, ``storage_digest`` of the one that the LMS
    keeps for browsers without cookies; empty where it offered no such storage.
    """

    nonce: str = field(repr=False)
    platform: PlatformId
    browser_digest: str
    storage: StoragePlace | None = None
    storage_digest: str = ""
    target: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRecord:
    """A launch that was proven: who it is, where, as what and for what.

    ``subject`` is the person as LTI names them, None for an anonymous launch; ``course`` and
    ``person`` are the ids of the platform's own web services, None where the launch has none.
    ``capacities`` are values of ``lti_tool.guards.Capacity``. The rest is as in
    ``lti_tool.launch.claims.VerifiedClaims``.
    """

    tenant: TenantId
    platform: PlatformId
    deployment: str
    subject: str | None
    course: CourseRef | None
    course_title: str
    person: LearnerRef | None
    name: str = field(repr=False)
    capacities: frozenset[str]
    browser_digest: str
    created_at: datetime
    message: str
    focus: tuple[str, ...] = ()
    mentees: tuple[str, ...] | None = None
    review_of: str | None = None
    deep_linking: DeepLinkingSettings | None = None
    lineitems_url: str = ""
    memberships_url: str = ""
    locale: str = ""
    has_high_contrast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRecord:
    """A launch proven in all but one thing: that the browser is the one that began the login."""

    launch: LaunchRecord
    page: str
    storage_digest: str


class Logins:
    """Logins under way."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._begin = redis.register_script(_BEGIN)

    def save(self, state: str, record: LoginRecord) -> str:
        """Remember a login for ten minutes.

        Returns:
            The version of the registrations, which is had for the same trip.
        """
        version = self._begin(
            keys=[_LOGIN_KEY + digest(state), REGISTRATIONS_KEY],
            args=[_ENCODER.encode(record), LOGIN_SECONDS],
        )
        return _version(cast("bytes | None", version))

    def find(self, state: str) -> tuple[LoginRecord | None, str]:
        """A login under way, which stays so, and the version of the registrations."""
        found, version = cast(
            "list[bytes | None]", self._redis.mget(_LOGIN_KEY + digest(state), REGISTRATIONS_KEY)
        )
        return _parsed(found, LoginRecord), _version(version)

    def version(self) -> str:
        """The version of the registrations, for who has no login to ask about."""
        return _version(cast("bytes | None", self._redis.get(REGISTRATIONS_KEY)))

    def take(self, state: str) -> LoginRecord | None:
        """End a login of which nothing comes."""
        return _parsed(self._redis.getdel(_LOGIN_KEY + digest(state)), LoginRecord)


class Launches:
    """Sessions that launches opened."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._turn_into = redis.register_script(_TURN_INTO)

    def open(self, state: str, launch_id: str, record: LaunchRecord) -> bool:
        """Turn a login into a session, for two hours from its last request on.

        Returns:
            False where the login was used before.
        """
        return bool(
            self._turn_into(
                keys=[_LOGIN_KEY + digest(state), _LAUNCH_KEY + digest(launch_id)],
                args=[_ENCODER.encode(record), IDLE_SECONDS],
            )
        )

    def save(self, launch_id: str, record: LaunchRecord) -> None:
        """Remember a launch whose proof was taken already."""
        self._redis.set(_LAUNCH_KEY + digest(launch_id), _ENCODER.encode(record), ex=IDLE_SECONDS)

    def find(self, launch_id: str, now: datetime) -> LaunchRecord | None:
        """The launch of this id, if it is not over: it then lives for two more hours.

        Args:
            launch_id: From an address.
            now: A launch older than twelve hours is over, used or not.
        """
        stored = self._redis.getex(_LAUNCH_KEY + digest(launch_id), ex=IDLE_SECONDS)
        record = _parsed(stored, LaunchRecord)
        if record is not None and record.created_at + LONGEST_SESSION <= now:
            self.end([launch_id])
            return None
        return record

    def find_all(self, launch_ids: Sequence[str]) -> Mapping[str, LaunchRecord]:
        """Those launches of these ids that are not over; none lives longer for it."""
        if not launch_ids:
            return {}
        keys = [_LAUNCH_KEY + digest(one) for one in launch_ids]
        found = cast("list[bytes | None]", self._redis.mget(keys))
        records = zip(launch_ids, (_parsed(data, LaunchRecord) for data in found), strict=True)
        return {one: record for one, record in records if record is not None}

    def replace(self, launch_id: str, record: LaunchRecord) -> bool:
        """Change a launch that is not over; False where it is."""
        key = _LAUNCH_KEY + digest(launch_id)
        return bool(self._redis.set(key, _ENCODER.encode(record), xx=True, keepttl=True))

    def end(self, launch_ids: Sequence[str]) -> int:
        """End launches: no request belongs to them any more.

        Returns:
            How many of them were not over yet; each is counted for one caller only.
        """
        if not launch_ids:
            return 0
        return self._redis.delete(*(_LAUNCH_KEY + digest(one) for one in launch_ids))


class Proofs:
    """Launches that wait for their browser's secret."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._turn_into = redis.register_script(_TURN_INTO)

    def open(self, state: str, record: ProofRecord) -> str | None:
        """Turn a login into a launch that waits for two minutes.

        Returns:
            A ticket of 256 bits that stands for it, once; None where the login was used before.
        """
        ticket = secrets.token_urlsafe(32)
        has_begun = self._turn_into(
            keys=[_LOGIN_KEY + digest(state), _PROOF_KEY + digest(ticket)],
            args=[_ENCODER.encode(record), PROOF_SECONDS],
        )
        return ticket if has_begun else None

    def take(self, ticket: str) -> ProofRecord | None:
        """What a ticket stands for; the ticket is used up."""
        return _parsed(self._redis.getdel(_PROOF_KEY + digest(ticket)), ProofRecord)


def new_launch_id() -> str:
    """32 hexadecimal digits, fresh."""
    return secrets.token_hex(16)


def _version(stored: bytes | None) -> str:
    return "" if stored is None else stored.decode()


def _parsed(stored: object, kind: type[T]) -> T | None:
    if stored is None:
        return None
    return msgspec.json.decode(cast("bytes", stored), type=kind)
