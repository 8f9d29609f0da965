"""Digests of standings as they are kept, taken away, and told from others."""

import numpy as np

from mapping.digests import Digests
from store.standing_digests import keep_digests, kept_digests, take_away_digests


def digests(*learners: int) -> Digests:
    ids = np.array(learners, dtype=np.int64)
    return Digests(learner=ids, high=ids * -11, low=ids * 13)


def test_digests_are_kept_and_replaced(db):
    keep_digests(db, Digests(learner=np.array([2]), high=np.array([1]), low=np.array([1])))
    keep_digests(db, digests(2, 4))

    found = kept_digests(db, [2, 4])

    assert found.equals(digests(2, 4)).all()


def test_of_whom_none_is_kept_there_is_none(db):
    keep_digests(db, digests(2))

    assert kept_digests(db, [1, 2, 3]).is_there.tolist() == [False, True, False]


def test_who_has_none_after_a_change_has_another_none_than_before(db):
    keep_digests(db, digests(2))
    before = kept_digests(db, [2, 3])

    take_away_digests(db, np.array([2, 3]))
    once = kept_digests(db, [2, 3])
    take_away_digests(db, np.array([2]))

    assert not once.is_there.any()
    assert once.equals(before).tolist() == [False, False]
    assert once.equals(kept_digests(db, [2, 3])).tolist() == [False, True]
