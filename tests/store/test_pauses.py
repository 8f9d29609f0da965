"""The pause switch: who set it, and what is kept of that."""

from datetime import timedelta

from store import pauses
from store.policy_changes import changes_of
from tests.store.places import NOW

LATER = NOW + timedelta(hours=1)


def test_a_district_is_not_paused_until_somebody_pauses_it(db, district):
    assert pauses.pause_of(db, district) is None


def test_a_pause_says_who_since_when_and_why(db, district):
    pauses.pause(db, district, by="Ada", reason="The LMS moves", now=NOW)

    found = pauses.pause_of(db, district)
    assert str(found) == f"Paused by Ada since {NOW:%Y-%m-%d %H:%M} UTC: The LMS moves."


def test_who_paused_first_stays_in_the_record(db, district):
    pauses.pause(db, district, by="Ada", now=NOW)

    assert pauses.pause(db, district, by="Ben", now=LATER).by == "Ada"
    assert len(changes_of(db, district)) == 1


def test_a_pause_that_ended_is_over(db, district):
    pauses.pause(db, district, by="Ada", now=NOW)

    assert pauses.resume(db, district, by="Ben", now=LATER)
    assert pauses.pause_of(db, district) is None
    assert not pauses.resume(db, district, by="Ben", now=LATER)


def test_both_ends_of_a_pause_are_kept(db, district):
    pauses.pause(db, district, by="Ada", reason="Move", now=NOW)
    pauses.resume(db, district, by="Ben", now=LATER)

    found = [(one.before, one.after, one.by, one.at) for one in changes_of(db, district)]
    assert found == [("paused", "running", "Ben", LATER), ("running", "paused", "Ada", NOW)]
