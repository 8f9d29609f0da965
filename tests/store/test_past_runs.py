"""Which run is the newest, and when all went well last."""

from datetime import timedelta

import pytest

from store import past_runs, sync_state
from store.sync_state import ItemState, Phase
from tests.store.places import NOW


def over(db, district, canvas, *, phase=Phase.PLAN, state=ItemState.DONE, hour=0, cause="nightly"):
    """A run of one part that is over."""
    now = NOW + timedelta(hours=hour)
    run = sync_state.start_run(db, district, cause=cause, is_full=False, now=now)
    sync_state.add_items(db, run, phase, places=[(None, canvas)])
    (item,) = [item for item, _ in sync_state.due_items(db, run, now=now)]
    lease = sync_state.claim(db, item.id, now=now)
    sync_state.finish(db, lease, state, now=now, cause="x", message="y")
    sync_state.enter_phase(db, run, Phase.DONE, now=now)
    return run


def test_a_night_in_which_something_failed_is_not_the_last_good_one(db, district, canvas):
    over(db, district, canvas)
    failed = over(db, district, canvas, state=ItemState.FAILED, hour=24)

    assert past_runs.last_good_night(db, district) == NOW
    assert past_runs.newest(db, district).id == failed


def test_courses_read_out_of_turn_are_no_night(db, district, canvas):
    night = over(db, district, canvas, state=ItemState.FAILED)
    refresh = over(db, district, canvas, phase=Phase.PULL, hour=8, cause="refresh")

    assert past_runs.newest(db, district).id == night
    assert past_runs.last_good_night(db, district) is None
    assert past_runs.newest_of_all(db, district).id == refresh


@pytest.mark.parametrize("question", [past_runs.newest, past_runs.last_good_night])
def test_before_the_first_run_there_is_none(db, district, question):
    assert question(db, district) is None
