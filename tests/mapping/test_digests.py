"""A digest of each learner's standings: alike where all is alike, another one where anything is."""

import numpy as np
import pytest

from mapping.columns import NO_MOMENT
from mapping.digests import Digests
from mapping.evidence.tables import View
from mapping.kept import KeptTable, places

LEARNERS = np.array([3, 5, 7])


def standings() -> KeptTable:
    """Both views of two competencies of learners 3 and 7; nothing of 5."""
    view = np.repeat([int(one) for one in View], 4)
    learner, competency = np.tile([3, 3, 7, 7], 2), np.tile([1, 2, 1, 2], 2)
    return KeptTable.nowhere(places(learner, competency, view))


def test_standings_that_are_alike_have_one_digest():
    assert Digests.of(standings(), LEARNERS).equals(Digests.of(standings(), LEARNERS)).all()


@pytest.mark.parametrize("name", [name for name in KeptTable.__slots__ if name != "place"])
@pytest.mark.parametrize("row", [0, 7])
def test_whatever_changes_changes_the_digest_of_its_learner_only(name, row):
    other = standings()
    getattr(other, name)[row] = 2

    is_same = Digests.of(standings(), LEARNERS).equals(Digests.of(other, LEARNERS))

    assert is_same.tolist() == ([False, True, True] if row == 0 else [True, True, False])


def test_a_standing_that_is_gone_changes_the_digest():
    fewer = standings().rows(np.arange(8) != 4)

    is_same = Digests.of(standings(), LEARNERS).equals(Digests.of(fewer, LEARNERS))

    assert is_same.tolist() == [False, True, True]


def test_nobody_has_no_digest_and_a_table_of_nothing_one_of_each():
    nothing = KeptTable.nowhere(np.zeros(0, dtype=np.int64))

    assert Digests.of(nothing, LEARNERS[:0]).learner.size == 0
    assert Digests.of(nothing, LEARNERS).is_there.all()
    assert NO_MOMENT not in Digests.of(nothing, LEARNERS).high
