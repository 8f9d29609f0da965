"""Waymark's own keys: when they change, and how an administrator has a say in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from store import notice_targets, registrations, tool_keys
from store.registrations import Platform
from store.secrets import Resealed, SecretBox
from store.session import reading, writing
from store.tool_keys import KeyChange, StoredKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a rotation did.

    Attributes:
        changes: The steps that were taken at once.
        kid: The key that signs, or will.
        signs_from: When it begins; not after now where it signs already.
        pinned: Platforms that go on expecting a former key until they are given another.
    """

    changes: tuple[KeyChange, ...]
    kid: str
    signs_from: datetime
    pinned: tuple[Platform, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """A key, until when it is published, and who was given it by hand.

    ``published_until`` is None as long as no end is set.
    """

    stored: StoredKey
    published_until: datetime | None
    pinned_by: tuple[Platform, ...]


def see_to_keys(engine: Engine, secrets: SecretBox, *, now: datetime) -> tuple[KeyChange, ...]:
    """Take the steps that are due in the keys' rotation; asks the database only to read mostly.

    Args:
        engine: The database.
        secrets: Seals new keys.
        now: When.

    Returns:
        The steps that were taken; where there are any, web processes are to be told.
    """
    with reading(engine) as connection:
        if not tool_keys.is_due(connection, now):
            return ()
    with writing(engine) as connection:
        return tool_keys.advance(connection, secrets, now)


def rotate(
    engine: Engine, secrets: SecretBox, *, now: datetime, is_emergency: bool = False
) -> Rotation:
    """Have a new key sign as soon as is safe or, in an emergency, at once.

    Args:
        engine: The database.
        secrets: Seals new keys.
        now: When.
        is_emergency: Others may have the keys: all of them are given up. An LMS that keeps a
            key set it fetched refuses the new key until it fetches again, up to a day.

    Returns:
        What was done, and when the new key signs.
    """
    take = tool_keys.replace_all if is_emergency else tool_keys.bring_forward
    with writing(engine) as connection:
        changes = take(connection, secrets, now)
        keys = tool_keys.stored_keys(connection)
        platforms = registrations.platforms(connection)
    newest = keys[-1]
    return Rotation(
        changes=changes,
        kid=newest.kid,
        signs_from=newest.signs_from,
        pinned=tuple(one for one in platforms if one.pinned_kid not in (None, newest.kid)),
    )


def listed(engine: Engine) -> tuple[ListedKey, ...]:
    """Every key in the order they were made."""
    with reading(engine) as connection:
        keys = tool_keys.stored_keys(connection)
        platforms = {one.id: one for one in registrations.platforms(connection)}
    return tuple(
        ListedKey(
            stored=key,
            published_until=_published_until(key),
            pinned_by=tuple(one for one in platforms.values() if one.id in key.pinned_by),
        )
        for key in keys
    )


def reseal(engine: Engine, secrets: SecretBox) -> tuple[Resealed, Resealed]:
    """Seal everything in the database with the present secret key.

    Args:
        engine: The database.
        secrets: Opens what was sealed under former keys, too.

    Returns:
        What became of the platforms' API tokens with the webhooks' secrets, and of Waymark's own
        keys.
    """
    with writing(engine) as connection:
        tokens = registrations.reseal_tokens(connection, secrets)
        hooks = notice_targets.reseal_secrets(connection, secrets)
        tokens = Resealed(
            count=tokens.count + hooks.count, unopened=(*tokens.unopened, *hooks.unopened)
        )
        return tokens, tool_keys.reseal_keys(connection, secrets)


def _published_until(key: StoredKey) -> datetime | None:
    ends: timedelta = tool_keys.PUBLISHED_AFTER
    return None if key.retired_at is None else key.retired_at + ends
