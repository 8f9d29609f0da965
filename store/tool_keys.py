"""Waymark's own keys: made, published, used, retired and deleted, each in its time.

A key is published before it signs, since an LMS may go on using a key set it fetched up to a day
ago, and stays published after it signed, since what it signed last may still be on its way.
Private halves are sealed; whoever uses one loads it once and keeps it (``bootstrap.key_ring``).
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Connection, Row, delete, insert, select, update

from store.secrets import Resealed, SecretBox
from store.session import lock
from store.tables import platforms, tool_keys

SIGNS_FOR = timedelta(days=30)
"""How long a key signs before the next one does."""
PUBLISHED_BEFORE = timedelta(hours=48)
"""How long before its first use a key is published where nobody is in a hurry."""
PUBLISHED_AT_LEAST = timedelta(hours=24)
"""As long as any LMS keeps a key set."""
PUBLISHED_AFTER = timedelta(days=7)
"""How long a key stays published after its last use."""

_KEY_BITS = 2048
_KEY_EXPONENT = 65_537


class KeyState(Enum):
    """What a key is for now."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolKey:
    """Waymark's own signing key, loaded.

    ``kid`` is the RFC 7638 thumbprint of the public key.
    """

    kid: str
    private_key: rsa.RSAPrivateKey = field(repr=False)

    def public_jwk(self) -> dict[str, str]:
        """The public half, as RFC 7517 writes it."""
        return {
            **_public_members(self.private_key),
            "kid": self.kid,
            "alg": "RS256",
            "use": "sig",
        }

    def public_pem(self) -> str:
        """The public half as a PEM text, for an LMS that wants it pasted."""
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private_key.public_key().public_bytes(encoding, form).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key as the database keeps it.

    Attributes:
        kid: Its name in the key set.
        state: What it is for now.
        sealed: The private half.
        created_at: When it was made, and published with it.
        signs_from: When it began to sign or, of a next key, may begin.
        retired_at: When it signed last; None before that.
        pinned_by: The ids of the platforms that were given this key by hand.
    """

    kid: str
    state: KeyState
    sealed: str = field(repr=False)
    created_at: datetime
    signs_from: datetime
    retired_at: datetime | None
    pinned_by: Sequence[int]

    def is_published(self, now: datetime) -> bool:
        """Whether it belongs into the key set that LMSs fetch."""
        return self.retired_at is None or now < self.retired_at + PUBLISHED_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """One step of a key: ``made``, ``promoted`` (it signs), ``retired`` or ``deleted``."""

    kid: str
    step: str


def stored_keys(connection: Connection) -> tuple[StoredKey, ...]:
    """Every key, in the order they were made."""
    pins = connection.execute(
        select(platforms.c.id, platforms.c.pinned_kid)
        .where(platforms.c.pinned_kid.is_not(None))
        .order_by(platforms.c.id)
    ).all()
    rows = connection.execute(select(tool_keys).order_by(tool_keys.c.id))
    return tuple(
        _stored(row, tuple(pin.id for pin in pins if pin.pinned_kid == row.kid)) for row in rows
    )


def load(stored: StoredKey, secrets: SecretBox) -> ToolKey:
    """A stored key, ready to sign.

    Args:
        stored: Which.
        secrets: Opens it.

    Returns:
        The key.

    Raises:
        SealBroken: It was sealed under another secret key.
    """  # noqa: DOC502 - raised by open()
    # What comes out of the seal is what went in, so the proof of its primes, 2,000 times as
    # slow as the rest, is left out.
    key = serialization.load_pem_private_key(
        secrets.open(stored.sealed).encode(), password=None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - only such keys are ever sealed
    return ToolKey(kid=stored.kid, private_key=key)


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether ``advance`` would change anything."""
    return _due_step(stored_keys(connection), now) is not None


def advance(connection: Connection, secrets: SecretBox, now: datetime) -> tuple[KeyChange, ...]:
    """Take every step that is due; any number of processes may ask.

    The first key signs at once. A current key that is old enough gets a successor 48 hours
    before its time is over; the successor takes its place when that has come, and never earlier
    than 24 hours after it was published. A retired key is deleted 7 days after its last use
    unless a platform was given it by hand.

    Args:
        connection: A writing transaction.
        secrets: Seals new keys.
        now: When.

    Returns:
        The steps that were taken, in order.
    """
    lock(connection, "tool_key", 0)
    changes: list[KeyChange] = []
    # A step may make another one due: the first key is made, then it is to sign.
    while (step := _due_step(stored_keys(connection), now)) is not None:
        changes += _take(connection, secrets, step, now=now)
    return tuple(changes)


def bring_forward(
    connection: Connection, secrets: SecretBox, now: datetime
) -> tuple[KeyChange, ...]:
    """Rotate as soon as is safe: a next key is made if need be, and signs 24 hours after that.

    Args:
        connection: A writing transaction.
        secrets: Seals new keys.
        now: When.

    Returns:
        The steps that were taken at once.
    """
    changes = advance(connection, secrets, now)
    if any(change.step == "promoted" for change in changes):
        return changes
    following = _of_state(stored_keys(connection), KeyState.NEXT)
    if not following:
        return (*changes, _make(connection, secrets, now, signs_from=now + PUBLISHED_AT_LEAST))
    (key, *_) = following
    connection.execute(
        update(tool_keys)
        .where(tool_keys.c.kid == key.kid)
        .values(signs_from=max(now, key.created_at + PUBLISHED_AT_LEAST))
    )
    return (*changes, *advance(connection, secrets, now))


