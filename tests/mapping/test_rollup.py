import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mapping.evidence import evidence
from mapping.rollup import class_counts
from mapping.rules import MasteryRule
from mapping.status import Status, standings
from tests.mapping.tables import (
    ALIGNMENTS,
    LEARNER,
    SCORES,
    alignment_table,
    evidence_of,
    score_table,
)

RULE = MasteryRule()
IDS = st.lists(st.integers(0, 5), max_size=6)


def ids(*numbers):
    return np.array(numbers, dtype=np.int64)


def test_a_class_is_counted_by_status():
    table = standings(evidence_of({1: [3.0, 3.0], 2: [1.0]}), RULE)

    counts = class_counts(table, learners=ids(LEARNER), competencies=ids(1, 2))

    assert counts.of(1, Status.MASTERED) == 1
    assert counts.of(2, Status.INSUFFICIENT) == 1


def test_a_learner_without_a_standing_has_no_evidence_yet():
    table = standings(evidence_of({1: [3.0, 3.0]}), RULE)

    counts = class_counts(table, learners=ids(LEARNER, 8, 9), competencies=ids(1))

    assert counts.of(1, Status.NO_EVIDENCE) == 2


def test_learners_and_competencies_of_others_are_left_out():
    table = standings(evidence_of({1: [3.0, 3.0], 2: [3.0, 3.0]}), RULE)

    counts = class_counts(table, learners=ids(8), competencies=ids(1))

    assert counts.counts.tolist() == [[1, 0, 0, 0, 0]]
    assert counts.of(2, Status.MASTERED) == 0


@given(SCORES, ALIGNMENTS, IDS, IDS)
def test_every_competency_counts_the_whole_class_once(scores, alignments, learners, competencies):
    table = standings(evidence(score_table(*scores), alignment_table(*alignments)), RULE)

    counts = class_counts(table, learners=ids(*learners), competencies=ids(*competencies))

    assert counts.competency.tolist() == sorted(set(competencies))
    assert counts.counts.sum(axis=1).tolist() == [len(set(learners))] * len(set(competencies))
    assert counts.counts.min(initial=0) >= 0
