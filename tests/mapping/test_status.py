import re

import numpy as np
import pytest

from mapping.status import LADDER, Status, is_mastered
from tests.mapping.standing_rows import standing_table


def test_every_status_is_told_by_words_and_symbol_of_its_own():
    assert len({status.label for status in Status}) == len(Status)
    assert len({status.symbol for status in Status}) == len(Status)


@pytest.mark.parametrize("words", [status.label for status in Status])
def test_no_words_for_learners_speak_of_failing(words):
    assert not re.search(r"\b(fail\w*|behind)\b", words, re.IGNORECASE)


def test_the_ladder_has_every_status_and_mastery_on_top():
    assert sorted(LADDER) == list(Status)
    assert LADDER[-1] is Status.MASTERED


def test_the_numbers_of_statuses_are_those_that_databases_keep():
    assert [(status.name, int(status)) for status in Status] == [
        ("NO_EVIDENCE", 0),
        ("INSUFFICIENT", 1),
        ("EMERGING", 2),
        ("DEVELOPING", 3),
        ("MASTERED", 4),
        ("RECHECK_DUE", 5),
        ("NOT_SUSTAINED", 6),
    ]


def test_a_recheck_that_is_due_is_still_mastery():
    codes = np.array(list(Status), dtype=np.int8)

    counted = [status for status in Status if status.is_mastered]

    assert counted == [Status.MASTERED, Status.RECHECK_DUE]
    assert np.flatnonzero(is_mastered(codes)).tolist() == counted


def test_a_level_is_spoken_of_from_the_first_working_level_on():
    assert [status for status in Status if not status.is_evidenced] == [
        Status.NO_EVIDENCE,
        Status.INSUFFICIENT,
    ]


def test_tables_are_joined_picked_and_changed_by_columns():
    one, other = standing_table({"competency": 1}), standing_table({"competency": 2})

    table = type(one).joined((one, other)).rows(np.array([1, 0]))
    changed = table.with_columns(level=np.array([2, 3], dtype=np.int8))

    assert table.competency.tolist() == [2, 1]
    assert (changed.level.tolist(), changed.competency.tolist()) == ([2, 3], [2, 1])
