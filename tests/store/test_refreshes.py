"""Courses asked for out of turn."""

from datetime import timedelta

from store import refreshes
from store.refreshes import RefreshCause
from tests.store.places import NOW, new_course, new_tenant

LATER = NOW + timedelta(minutes=5)


def test_what_was_asked_for_is_told_oldest_first(db, district, canvas, algebra):
    beside = new_course(db, district, canvas, "c2")
    refreshes.request_refreshes(db, [algebra], cause=RefreshCause.EVENT, now=LATER)
    refreshes.request_refreshes(db, [beside], cause=RefreshCause.TEACHER, by="Ada", now=NOW)

    found = [(one.course, one.cause, one.by) for one in refreshes.requested(db, district)]
    assert found == [(beside, RefreshCause.TEACHER, "Ada"), (algebra, RefreshCause.EVENT, "")]


def test_asked_twice_is_asked_once(db, district, algebra):
    for now in (NOW, LATER):
        refreshes.request_refreshes(db, [algebra], cause=RefreshCause.EVENT, now=now)

    assert [one.requested_at for one in refreshes.requested(db, district)] == [LATER]


def test_what_is_taken_up_is_asked_for_no_more(db, district, algebra):
    refreshes.request_refreshes(db, [algebra], cause=RefreshCause.RETRY, now=NOW)
    assert refreshes.is_requested(db, algebra)

    refreshes.take_up(db, [algebra])

    assert not refreshes.is_requested(db, algebra)
    assert refreshes.requested(db, district) == ()


def test_only_tenants_that_wait_for_something_are_named(db, district, algebra):
    new_tenant(db, "Other")
    refreshes.request_refreshes(db, [algebra], cause=RefreshCause.EVENT, now=NOW)

    assert refreshes.tenants_asked(db) == (district,)
