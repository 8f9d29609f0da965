"""Cells come in pages whose borders nobody sees."""

import pytest

from simulators.canvas.cells import (
    STATES,
    CellQuery,
    bookmark_values,
    count_cells,
    one_cell,
    select_cells,
)

QUERIES = [
    CellQuery(course=101),
    CellQuery(course=101, states=sorted(STATES)),
    CellQuery(course=101, states=["graded"]),
    CellQuery(course=101, updated_since=0.0),
    CellQuery(course=101, learners=[3, 5], assignments=[1001, 1003]),
    CellQuery(course=101, by_graded_at=True),
]


@pytest.mark.parametrize("query", QUERIES)
def test_pages_by_offset_put_together_are_the_whole(state, query):
    whole = select_cells(state, query)

    pages = [select_cells(state, query, limit=2, offset=start) for start in range(0, 14, 2)]

    assert [cell for page in pages for cell in page] == whole
    assert len(whole) == count_cells(state, query) > 0


@pytest.mark.parametrize("query", QUERIES)
def test_pages_by_bookmark_put_together_are_the_whole(state, query):
    whole = select_cells(state, query)

    found = select_cells(state, query, limit=1)
    while page := select_cells(state, query, after=bookmark_values(found[-1], query), limit=3):
        found = [*found, *page]

    assert found == whole


def test_descending_turns_the_order_round(state):
    up = select_cells(state, CellQuery(course=101))
    down = select_cells(state, CellQuery(course=101, descending=True))

    assert [cell.id for cell in down] == [cell.id for cell in reversed(up)]


def test_one_cell_is_none_for_an_unpublished_assignment(state):
    assert one_cell(state, 101, (1001, 3)) is not None
    assert one_cell(state, 101, (1004, 3)) is None
