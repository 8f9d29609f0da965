from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.evidence.tables import View
from mapping.judgement.judging import judge, judge_pairs
from mapping.judgement.views import judge_both
from mapping.pairs import Pairs
from mapping.rules.mastery_rule import MasteryRule
from mapping.status import StandingTable, Status
from tests.mapping.judged import grounds, row_of, said
from tests.mapping.worlds import world

SEEDS = st.integers(0, 2**32)


def assert_same(found, expected):
    for name in StandingTable.__slots__:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def seen_alike(scores, *hidden):
    is_visible = ~np.isin(np.arange(len(scores)), hidden)
    columns = {name: getattr(scores, name) for name in scores.__slots__}
    return type(scores).of({**columns, "is_visible": is_visible})


@settings(max_examples=40)
@given(SEEDS)
def test_both_views_are_bit_for_bit_those_of_one_judgement_each(seed):
    here = world(seed, learners=10).grounds()

    found = judge_both(here)

    for view, table in zip(View, found, strict=True):
        assert_same(table, judge(here, view))


@settings(max_examples=15)
@given(SEEDS, st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), max_size=6))
def test_of_some_pairs_both_views_are_those_of_judging_them(seed, chosen):
    here = world(seed, learners=8).grounds()
    learner, competency = np.array(chosen, dtype=np.int64).reshape(-1, 2).T
    pairs = Pairs.of(learner, competency)

    found = judge_both(here, pairs)

    for view, table in zip(View, found, strict=True):
        assert_same(table, judge_pairs(here, pairs, view))


def test_where_nothing_is_hidden_both_views_are_one():
    teacher, learner = judge_both(grounds({1: [4.0, 4.0], 2: [1.0, 1.0]}))

    assert teacher is learner


@pytest.mark.parametrize(("hidden", "status"), [(0, Status.EMERGING), (2, Status.MASTERED)])
def test_a_hidden_piece_changes_only_the_learners_standing_it_speaks_for(hidden, status):
    here = grounds({1: [4.0, 1.0, 1.0], 2: [4.0, 4.0]}, MasteryRule(mastered=2.5))
    here = replace(here, scores=seen_alike(here.scores, hidden))

    teacher, learner = judge_both(here)

    assert row_of(teacher, 1)["status"] == Status.DEVELOPING
    assert row_of(learner, 1)["status"] == status
    assert row_of(learner, 2) == row_of(teacher, 2)


def test_an_override_without_evidence_stands_in_both_views():
    word = said({"competency": 3, "status": Status.MASTERED})
    here = grounds({1: [4.0, 4.0]}, overrides=word)
    here = replace(here, scores=seen_alike(here.scores, 0))

    found = judge_both(here)

    assert [row_of(table, 3)["status"] for table in found] == [Status.MASTERED] * 2
