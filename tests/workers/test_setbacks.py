"""What becomes of work that could not be done."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from connectors.errors import Paused, PlatformWaits, RetryLater
from store import sync_state
from store.sync_state import LONGEST_PAUSE, Phase
from store.tables import work_items
from tests.store.places import new_course
from tests.workers.night import down
from workers.setbacks import NIGHT, PAUSE_SECONDS, Endurance, later_or_failed

ENDURANCE = Endurance(draw=lambda: 0.5)


@pytest.fixture
def works(night):
    """Three courses of one platform to be read, and one of them in hand."""
    run = night.begin()
    night.reach(run, Phase.PULL)

    def put_down(connection):
        connection.execute(work_items.delete())
        course = new_course(connection, night.tenant, night.platform)
        sync_state.add_items(connection, run, Phase.PULL, places=[(course, n) for n in range(3)])

    night.write(put_down)
    return night.take(run)


def free(night, works):
    """Have all but the first be in nobody's hand."""
    night.write(
        lambda c: c.execute(
            work_items.update()
            .where(work_items.c.id != works[0].lease.item.id)
            .values(state="pending", attempts=0)
        )
    )


def rows(night):
    return night.ask(lambda c: c.execute(select(work_items).order_by("id")).all())


def states(night):
    return [(row.state, row.attempts, row.cause) for row in rows(night)]


def test_what_failed_for_itself_waits_alone_and_was_tried_once(night, works):
    free(night, works)

    later_or_failed(works[0], down(), ENDURANCE)

    assert states(night) == [("pending", 1, "maintenance"), ("pending", 0, ""), ("pending", 0, "")]


def test_a_platform_in_trouble_is_waited_for_together_and_nobodys_try_is_spent(night, works):
    free(night, works)
    trouble = PlatformWaits("Down.", cause="left_alone", after_seconds=40.0, down_seconds=60.0)

    later_or_failed(works[0], trouble, ENDURANCE)

    assert states(night) == [("pending", 0, "left_alone")] * 3
    assert {row.not_before - night.clock() for row in rows(night)} == {timedelta(seconds=45)}


def test_a_platform_that_stays_down_is_given_up_for_the_night_at_once(night, works):
    free(night, works)
    trouble = PlatformWaits("Down.", cause="left_alone", down_seconds=3_600.0)
    night.clock.advance(minutes=45)

    later_or_failed(works[0], trouble, ENDURANCE)

    assert [row.state for row in rows(night)] == ["failed"] * 3
    assert {row.message for row in rows(night)} == {"Down. It was waited for 45 minutes tonight."}


def test_a_run_that_begins_while_a_platform_is_down_waits_for_it_anew(night, works):
    free(night, works)
    trouble = PlatformWaits("Down.", cause="left_alone", down_seconds=36_000.0)

    later_or_failed(works[0], trouble, ENDURANCE)

    assert states(night) == [("pending", 0, "left_alone")] * 3


def test_a_pause_costs_no_try_and_is_over_when_it_is_over(night, works):
    later_or_failed(works[0], Paused("Paused by Ada.", cause="paused"), ENDURANCE)

    first = rows(night)[0]
    assert (first.state, first.attempts, first.cause) == ("pending", 0, "paused")
    assert first.not_before == night.clock()


def test_nothing_is_tried_again_when_school_begins(night, works):
    night.clock.advance(seconds=NIGHT.total_seconds())

    later_or_failed(works[0], down(), ENDURANCE)

    assert rows(night)[0].state == "failed"
    assert "The night is over" in rows(night)[0].message


@given(
    attempts=st.integers(1, 20),
    draw=st.floats(0.0, 1.0),
    after=st.floats(0.0, 100_000.0),
)
def test_a_pause_grows_is_spread_and_is_as_long_as_the_lms_asked_up_to_an_hour(
    attempts, draw, after
):
    endurance = Endurance(draw=lambda: draw)
    base = PAUSE_SECONDS[min(attempts, len(PAUSE_SECONDS)) - 1]
    error = RetryLater("Later.", cause="x", after_seconds=after)

    found = endurance.pause_after(attempts, error)

    assert found <= LONGEST_PAUSE
    assert found == LONGEST_PAUSE or found >= timedelta(seconds=max(after, base / 2)) * 0.999999
