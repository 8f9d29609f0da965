import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mapping.rollup import class_counts
from mapping.status import Status
from tests.mapping.standing_rows import LEARNER, standing_table

IDS = st.lists(st.integers(0, 5), max_size=6)
STANDINGS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 4)), st.sampled_from(Status), max_size=20
)


def ids(*numbers):
    return np.array(numbers, dtype=np.int64)


def test_a_class_is_counted_by_status():
    table = standing_table({"competency": 1}, {"competency": 2, "status": Status.INSUFFICIENT})

    counts = class_counts(table, learners=ids(LEARNER), competencies=ids(1, 2))

    assert counts.of(1, Status.MASTERED) == 1
    assert counts.of(2, Status.INSUFFICIENT) == 1


def test_a_learner_without_a_standing_has_no_evidence_yet():
    table = standing_table({"competency": 1})

    counts = class_counts(table, learners=ids(LEARNER, 8, 9), competencies=ids(1))

    assert counts.of(1, Status.NO_EVIDENCE) == 2


def test_learners_and_competencies_of_others_are_left_out():
    table = standing_table({"competency": 1}, {"competency": 2})

    counts = class_counts(table, learners=ids(8), competencies=ids(1))

    assert counts.counts.tolist() == [[1, 0, 0, 0, 0, 0, 0]]
    assert counts.of(2, Status.MASTERED) == 0


@given(STANDINGS, IDS, IDS)
def test_every_competency_counts_the_whole_class_once(standings, learners, competencies):
    rows = [
        {"learner": learner, "competency": competency, "status": status}
        for (learner, competency), status in sorted(standings.items())
    ]

    counts = class_counts(
        standing_table(*rows), learners=ids(*learners), competencies=ids(*competencies)
    )

    assert counts.competency.tolist() == sorted(set(competencies))
    assert counts.counts.tolist() == [
        [
            sum(standings.get((learner, c), Status.NO_EVIDENCE) is s for learner in set(learners))
            for s in Status
        ]
        for c in sorted(set(competencies))
    ]
