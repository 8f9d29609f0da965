"""Signals become readings, once, and LMSs are asked to tell."""

from datetime import timedelta

import pytest

from connectors.errors import GiveUp
from mapping.records import CourseRef
from store import deployments, notice_handlers, signals
from store.refreshes import RefreshCause, requested
from store.session import reading, writing
from tests.store import places
from tests.store.places import NOW
from workers.signals import register_handlers, take_up

LATER = NOW + timedelta(minutes=2)
TYPES = ["LtiHelloWorldNotice", "LtiContextCopyNotice"]
SERVICE = "https://canvas.example/api/lti/notice-handlers/1"


@pytest.fixture
def told(engine):
    """A tenant's course of which its LMS told."""
    with writing(engine) as connection:
        tenant = places.new_tenant(connection)
        platform = places.new_platform(connection, tenant)
        course = places.new_course(connection, tenant, platform)
        signals.note(connection, platform, [CourseRef("c1")], now=NOW)
        deployments.save_deployments(connection, platform, ["1"])
        notice_handlers.note_offer(connection, platform, "1", url=SERVICE, types=TYPES)
    return tenant, platform, course


def test_a_course_with_news_is_asked_for_once(engine, told):
    tenant, _, course = told

    first = take_up(engine, now=LATER)
    second = take_up(engine, now=LATER)

    assert (first, second) == ({tenant: (course,)}, {})
    with reading(engine) as connection:
        (request,) = requested(connection, tenant)
    assert (request.course, request.cause) == (course, RefreshCause.EVENT)


def test_news_that_comes_after_the_reading_was_asked_for_waits_for_the_next(engine, told):
    tenant, platform, _ = told
    take_up(engine, now=LATER)

    with writing(engine) as connection:
        signals.note(connection, platform, [CourseRef("c1")], now=LATER)

    assert take_up(engine, now=LATER + timedelta(minutes=4)) == {}
    with reading(engine) as connection:
        assert signals.count_signals(connection, tenant) == 1


def test_every_notice_that_is_offered_and_wanted_is_registered_once(engine, told):
    _, platform, _ = told
    asked = []

    for _ in range(2):
        register_handlers(engine, lambda *what: asked.append(what), now=NOW)

    assert asked == [(platform, SERVICE, kind) for kind in TYPES]
    with reading(engine) as connection:
        assert notice_handlers.registered_types(connection, platform, "1") == tuple(TYPES)


def test_an_lms_that_refuses_is_named_and_what_it_took_is_kept(engine, told):
    _, platform, _ = told

    def refuse_copies(_platform, _url, kind):
        if kind == "LtiContextCopyNotice":
            raise GiveUp("Canvas refuses.", cause="forbidden", platform="Canvas")

    ((offer, trouble),) = register_handlers(engine, refuse_copies, now=NOW)

    assert (offer.platform, trouble) == (platform, "Canvas refuses.")
    with reading(engine) as connection:
        known = notice_handlers.registered_types(connection, platform, "1")
    assert known == ("LtiHelloWorldNotice",)
