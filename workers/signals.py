"""What LMSs told by themselves becomes readings of courses, and the LMSs are asked to tell.

Early signals only: whatever they miss, the night finds.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from connectors.errors import ConnectorError
from mapping.records import CourseId, PlatformId, TenantId
from store import notice_handlers, signals, tenants
from store.notice_handlers import Offer
from store.refresh_turns import take_turn
from store.refreshes import RefreshCause, request_refreshes
from store.session import reading, writing

Register = Callable[[PlatformId, str, str], None]
"""Registers Waymark for a notice: platform, address of the service, type of the notice."""


def take_up(engine: Engine, *, now: datetime) -> Mapping[TenantId, Sequence[CourseId]]:
    """Ask for the reading of every course whose news is due.

    Safe to be called by several processes at once: each course's turn is taken by one of them.

    Returns:
        The courses that were asked for, by tenant.
    """
    with reading(engine) as connection:
        known = [tenant.id for tenant in tenants.all_tenants(connection)]
    found = {tenant: _take_up(engine, tenant, now=now) for tenant in known}
    return {tenant: taken for tenant, taken in found.items() if taken}


def _take_up(engine: Engine, tenant: TenantId, *, now: datetime) -> tuple[CourseId, ...]:
    with reading(engine) as connection:
        if not signals.due(connection, tenant, now=now, most=1):
            return ()
    with writing(engine) as connection:
        due = signals.due(connection, tenant, now=now)
        taken = tuple(one for one in due if take_turn(connection, tenant, one, now=now))
        request_refreshes(connection, taken, cause=RefreshCause.EVENT, now=now)
        for course in taken:
            signals.settle(connection, course)
    return taken


def register_handlers(
    engine: Engine, register: Register, *, now: datetime
) -> Sequence[tuple[Offer, str]]:
    """Have every LMS that offers notices send them.

    Args:
        engine: The database.
        register: Asks one LMS; raises what connectors raise.
        now: When.

    Returns:
        The offers that could not be taken, each with the LMS's reason in words.
    """
    with reading(engine) as connection:
        found = notice_handlers.offers(connection, now=now)
    troubles = []
    for offer in found:
        registered, trouble = _register(offer, register)
        with writing(engine) as connection:
            notice_handlers.note_try(connection, offer, registered, now=now)
        if trouble:
            troubles.append((offer, trouble))
    return troubles


def _register(offer: Offer, register: Register) -> tuple[Sequence[str], str]:
    registered = list(offer.known)
    for kind in offer.missing:
        try:
            register(offer.platform, offer.url, kind)
        except ConnectorError as error:
            return registered, str(error)
        registered.append(kind)
    return registered, ""
