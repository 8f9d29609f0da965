"""Waymark's own keys in one process: loaded once, looked after every minute."""

import logging
import threading
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from bootstrap.key_ring import KeyRing
from store import registrations, tool_keys
from store.session import reading, writing
from tests.store.places import new_platform, new_tenant


@pytest.fixture
def ring(container):
    return container.key_ring


def rotate(container):
    with writing(container.engine) as connection:
        tool_keys.replace_all(connection, container.secrets, container.now())


def test_the_first_key_is_made_by_whoever_asks_first(container, ring):
    kid = ring.keys().current.kid

    with reading(container.engine) as connection:
        assert [key.kid for key in tool_keys.stored_keys(connection)] == [kid]


def test_keys_that_did_not_change_are_the_same_objects_however_long(ring, clock):
    before = ring.keys()
    clock.advance(days=3)

    assert ring.keys() is before


def test_a_change_is_seen_within_a_minute_and_not_looked_for_earlier(container, ring, clock):
    before = ring.keys()
    rotate(container)

    clock.advance(seconds=59)
    assert ring.keys() is before
    clock.advance(seconds=1)
    assert ring.keys().current.kid != before.current.kid


def test_who_changed_the_keys_sees_it_at_once(container, ring):
    before = ring.keys()
    rotate(container)

    ring.forget()

    assert ring.keys().current.kid != before.current.kid


def test_next_current_and_retired_keys_are_published_in_the_order_they_were_made(
    container, ring, clock
):
    ring.keys()
    for days in (28, 2, 0):
        clock.advance(days=days)
        with writing(container.engine) as connection:
            tool_keys.advance(connection, container.secrets, clock())
            made = tool_keys.bring_forward(connection, container.secrets, clock())
    ring.forget()

    keys = ring.keys()
    with reading(container.engine) as connection:
        stored = tool_keys.stored_keys(connection)
    assert made == ()
    assert [key.state.value for key in stored] == ["retired", "current", "next"]
    assert [key.kid for key in keys.published] == [key.kid for key in stored]
    assert keys.current.kid == stored[1].kid


def test_a_platform_with_a_pinned_key_signs_with_that_one_though_it_is_published_no_more(
    container, ring, clock
):
    with writing(container.engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant)
    former = ring.keys().current
    with writing(container.engine) as connection:
        registrations.pin_key(connection, tenant, platform, kid=former.kid)
    rotate(container)
    clock.advance(minutes=1)

    keys = ring.keys()

    assert keys.signing(former.kid) is former
    assert former not in keys.published
    assert keys.signing(None) is keys.signing("gone") is keys.current


def test_while_the_database_is_away_the_known_keys_serve(container, clock, caplog):
    class AwayError(OperationalError):
        def __init__(self):
            super().__init__("SELECT", {}, Exception("away"))

    class Engine:
        is_away = False

        def connect(self):
            if self.is_away:
                raise AwayError
            return container.engine.connect()

    engine = Engine()
    ring = KeyRing(engine, container.secrets, clock)
    known = ring.keys()
    engine.is_away = True
    clock.advance(minutes=2)

    with caplog.at_level(logging.WARNING):
        assert ring.keys() is known
    assert "does not answer" in caplog.text
    with pytest.raises(OperationalError):
        KeyRing(engine, container.secrets, clock).keys()


def test_while_one_thread_looks_the_others_go_on_with_what_is_known(container, clock):
    entered, leave = threading.Event(), threading.Event()

    class Engine:
        is_slow = False

        def connect(self):
            if self.is_slow:
                entered.set()
                assert leave.wait(10)
            return container.engine.connect()

    engine = Engine()
    ring = KeyRing(engine, container.secrets, clock)
    known = ring.keys()
    engine.is_slow = True
    clock.advance(minutes=2)

    looking = threading.Thread(target=ring.keys)
    looking.start()
    assert entered.wait(10)
    seen = ring.keys()
    leave.set()
    looking.join()

    assert seen is known


def test_another_container_has_another_ring(container):
    other = replace(container)

    assert other.key_ring is not container.key_ring
    assert other.tool_key().kid == container.tool_key().kid
