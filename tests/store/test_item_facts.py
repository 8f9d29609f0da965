"""Line items looked up by many scores at once."""

import numpy as np
import pytest

from mapping.pairs import NOWHERE
from store import gradebook
from store.item_facts import ItemFacts, aligned_items, items_among
from store.score_tables import alignment_table
from tests.store.places import align, column, publish, rule


def facts(*ids):
    size = len(ids)
    return ItemFacts.of(
        {
            "line_item": np.array(ids, dtype=np.int64),
            "minimum": np.zeros(size),
            "maximum": np.array(ids, dtype=np.float64),
            "due_at": np.zeros(size, dtype=np.int64),
            "course": np.zeros(size, dtype=np.int64),
            "is_removed": np.zeros(size, dtype=np.bool_),
        }
    )


@pytest.mark.parametrize("ids", [(7, 3, 5), (3, 5, 10**9), (4,), ()])
def test_a_line_item_is_found_whether_ids_lie_together_or_far_apart(ids):
    known = facts(*ids)
    sought = np.array([*ids, 1, 6, 10**10], dtype=np.int64)

    place = known.find(sought)

    assert known.maximum[place[: len(ids)]].tolist() == list(ids)
    assert place[len(ids) :].tolist() == [NOWHERE] * 3


def test_a_tenants_line_items_are_those_that_speak(db, district, algebra):
    publish(db, district)
    items = gradebook.save_line_items(
        db, algebra, [column(ref, maximum=8.0) for ref in ("quiz", "a", "b", "c")]
    )
    align(db, district, algebra, rule("N.1", line_item="quiz"))

    found = aligned_items(db, district, alignment_table(db, district).line_item)

    assert found.line_item.tolist() == [items["quiz", None]]
    assert (found.maximum.tolist(), found.course.tolist()) == ([8.0], [algebra])


def test_some_line_items_are_loaded_by_their_ids_and_none_by_none(db, algebra):
    items = gradebook.save_line_items(db, algebra, [column("quiz"), column("test")])
    wanted = np.array([items["test", None]], dtype=np.int64)

    assert items_among(db, wanted).line_item.tolist() == wanted.tolist()
    assert items_among(db, wanted[:0]).line_item.size == 0
