"""What every view of the simulator may ask for: the state file, the clock, the key."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from flask import current_app, g

from simulators.canvas.throttle import Throttle
from simulators.signing import PlatformKey
from simulators.state import StatePool, config_of

ROOT_ACCOUNT = 1
"""The district's account; the schools are its sub-accounts and keep their own ids."""


@dataclass(slots=True, kw_only=True)
class World:
    """One running Canvas; ``clock`` gives seconds since 1970."""

    states: StatePool
    key: PlatformKey
    event_key: PlatformKey
    clock: Callable[[], float]
    throttle: Throttle = field(default_factory=Throttle)
    counters: Counter[str] = field(default_factory=Counter)


def world() -> World:
    """The Canvas that serves this request."""
    return cast("World", current_app.extensions["canvas"])


def db() -> sqlite3.Connection:
    """This request's connection; committed when the request went well."""
    if "db" not in g:
        g.db = world().states.take()
    return cast("sqlite3.Connection", g.db)


def config() -> dict[str, str]:
    """The settings of the state file, as they were when the request first asked."""
    if "config" not in g:
        g.config = config_of(db())
    return cast("dict[str, str]", g.config)


def now() -> int:
    """Whole seconds since 1970."""
    return int(world().clock())


@lru_cache(maxsize=4096)
def iso(seconds: float | None) -> str | None:
    """A moment as Canvas writes it: UTC, no fraction, Z."""
    if seconds is None:
        return None
    return f"{datetime.fromtimestamp(int(seconds), UTC).isoformat()[:19]}Z"


def full_name(person: sqlite3.Row | Mapping[str, Any]) -> str:
    """First name first; some people have one name only."""
    return f"{person['given_name']} {person['family_name']}".strip()


def sortable_name(person: sqlite3.Row | Mapping[str, Any]) -> str:
    """Family name first."""
    names = (person["family_name"], person["given_name"])
    return ", ".join(name for name in names if name)


def lti_id(guid: str) -> str:
    """The UUID (version 4 in form) by which LTI knows somebody."""
    return str(UUID(hex=guid[:32], version=4))


def tool_id(deployment: str) -> int:
    """The number of the installed tool, the first part of its deployment id."""
    head = deployment.partition(":")[0]
    return int(head) if head.isdigit() else 1


def person_by_lti_id(text: str) -> sqlite3.Row | None:
    """Find somebody by LTI id, or by Canvas id as AGS also allows."""
    if text.isdigit():
        found: sqlite3.Row | None = (
            db().execute("SELECT * FROM people WHERE id = ?", (int(text),)).fetchone()
        )
        return found
    rows = db().execute("SELECT * FROM people WHERE substr(guid, 1, 8) = ?", (text[:8],))
    return next((row for row in rows if lti_id(row["guid"]) == text), None)