def replace_all(connection: Connection, secrets: SecretBox, now: datetime) -> tuple[KeyChange, ...]:
    """Give up every key for a new one that signs at once: for keys that others may have.

    A next key is given up too, since whoever could read one could read all. A key that a
    platform was given by hand is kept for that platform, but no longer published.

    Args:
        connection: A writing transaction.
        secrets: Seals the new key.
        now: When.

    Returns:
        The steps that were taken, in order.
    """
    lock(connection, "tool_key", 0)
    withdrawn = [
        _retire(connection, key, retired_at=now - PUBLISHED_AFTER)
        if key.pinned_by
        else _drop(connection, key)
        for key in stored_keys(connection)
    ]
    made = _make(connection, secrets, now, signs_from=now)
    return (*withdrawn, made, _promote(connection, made.kid, now))


def reseal_keys(connection: Connection, secrets: SecretBox) -> Resealed:
    """Seal every private half anew with the present secret key.

    Args:
        connection: A writing transaction.
        secrets: Opens what was sealed under former keys.

    Returns:
        How many; a key that cannot be opened is named by its ``kid`` and stays as it is.
    """
    lock(connection, "tool_key", 0)
    sealed = {key.kid: key.sealed for key in stored_keys(connection)}
    resealed = secrets.reseal(sealed)
    for kid, text in resealed.items():
        connection.execute(update(tool_keys).where(tool_keys.c.kid == kid).values(private_key=text))
    unopened = [kid for kid in sealed if kid not in resealed]
    return Resealed(count=len(resealed), unopened=unopened)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What is to be done now; ``key`` is None where one is to be made."""

    todo: Literal["make", "promote", "drop"]
    key: StoredKey | None = None
    signs_from: datetime


def _due_step(keys: Sequence[StoredKey], now: datetime) -> _Step | None:
    current = _of_state(keys, KeyState.CURRENT)
    following = _of_state(keys, KeyState.NEXT)
    if not current:
        key = following[0] if following else None
        return _Step(todo="promote" if key else "make", key=key, signs_from=now)
    if following and _may_sign(following[0], now):
        return _Step(todo="promote", key=following[0], signs_from=now)
    ends_at = current[0].signs_from + SIGNS_FOR
    if not following and ends_at - PUBLISHED_BEFORE <= now:
        return _Step(todo="make", signs_from=max(ends_at, now + PUBLISHED_BEFORE))
    over = (key for key in keys if not key.pinned_by and not key.is_published(now))
    return next((_Step(todo="drop", key=key, signs_from=now) for key in over), None)


def _may_sign(key: StoredKey, now: datetime) -> bool:
    return key.signs_from <= now and key.created_at + PUBLISHED_AT_LEAST <= now


def _of_state(keys: Sequence[StoredKey], state: KeyState) -> Sequence[StoredKey]:
    return [key for key in keys if key.state is state]


def _take(
    connection: Connection, secrets: SecretBox, step: _Step, *, now: datetime
) -> Sequence[KeyChange]:
    if step.key is None:
        return [_make(connection, secrets, now, signs_from=step.signs_from)]
    if step.todo == "drop":
        return [_drop(connection, step.key)]
    former = _of_state(stored_keys(connection), KeyState.CURRENT)
    retired = [_retire(connection, key, retired_at=now) for key in former]
    return [_promote(connection, step.key.kid, now), *retired]


def _make(
    connection: Connection, secrets: SecretBox, now: datetime, *, signs_from: datetime
) -> KeyChange:
    made = rsa.generate_private_key(public_exponent=_KEY_EXPONENT, key_size=_KEY_BITS)
    kid = _thumbprint(made)
    connection.execute(
        insert(tool_keys).values(
            kid=kid,
            private_key=secrets.seal(_pem(made)),
            state=KeyState.NEXT.value,
            created_at=now,
            signs_from=signs_from,
        )
    )
    return KeyChange(kid=kid, step="made")


def _promote(connection: Connection, kid: str, now: datetime) -> KeyChange:
    connection.execute(
        update(tool_keys)
        .where(tool_keys.c.kid == kid)
        .values(state=KeyState.CURRENT.value, signs_from=now)
    )
    return KeyChange(kid=kid, step="promoted")


def _retire(connection: Connection, key: StoredKey, *, retired_at: datetime) -> KeyChange:
    connection.execute(
        update(tool_keys)
        .where(tool_keys.c.kid == key.kid)
        .values(state=KeyState.RETIRED.value, retired_at=retired_at)
    )
    return KeyChange(kid=key.kid, step="retired")


def _drop(connection: Connection, key: StoredKey) -> KeyChange:
    connection.execute(delete(tool_keys).where(tool_keys.c.kid == key.kid))
    return KeyChange(kid=key.kid, step="deleted")


def _stored(row: "Row[Any]", pinned_by: Sequence[int]) -> StoredKey:
    return StoredKey(
        kid=row.kid,
        state=KeyState(row.state),
        sealed=row.private_key,
        created_at=row.created_at,
        # A key of a release that did not rotate signed from its first day.
        signs_from=row.signs_from or row.created_at,
        retired_at=row.retired_at,
        pinned_by=pinned_by,
    )


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _public_members(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"e": _base64url_uint(numbers.e), "kty": "RSA", "n": _base64url_uint(numbers.n)}


def _thumbprint(key: rsa.RSAPrivateKey) -> str:
    # RFC 7638: the required members alone, in alphabetical order, without spaces.
    canonical = json.dumps(_public_members(key), separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url_uint(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
