import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.progressions.graph import Links
from mapping.progressions.readiness import Readiness, readiness
from mapping.records import LinkKind
from mapping.status import Status
from tests.mapping.standing_rows import LEARNER, standing_table

OPEN, WAITING, READY = Readiness.NO_PREREQUISITES, Readiness.WAITING, Readiness.READY


def links_of(*pairs):
    return Links.of((first, LinkKind.PRECEDES, then) for first, then in pairs)


def ids(*numbers):
    return np.array(numbers, dtype=np.int64)


def asked(standings, links, *competencies, learners=(LEARNER,)):
    return readiness(standings, links, learners=ids(*learners), competencies=ids(*competencies))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status.MASTERED, READY),
        (Status.RECHECK_DUE, READY),
        (Status.NOT_SUSTAINED, WAITING),
        (Status.DEVELOPING, WAITING),
        (Status.NO_EVIDENCE, WAITING),
    ],
)
def test_a_learner_is_ready_when_what_comes_before_is_mastered(status, state):
    table = asked(standing_table({"competency": 1, "status": status}), links_of((1, 2)), 2)

    assert table.state.tolist() == [state]


def test_a_learner_waits_for_what_is_not_mastered_and_for_nothing_else():
    standings = standing_table({"competency": 1}, {"competency": 2, "status": Status.EMERGING})

    table = asked(standings, links_of((1, 9), (3, 9), (2, 9)), 9)

    assert table.waiting_for(0) == (2, 3)


def test_only_what_directly_comes_before_is_waited_for():
    standings = standing_table({"competency": 2})

    table = asked(standings, links_of((1, 2), (2, 3)), 3)

    assert table.state.tolist() == [READY]


def test_what_nothing_comes_before_is_open():
    table = asked(standing_table(), links_of((1, 2)), 1, 7)

    assert table.state.tolist() == [OPEN, OPEN]
    assert not table.may_move_on.any()


def test_who_is_ready_and_has_not_mastered_it_may_move_on():
    standings = standing_table({"competency": 1}, {"competency": 2})

    table = asked(standings, links_of((1, 2), (1, 3)), 2, 3)

    assert table.state.tolist() == [READY, READY]
    assert table.may_move_on.tolist() == [False, True]


def test_every_learner_and_competency_asked_for_has_one_row():
    table = asked(standing_table(), links_of((1, 2)), 2, 1, 2, learners=(8, 7, 8))

    assert table.learner.tolist() == [7, 7, 8, 8]
    assert table.competency.tolist() == [1, 2, 1, 2]
    assert len(table) == 4


def test_nobody_asked_for_gives_no_rows():
    assert len(asked(standing_table(), links_of((1, 2)), 2, learners=())) == 0
    assert len(asked(standing_table(), links_of((1, 2)))) == 0


_PAIRS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda p: (min(p), max(p) + 1)), max_size=10
)
_STANDINGS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 8)), st.sampled_from(Status), max_size=25
)


@settings(max_examples=40)
@given(_STANDINGS, _PAIRS, st.sets(st.integers(0, 4)), st.sets(st.integers(0, 8)))
def test_readiness_is_what_a_plain_loop_says(standings, pairs, learners, competencies):
    rows = [
        {"learner": learner, "competency": competency, "status": status}
        for (learner, competency), status in sorted(standings.items())
    ]

    table = asked(standing_table(*rows), links_of(*pairs), *competencies, learners=learners)

    row = 0
    for learner in sorted(learners):
        for competency in sorted(competencies):
            before = sorted({first for first, then in pairs if then == competency})
            unmet = [
                first
                for first in before
                if standings.get((learner, first)) not in (Status.MASTERED, Status.RECHECK_DUE)
            ]
            state = WAITING if unmet else READY if before else OPEN
            assert (table.learner[row], table.competency[row]) == (learner, competency)
            assert table.state[row] == state
            assert list(table.waiting_for(row)) == unmet
            row += 1
    assert len(table) == row


@pytest.mark.parametrize("words", [state.label for state in Readiness])
def test_no_words_of_readiness_speak_of_failing(words):
    assert not re.search(r"\b(fail\w*|behind)\b", words, re.IGNORECASE)
