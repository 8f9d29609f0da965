"""What the server remembers of logins and launches: one record each, in Redis, for a while.

A login's record binds state, nonce, platform and browser; it is taken once, by an atomic
``GETDEL``, after the signature was found good: of two equal launches one succeeds. Nothing is
stored for a request that proved nothing.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from lti_tool.launch.cookies import digest
from mapping.records import CourseRef, LearnerRef, PlatformId, TenantId

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

LOGIN_SECONDS = 600
LAUNCH_SECONDS = 8 * 3600
_LOGIN_KEY = "waymark:login:"
_LAUNCH_KEY = "waymark:launch:"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecord:
    """A login that was begun and not yet answered."""

    nonce: str = field(repr=False)
    platform: PlatformId
    browser_digest: str
    target: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRecord:
    """A launch that was proven: who it is, where, and in which capacities.

    ``course`` and ``person`` are the platform's own ids, None where the launch has none.
    ``capacities`` are values of ``lti_tool.guards.Capacity``.
    """

    tenant: TenantId
    platform: PlatformId
    deployment: str
    course: CourseRef | None
    course_title: str
    person: LearnerRef | None
    name: str = field(repr=False)
    capacities: frozenset[str]
    browser_digest: str
    created_at: datetime


class Logins:
    """Logins under way."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def save(self, state: str, record: LoginRecord) -> None:
        """Remember a login for ten minutes."""
        self._redis.set(_LOGIN_KEY + digest(state), msgspec.json.encode(record), ex=LOGIN_SECONDS)

    def find(self, state: str) -> LoginRecord | None:
        """A login under way, which stays so."""
        return _parsed(self._redis.get(_LOGIN_KEY + digest(state)), LoginRecord)

    def take(self, state: str) -> LoginRecord | None:
        """End a login: whoever asks first gets the record, everybody else None."""
        return _parsed(self._redis.getdel(_LOGIN_KEY + digest(state)), LoginRecord)


class Launches:
    """Sessions that launches opened."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def save(self, record: LaunchRecord) -> str:
        """Remember a launch for eight hours.

        Returns:
            Its id: 32 hexadecimal digits, fresh.
        """
        launch_id = secrets.token_hex(16)
        self._redis.set(
            _LAUNCH_KEY + digest(launch_id), msgspec.json.encode(record), ex=LAUNCH_SECONDS
        )
        return launch_id

    def find(self, launch_id: str) -> LaunchRecord | None:
        """The launch of this id."""
        return _parsed(self._redis.get(_LAUNCH_KEY + digest(launch_id)), LaunchRecord)


def _parsed(stored: object, kind: type[T]) -> T | None:
    if stored is None:
        return None
    return msgspec.json.decode(cast("bytes", stored), type=kind)
