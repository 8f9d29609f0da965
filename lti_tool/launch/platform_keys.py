"""The platforms' public keys: fetched when needed, kept a while, never fetched twice at once."""

import base64
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from lti_tool.launch.refusals import KeySetUnavailable
from lti_tool.launch.tokens import ALGORITHM

DEFAULT_LIFE = timedelta(hours=1)
SHORTEST_LIFE = timedelta(minutes=5)
LONGEST_LIFE = timedelta(hours=24)
STALE_LIFE = timedelta(hours=24)
"""How long past its life a key set is used while the platform does not answer."""
FORCED_PAUSE = timedelta(seconds=60)
"""How often a platform may be asked again because a key was not found or did not fit."""
FAILING = timedelta(seconds=30)
"""How long after a failure a platform counts as failing: one thread asks it, none waits for it."""
_WAIT_SECONDS = 6.0
_MOST_KEYS = 100
_BITS = range(2048, 8193)

Keys = Mapping[str, tuple[RSAPublicKey, ...]]


class FetchJson(Protocol):
    """Gets a JSON document: ``(document, max-age in seconds or None)``.

    It bounds time and size, follows no redirect, and raises ``KeySetUnavailable``, ``OSError`` or
    ``ValueError`` where there is no such document to be had.
    """

    def __call__(self, url: str, /) -> tuple[Mapping[str, Any], int | None]:
        """Fetch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeySet:
    keys: Keys
    fresh_until: datetime
    stale_until: datetime
    asked_at: datetime


@dataclass(slots=True)
class _Address:
    """What is known of one key set address; changed under the lock only."""

    known: _KeySet | None = None
    flight: "Future[_KeySet] | None" = None
    failed_at: datetime | None = None
    lock: Lock = field(default_factory=Lock)


class PlatformKeys:
    """The key sets of all platforms, by address, shared by the threads of a process."""

    def __init__(self, fetch: FetchJson, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._addresses: dict[str, _Address] = {}
        self._lock = Lock()

    def find(self, url: str, kid: str) -> tuple[RSAPublicKey, ...]:
        """The keys a platform publishes under a key id, usually one.

        An id that is not known makes Waymark ask again, at most once a minute.

        Args:
            url: The platform's key set address.
            kid: The key id.

        Returns:
            RSA keys of 2,048 to 8,192 bits for signatures; empty where there is none.

        Raises:
            KeySetUnavailable: The platform does not answer and nothing recent is known.

        Source: OpenID Connect Core 1.0, 10.1.1; contracts/lti.md 6.2.
        """  # noqa: DOC502 - raised by _asked()
        address = self._address(url)
        known = address.known
        if known is None or known.fresh_until <= self._now():
            known = self._asked(url, address)
        if kid in known.keys:
            return known.keys[kid]
        return self.find_again(url, kid)

    def find_again(self, url: str, kid: str) -> tuple[RSAPublicKey, ...]:
        """The same after asking the platform once more, if it was not asked within a minute.

        For a platform that put a new key under an old id.

        Raises:
            KeySetUnavailable: As ``find`` does.
        """  # noqa: DOC502 - raised by _asked()
        address = self._address(url)
        known = address.known
        if known is None or known.asked_at + FORCED_PAUSE <= self._now():
            known = self._asked(url, address)
        return known.keys.get(kid, ())

    def _address(self, url: str) -> _Address:
        with self._lock:
            return self._addresses.setdefault(url, _Address())

    def _asked(self, url: str, address: _Address) -> _KeySet:
        """Ask the platform, or wait for the thread that is asking it already.

        While it fails nobody waits, so that one platform that hangs does not hold all threads.

        Raises:
            KeySetUnavailable: It does not answer, or not in time.
        """
        with address.lock:
            flight = address.flight
            is_mine = flight is None
            if flight is None:
                flight = address.flight = Future()
        if not is_mine and self._is_failing(address):
            raise KeySetUnavailable("key_set_failing")
        if is_mine:
            self._fly(url, address, flight)
        try:
            return flight.result(_WAIT_SECONDS)
        except TimeoutError as error:
            raise KeySetUnavailable("key_set_slow") from error

    def _fly(self, url: str, address: _Address, flight: "Future[_KeySet]") -> None:
        try:
            address.known = self._fetched(url, address)
            flight.set_result(address.known)
        except KeySetUnavailable as error:
            flight.set_exception(error)
        finally:
            with address.lock:
                address.flight = None
            if not flight.done():
                # Whatever else happened is for this thread; those who wait must not wait on.
                flight.set_exception(KeySetUnavailable("key_set_fetch_fault"))

    def _is_failing(self, address: _Address) -> bool:
        failed_at = address.failed_at
        return failed_at is not None and self._now() - failed_at < FAILING

    def _fetched(self, url: str, address: _Address) -> _KeySet:
        now, known = self._now(), address.known
        try:
            document, max_age_seconds = self._fetch(url)
            keys = parse_key_set(document)
        except (KeySetUnavailable, OSError, ValueError) as error:
            address.failed_at = self._now()
            if known is None or known.stale_until <= now:
                raise KeySetUnavailable from error
            return replace(known, fresh_until=now + FORCED_PAUSE, asked_at=now)
        address.failed_at = None
        fresh_until = now + _life(max_age_seconds)
        return _KeySet(
            keys=keys, fresh_until=fresh_until, stale_until=fresh_until + STALE_LIFE, asked_at=now
        )


def parse_key_set(document: object) -> Keys:
    """The usable keys of a key set by key id; entries of other kinds are skipped.

    Args:
        document: As parsed from JSON.

    Returns:
        RSA signature keys; several where a key id is given twice.

    Raises:
        ValueError: It is no key set, an empty one, or one of more than 100 keys.

    Source: RFC 7517, 4 and 5; RFC 7518, 6.3.1.
    """
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, Sequence) or not 0 < len(entries) <= _MOST_KEYS:
        raise ValueError("not a key set")
    keys: dict[str, tuple[RSAPublicKey, ...]] = {}
    for entry in entries:
        if isinstance(entry, Mapping) and (key := _key(entry)) is not None:
            keys[entry["kid"]] = (*keys.get(entry["kid"], ()), key)
    return keys


def _key(entry: Mapping[str, Any]) -> RSAPublicKey | None:
    is_for_us = (
        entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(entry.get("kid"), str)
    )
    if not is_for_us:
        return None
    try:
        modulus, exponent = _number(entry.get("n")), _number(entry.get("e"))
        return RSAPublicNumbers(exponent, modulus).public_key() if _is_safe(modulus) else None
    except ValueError:
        return None


def _number(text: object) -> int:
    if not isinstance(text, str):
        raise ValueError("not a number")  # noqa: TRY004 - one error for all that is malformed
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _is_safe(modulus: int) -> bool:
    return modulus.bit_length() in _BITS


def _life(max_age_seconds: int | None) -> timedelta:
    if max_age_seconds is None:
        return DEFAULT_LIFE
    seconds = min(max(max_age_seconds, 0), LONGEST_LIFE.total_seconds())
    return max(timedelta(seconds=seconds), SHORTEST_LIFE)
