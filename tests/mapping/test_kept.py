"""What is new in standings beside those that were kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.evidence.tables import View
from mapping.kept import NO_STATUS, KeptTable, differing, places
from mapping.status import Status

PLACES = tuple((learner, 7, view) for learner in (1, 2, 2**31 - 1) for view in View)


def table(rows):
    """Standings by place, each with what differs from being nowhere."""
    where = sorted(rows, key=lambda one: (one[2], one[0], one[1]))
    learner, competency, view = (np.array([p[n] for p in where], dtype=np.int64) for n in range(3))
    made = KeptTable.nowhere(places(learner, competency, view))
    for number, place in enumerate(where):
        for name, value in rows[place].items():
            getattr(made, name)[number] = value
    return made


def news(before, after):
    found = differing(table(before), table(after))
    where = (found.after.learner, found.after.competency, found.after.view)
    return {
        tuple(map(int, place)): (int(status), found.after.status.tolist()[number])
        for number, (*place, status) in enumerate(zip(*where, found.previous_status, strict=True))
    }


def test_a_place_says_whose_it_is_in_what_and_for_whose_eyes():
    made = table({place: {} for place in PLACES})

    told = zip(made.learner.tolist(), made.competency.tolist(), made.view.tolist(), strict=True)
    assert set(told) == set(PLACES)


def test_an_estimate_that_differs_in_the_last_digits_is_no_change():
    before, after = {PLACES[0]: {"estimate": 2.5}}, {PLACES[0]: {"estimate": 2.5 + 1e-12}}

    assert len(differing(table(before), table(after))) == 0


@pytest.mark.parametrize(
    ("before", "after", "is_shown"),
    [
        ({"estimate": 2.5}, {"estimate": 2.6}, True),
        ({"estimate": 2.5}, {"estimate": 2.5 + 1e-12, "evidence_count": 2}, False),
        ({}, {"estimate": 2.5}, True),
        ({"estimate": 2.5}, {}, True),
        ({}, {"status": Status.MASTERED}, True),
        ({}, {"level": 1}, True),
        ({}, {"mastered_count": 1}, True),
        ({}, {"override": 1}, True),
        ({}, {"rule": 3}, True),
        ({}, {"mastered_at": 3}, False),
        ({}, {"review_at": 3}, False),
    ],
)
def test_whatever_else_differs_is_a_change_and_may_be_shown_in_a_mark(before, after, is_shown):
    found = differing(table({PLACES[0]: before}), table({PLACES[0]: after}))

    assert len(found) == 1
    assert found.is_shown.tolist() == [is_shown]
    assert found.was_there.tolist() == [True]


def test_a_standing_that_was_never_there_is_a_change_even_without_evidence():
    assert news({}, {PLACES[0]: {}}) == {PLACES[0]: (NO_STATUS, Status.NO_EVIDENCE)}


def test_a_standing_without_evidence_any_more_becomes_no_evidence():
    before = {PLACES[0]: {"status": Status.MASTERED, "estimate": 3.5}}

    assert news(before, {}) == {PLACES[0]: (Status.MASTERED, Status.NO_EVIDENCE)}


def test_who_has_no_evidence_still_is_not_told_of_again():
    assert news({PLACES[0]: {}}, {}) == {}


_TABLES = st.dictionaries(
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.sampled_from(View)),
    st.fixed_dictionaries({"status": st.sampled_from(Status), "evidence_count": st.integers(0, 1)}),
)


@given(before=_TABLES, after=_TABLES)
def test_changes_are_those_that_a_comparison_one_by_one_finds(before, after):
    nowhere = {"status": Status.NO_EVIDENCE, "evidence_count": 0}
    wanted = {
        place: (before[place]["status"] if place in before else NO_STATUS, said["status"])
        for place, said in {**dict.fromkeys(before, nowhere), **after}.items()
        if before.get(place) != said
    }

    assert news(before, after) == wanted
