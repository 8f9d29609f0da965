"""The composition root: everything a process needs, made once and handed down."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from redis import Redis
from sqlalchemy import Engine

from bootstrap.access import user_tokens
from bootstrap.clock import DatabaseClock
from bootstrap.embedded import prepare_data_dir, running_redis
from bootstrap.key_ring import KeyRing
from bootstrap.locks import shared_lock
from bootstrap.registering import (
    PlatformConfiguration,
    RegistrationAnswer,
    RegistrationRefused,
)
from bootstrap.settings import Settings
from bootstrap.token_caches import NoTokenCache
from connectors import Gradebook, PlatformAccess, PlatformKind, Services, connect
from connectors.errors import ConnectorError, RetryLater
from connectors.gates import Gate, GatedLimiter
from connectors.key_sets import fetch_key_set
from connectors.limiter import Pace, Paced, RedisLimiter
from connectors.moodle.webservice import Webservice
from connectors.notice_handlers import NoticeHandlers
from connectors.platform import open_client
from connectors.registering import read_configuration, register
from connectors.rosters import Member, Rosters, roster_url
from connectors.shared_tokens import RedisTokenCache, Seal, TokenCache
from connectors.tokens import ServiceTokens, SigningKey
from mapping.records import CourseRef, PlatformId, TenantId
from store import pauses, registrations, tenants
from store.registrations import Platform
from store.secrets import SealBroken, SecretBox
from store.session import open_engine, reading
from store.tool_keys import ToolKey

# Upper bounds for all workers of a platform together; what an LMS says of its allowance comes
# first. A Canvas bucket drains 10 units a second and a plain request costs a fraction of one, but
# each in flight is charged 50 of 600 beforehand. A Moodle works on two at a time as fast as on
# more.
_PACES = {
    PlatformKind.CANVAS: Pace(rate_per_second=200.0, burst=10, most_in_flight=5),
    PlatformKind.MOODLE: Pace(rate_per_second=200.0, burst=10, most_in_flight=2),
}


NOTICES_PATH = "/lti/notices"
"""Where LMSs send notices."""
REGISTRATIONS_KEY = "waymark:registrations"
"""Counts the changes to registrations, deployments and keys, for processes that keep a copy."""


def wall_clock() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A platform as the database knows it, with its approved deployments."""

    platform: Platform
    deployments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What a process works with.

    Attributes:
        settings: With a secret key.
        engine: The database; forked processes make their own container.
        redis: Bytes in, bytes out.
        redis_url: Where it answers, for processes this one starts.
        secrets: Seals what the database must not hold in the clear.
        now: The clock.
        sleep: Waits for seconds.
        draw: A number from 0 to 1, drawn anew at each call.
        key_ring: Waymark's own keys, loaded once.
        gates: The pause switch of each tenant as this process knows it.
    """

    settings: Settings
    engine: Engine
    redis: "Redis"
    redis_url: str = field(repr=False)
    secrets: SecretBox
    now: Callable[[], datetime] = wall_clock
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random  # noqa: S311 - spreads out retries, no secret
    key_ring: KeyRing = field(init=False, repr=False, compare=False)
    gates: dict[TenantId, Gate] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        # The ring is made of the other parts, and there must be one only.
        object.__setattr__(self, "key_ring", KeyRing(self.engine, self.secrets, self.now))

    def gate(self, tenant: TenantId) -> Gate:
        """The pause switch of a tenant, as this process knows it: at most two seconds old."""
        made = Gate(look=partial(self._pause, tenant), nap=self.sleep)
        # Threads that come first together keep one of them.
        return self.gates.setdefault(tenant, made)

    def _pause(self, tenant: TenantId) -> str | None:
        with reading(self.engine) as connection:
            found = pauses.pause_of(connection, tenant)
        return None if found is None else str(found)

    def registrations_changed(self) -> None:
        """Tell every process that registrations, deployments or keys changed; after the commit."""
        self.redis.incr(REGISTRATIONS_KEY)

    def tool_key(self) -> ToolKey:
        """The key Waymark signs with, made on first use."""
        return self.key_ring.keys().current

    def fetch_key_set(self, url: str) -> tuple[Mapping[str, Any], int | None]:
        """A platform's public keys, and the seconds they may be kept, where it says so.

        Raises:
            OSError: They cannot be had; the message says why.
        """
        try:
            return fetch_key_set(
                url,
                public_url=self.settings.public_url,
                private_networks=self.settings.private_networks,
            )
        except ConnectorError as error:
            raise OSError(str(error)) from error

    def read_registration(
        self, url: str, token: str, *, invited_url: str = ""
    ) -> PlatformConfiguration:
        """What a platform that wants to be registered says of itself.

        Args:
            url: ``openid_configuration`` of its request.
            token: ``registration_token`` of its request, or empty.
            invited_url: The LMS's own address as the invitation names it; a school's Canvas
                needs it, because its issuer has another host.

        Raises:
            RegistrationRefused: In words for the administrator.
        """  # noqa: DOC502 - raised by _for_administrators()
        with _for_administrators():
            return read_configuration(
                url,
                token=token,
                public_url=self.settings.public_url,
                private_networks=self.settings.private_networks,
                invited_url=invited_url,
            )

    def register(
        self, configuration: PlatformConfiguration, body: Mapping[str, object], token: str
    ) -> RegistrationAnswer:
        """Hand in a registration; a platform takes it once.

        Args:
            configuration: Of the platform.
            body: What Waymark says of itself.
            token: ``registration_token``, or empty.

        Raises:
            RegistrationRefused: In words for the administrator.
        """  # noqa: DOC502 - raised by _for_administrators()
        with _for_administrators():
            return register(
                configuration,
                body,
                token=token,
                public_url=self.settings.public_url,
                private_networks=self.settings.private_networks,
            )

    def gradebook(self, platform_id: PlatformId) -> Gradebook:
        """The gradebooks of a platform: one connector for each thread.

        Raises:
            LookupError: There is no such platform.
        """  # noqa: DOC502 - raised by registered()
        return self.gradebook_of(self.registered(platform_id))

    def gradebook_of(self, found: Registered) -> Gradebook:
        """The gradebooks of a platform that was looked up: one connector for each thread."""
        access = self._access(found)
        return connect(access, self._services(found.platform, access))

    def registered(self, platform_id: PlatformId) -> Registered:
        """A platform as it is registered now.

        Raises:
            LookupError: There is no such platform.
        """
        with reading(self.engine) as connection:
            platform = registrations.platform_of(connection, platform_id)
            deployments = tenants.approved_deployments(connection, platform_id)
        if platform is None:
            raise LookupError(f"There is no platform {platform_id}.")
        return Registered(platform=platform, deployments=deployments)

    def members(self, platform_id: PlatformId, course: CourseRef) -> Iterator[Member]:
        """Who is in a course, as LTI knows them (NRPS).

        Args:
            platform_id: The platform.
            course: By the platform's own id.

        Returns:
            Everybody, a page at a time; the errors are those of ``connectors.errors``.

        Raises:
            LookupError: There is no such platform.
        """  # noqa: DOC502 - raised by registered()
        platform, access = self._reached(platform_id)
        services = self._services(platform, access)
        rosters = Rosters(open_client(access, services), services.tokens, access=access)
        return rosters.members(roster_url(access, course))

    def webservice(self, platform_id: PlatformId) -> Webservice:
        """A Moodle's web services, for what no other LMS has.

        Raises:
            LookupError: There is no such platform.
        """  # noqa: DOC502 - raised by registered()
        platform, access = self._reached(platform_id)
        return Webservice(open_client(access, self._services(platform, access)), access)

    def register_notices(self, platform_id: PlatformId, service: str, notice_type: str) -> None:
        """Have a platform tell Waymark of things of one type; the errors are the connectors'.

        Args:
            platform_id: The platform.
            service: Where its launches say that this is registered.
            notice_type: What it shall tell of.

        Raises:
            LookupError: There is no such platform.
        """  # noqa: DOC502 - raised by registered()
        platform, access = self._reached(platform_id)
        services = self._services(platform, access)
        NoticeHandlers(open_client(access, services), services.tokens, access=access).register(
            service, notice_type, handler=self.settings.public_url + NOTICES_PATH
        )

    def _reached(self, platform_id: PlatformId) -> tuple[Platform, PlatformAccess]:
        found = self.registered(platform_id)
        return found.platform, self._access(found)

    def _access(self, found: Registered) -> PlatformAccess:
        platform, deployments = found.platform, found.deployments
        return PlatformAccess(
            name=platform.name,
            kind=PlatformKind(platform.kind),
            issuer=platform.issuer,
            client_id=platform.client_id,
            token_url=platform.token_url,
            deployment_ref=deployments[0] if deployments else "",
            api_url=platform.api_url,
            api_token=registrations.api_token(platform, self.secrets),
            audience=platform.audience,
            user_tokens=user_tokens(self, platform),
            deployments=deployments,
        )

    def _services(self, platform: Platform, access: PlatformAccess) -> Services:
        gate = self.gate(platform.tenant)
        limiter = RedisLimiter(
            self.redis,
            paced=Paced(platform=f"{platform.id}", token=_spender(access), name=platform.name),
            pace=_PACES[access.kind],
            sleep=gate.sleep,
            draw=self.draw,
        )
        return Services(
            now=self.now,
            sleep=gate.sleep,
            limiter=GatedLimiter(limiter, gate),
            tokens=self._tokens(platform, RedisTokenCache(self.redis)),
            public_url=self.settings.public_url,
            private_networks=self.settings.private_networks,
            draw=self.draw,
            lock=lambda name: shared_lock(self.redis, f"{platform.id}:{name}"),
        )

    def fresh_tokens(self, platform: Platform) -> ServiceTokens:
        """Service tokens of a platform that nobody had before and nobody keeps."""
        return self._tokens(platform, NoTokenCache())

    def _tokens(self, platform: Platform, cache: TokenCache) -> ServiceTokens:
        return ServiceTokens(
            cache=cache,
            key=partial(self._signing_key, platform),
            seal=Seal(seal=self.secrets.seal, open=self._opened),
            now=self.now,
            sleep=self.sleep,
        )

    def _signing_key(self, platform: Platform) -> SigningKey:
        key = self.key_ring.keys().signing(platform.pinned_kid)
        return SigningKey(kid=key.kid, private_key=key.private_key)

    def _opened(self, sealed: str) -> str | None:
        try:
            return self.secrets.open(sealed)
        except SealBroken:
            return None

    def close(self) -> None:
        """Give back connections."""
        self.redis.close()
        self.engine.dispose()


def _spender(access: PlatformAccess) -> str:
    """Whose allowance requests spend: Canvas counts for each token, Moodle's site is one."""
    if access.kind is PlatformKind.MOODLE or access.user_tokens is not None:
        return ""
    return hashlib.sha256(access.api_token.encode()).hexdigest()[:16]


@contextmanager
def _for_administrators() -> Iterator[None]:
    try:
        yield
    except ConnectorError as error:
        raise RegistrationRefused(
            str(error), cause=error.cause, may_retry=isinstance(error, RetryLater)
        ) from error


def open_container(settings: Settings, redis_url: str) -> Container:
    """A container over a Redis that runs already.

    Args:
        settings: With a secret key.
        redis_url: Where Redis answers.
    """
    engine = open_engine(settings.database_url)
    return Container(
        settings=settings,
        engine=engine,
        redis=Redis.from_url(redis_url),
        redis_url=redis_url,
        now=DatabaseClock(engine, wall=wall_clock),
        secrets=SecretBox(settings.secret_key, settings.former_secret_keys),
    )


@contextmanager
def running(settings: Settings) -> Iterator[Container]:
    """A container with its embedded services, for the length of one command.

    Where a service cannot be had, ``bootstrap.embedded.EmbeddedError`` says what to do.
    """
    prepared = prepare_data_dir(settings)
    with running_redis(prepared) as redis_url:
        container = open_container(prepared, redis_url)
        try:
            yield container
        finally:
            container.close()
