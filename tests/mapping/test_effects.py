"""Effects added up batch by batch."""

import numpy as np
import pytest

from mapping.effects import NO_SCHOOL, Batch, Columns, Tally
from mapping.evidence.tables import View
from mapping.kept import NO_RULE, KeptTable, places
from mapping.status import NO_LEVEL, OverrideState, Status

STRAND, ONE, TWO = 1, 2, 3
NOBODY = np.zeros(0, dtype=np.int64)
MASTERED, DEVELOPING, EMERGING = Status.MASTERED, Status.DEVELOPING, Status.EMERGING


def table(*rows):
    """Standings of (view, learner, competency, status, estimate)."""
    rows = sorted(rows, key=lambda one: (int(one[0]), one[1], one[2]))
    view, learner, competency, status, estimate = zip(*rows, strict=True) if rows else ((),) * 5
    size = len(rows)
    place = places(np.array(learner, "i8"), np.array(competency, "i8"), np.array(view, "i8"))
    return KeptTable(
        place=place,
        status=np.array(status, np.int8),
        level=np.full(size, NO_LEVEL, np.int8),
        estimate=np.array(estimate, float),
        evidence_count=np.ones(size, "i8"),
        mastered_count=np.zeros(size, "i8"),
        mastered_at=np.zeros(size, "i8"),
        review_at=np.zeros(size, "i8"),
        override=np.full(size, OverrideState.NONE, np.int8),
        rule=np.full(size, NO_RULE),
    )


def stand(learner, competency, status, estimate=2.0):
    """In both views alike."""
    return [(view, learner, competency, status, estimate) for view in View]


def batch(before, after, *, learners=None, school=NO_SCHOOL, cells=()):
    ids = np.unique([row[1] for row in (*before, *after)] if learners is None else learners)
    columns = np.array(sorted(cells), "i8").reshape(-1, 2)
    return Batch(
        learner=ids.astype("i8"),
        school=np.full(ids.size, school),
        before=table(*before),
        after=table(*after),
        cells=Columns(learner=columns[:, 0].copy(), competency=columns[:, 1].copy()),
    )


def told(*batches, recounted=NOBODY):
    tally = Tally(np.array([STRAND]), recounted)
    for one in batches:
        tally.add(one)
    return tally.effect()


def test_nobody_has_no_effect():
    effect = told(batch([], []))

    assert (effect.learners, effect.concerned, effect.moved, effect.marks) == (0, 0, 0, 0)


def test_moves_are_counted_but_not_those_of_strands():
    before = [*stand(1, ONE, DEVELOPING), *stand(1, STRAND, DEVELOPING), *stand(2, ONE, MASTERED)]
    after = [*stand(1, ONE, MASTERED), *stand(1, STRAND, MASTERED), *stand(2, ONE, MASTERED)]

    effect = told(batch(before, after, school=7))

    assert effect.moves == {(DEVELOPING, MASTERED): 1}
    assert effect.moved == effect.concerned == 1
    assert (effect.changed, effect.same) == (2, 1)
    assert set(effect.by_competency) == {STRAND, ONE}
    assert effect.by_competency[ONE].mastered == (1, 2)
    assert effect.by_school[7].mastered == (1, 2)


def test_an_estimate_alone_is_a_change_and_no_move():
    effect = told(batch(stand(1, ONE, DEVELOPING), stand(1, ONE, DEVELOPING, 2.5)))

    assert (effect.changed, effect.moved, effect.same) == (1, 0, 0)
    assert effect.by_competency == {}
    assert effect.examples == ()


def test_who_loses_all_evidence_goes_to_none():
    effect = told(batch(stand(1, ONE, MASTERED), [], learners=[1]))

    assert effect.moves == {(MASTERED, Status.NO_EVIDENCE): 1}
    assert effect.same == 0
    assert effect.by_competency[ONE].after == {}
    assert effect.examples[0].estimate_after is None


def test_batches_add_up():
    one, two = (batch(stand(n, ONE, EMERGING), stand(n, ONE, MASTERED)) for n in (1, 2))

    assert told(one, two) == told(
        batch(
            [*stand(1, ONE, EMERGING), *stand(2, ONE, EMERGING)],
            [*stand(1, ONE, MASTERED), *stand(2, ONE, MASTERED)],
        )
    )


@pytest.mark.parametrize("size", [3, 60])
def test_examples_are_few_of_each_move_and_mastery_goes_first(size):
    before = [row for n in range(1, size + 1) for row in stand(n, ONE, DEVELOPING)]
    after = [
        row
        for n in range(1, size + 1)
        for row in stand(n, ONE, MASTERED if n % 3 == 0 else EMERGING)
    ]

    examples = told(batch(before, after)).examples

    assert examples[0].after is MASTERED
    assert len(examples) == min(size, 10)


def test_there_is_an_end_to_examples():
    statuses = [one for one in Status if one is not Status.NO_EVIDENCE]
    pairs = [(a, b) for a in statuses for b in statuses if a is not b]
    moves = [pair for pair in pairs for _ in range(5)]
    before = [row for n, (a, _) in enumerate(moves, 1) for row in stand(n, ONE, a)]
    after = [row for n, (_, b) in enumerate(moves, 1) for row in stand(n, ONE, b)]

    effect = told(batch(before, after), batch(stand(999, TWO, EMERGING), stand(999, TWO, MASTERED)))

    assert len(effect.examples) == 25
    assert effect.moved == len(moves) + 1


def test_only_cells_that_gradebooks_have_are_written_anew_each_once():
    before, after = stand(1, ONE, EMERGING), stand(1, ONE, MASTERED)

    assert told(batch(before, after, cells=[(1, ONE), (1, ONE), (1, TWO), (2, ONE)])).marks == 2
    assert told(batch(before, after)).marks == 0


def test_what_only_teachers_see_is_written_nowhere():
    hidden = [(View.TEACHER, 1, ONE, MASTERED, 3.0), (View.LEARNER, 1, ONE, EMERGING, 1.0)]

    effect = told(batch(stand(1, ONE, EMERGING, 1.0), hidden, cells=[(1, ONE)]))

    assert (effect.moved, effect.marks) == (1, 0)


def test_where_another_number_can_be_shown_every_cell_may_be_written_anew():
    same = [*stand(1, STRAND, MASTERED), *stand(2, STRAND, MASTERED)]
    cells = [(1, STRAND), (2, STRAND), (2, ONE)]

    assert told(batch(same, same, cells=cells), recounted=np.array([STRAND])).marks == 2
    assert told(batch(same, same, cells=cells)).marks == 0


def test_nobodys_gradebook_has_no_cells():
    assert Columns.none().learner.size == 0
