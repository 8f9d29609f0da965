"""The nights of a calendar, and what one did otherwise than another."""

from datetime import timedelta

import pytest

from store.nights import Outcome, new_troubles, night_before, nights_since
from store.sync_state import ItemState, Phase
from tests.store.places import NOW, new_tenant
from tests.store.test_past_runs import over


def outcomes(db, district, since=NOW):
    return [one.outcome for one in nights_since(db, district, since)]


def test_each_night_is_told_by_the_worst_of_it(db, district, canvas):
    over(db, district, canvas)
    over(db, district, canvas, state=ItemState.FAILED, hour=24)
    over(db, district, canvas, state=ItemState.SKIPPED, hour=48)

    assert outcomes(db, district) == [Outcome.DONE, Outcome.LEFT_OUT, Outcome.LEFT_OUT]
    assert outcomes(db, district, NOW + timedelta(hours=30)) == [Outcome.LEFT_OUT]


def test_courses_read_out_of_turn_and_other_tenants_are_no_nights(db, district, canvas):
    over(db, district, canvas, phase=Phase.PULL, cause="refresh")

    assert outcomes(db, district) == []
    over(db, district, canvas, hour=1)
    assert outcomes(db, new_tenant(db, "Other")) == []


def test_the_night_before_passes_over_what_was_no_night(db, district, canvas):
    first = over(db, district, canvas)
    over(db, district, canvas, phase=Phase.PULL, hour=8, cause="refresh")
    second = over(db, district, canvas, hour=24)

    assert night_before(db, district, second) == first
    assert night_before(db, district, first) is None


@pytest.mark.parametrize("state", [ItemState.FAILED, ItemState.SKIPPED])
def test_a_trouble_that_came_and_one_that_went(db, district, canvas, state):
    good = over(db, district, canvas)
    bad = over(db, district, canvas, state=state, hour=24)
    same = over(db, district, canvas, state=state, hour=48)

    came = new_troubles(db, before=good, after=bad)
    stayed = new_troubles(db, before=bad, after=same)
    gone = new_troubles(db, before=same, after=good)

    assert [one.message for one in came.came] == ["y"]
    assert (came.gone, stayed.came, stayed.gone, gone.came) == ((), (), (), ())
    assert [one.cause for one in gone.gone] == ["x"]
