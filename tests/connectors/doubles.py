"""Stand-ins for what a connector is given: a cache, a clock, a limiter that remembers."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from cryptography.hazmat.primitives.asymmetric import rsa

from connectors import PlatformAccess, PlatformKind, Services
from connectors.http import HttpClient
from connectors.limiter import News, UnpacedLimiter
from connectors.platform import open_client
from connectors.shared_tokens import Seal
from connectors.tokens import ServiceTokens, SigningKey

PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY = SigningKey(kid="waymark-test", private_key=PRIVATE_KEY)
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
MIRROR = Seal(seal=lambda text: text[::-1], open=lambda text: text[::-1])


class Clock:
    """Stands still until somebody sleeps."""

    def __init__(self, at: datetime = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


class RememberingLimiter(UnpacedLimiter):
    """Lets everything through and remembers what it was told."""

    def __init__(self) -> None:
        self.waits = 0
        self.pauses: list[float] = []
        self.news: list[News] = []

    def begin(self, most_seconds: float) -> str:  # noqa: ARG002 - the protocol's
        self.waits += 1
        return str(self.waits)

    def end(self, place: str, news: News) -> None:  # noqa: ARG002 - the protocol's
        self.news.append(news)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


class MemoryTokenCache:
    """A token cache of one process; a life is kept, not lived."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.lives: list[int] = []
        self.fetching: set[str] = set()

    def get(self, key):
        return self.kept.get(key)

    def put(self, key, sealed, *, life_seconds):
        self.kept[key] = sealed
        self.lives.append(life_seconds)

    def drop(self, key):
        self.kept.pop(key, None)

    def may_fetch(self, key):
        is_free = key not in self.fetching
        self.fetching.add(key)
        return is_free

    def has_fetched(self, key):
        self.fetching.discard(key)


def services(clock=None, *, limiter=None, cache=None) -> Services:
    """Services without Redis."""
    clock = clock or Clock()
    tokens = ServiceTokens(
        cache=cache or MemoryTokenCache(),
        key=lambda: KEY,
        seal=MIRROR,
        now=clock.now,
        sleep=clock.sleep,
    )
    return Services(
        now=clock.now,
        sleep=clock.sleep,
        limiter=limiter or UnpacedLimiter(),
        tokens=tokens,
        public_url="http://localhost:8100",
        private_networks=LOOPBACK,
    )


def access(url: str, kind: PlatformKind = PlatformKind.CANVAS, **changes) -> PlatformAccess:
    """A platform at an address, with LTI and an API token."""
    facts = {
        "name": "Northside",
        "kind": kind,
        "issuer": "https://lms.example",
        "client_id": "10000000000068",
        "token_url": f"{url}/token",
        "deployment_ref": "1",
        "api_url": url,
        "api_token": "secret-api-token",
    }
    return PlatformAccess(**{**facts, **changes})


def client(url: str, limiter=None) -> HttpClient:
    """An HTTP client of a platform at an address."""
    return open_client(access(url), services(limiter=limiter))
