from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canvas.cursors import OVERLAP, cursor_from, read_cursor, wire
from mapping.records import Cursor

aware = st.datetimes(
    min_value=datetime(2000, 1, 2),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC) | st.timezones(),
)


@given(moment=aware, lists=st.text("0123456789abcdef"), is_by_rest=st.booleans())
def test_a_cursor_reaches_back_by_the_overlap_and_keeps_the_rest(moment, lists, is_by_rest):
    found = read_cursor(cursor_from(moment, lists=lists, is_by_rest=is_by_rest))

    assert found.updated_since == moment.astimezone(UTC) - OVERLAP
    assert found.updated_since.tzinfo is UTC
    assert (found.lists, found.is_by_rest) == (lists, is_by_rest)


def test_a_cursor_without_a_digest_still_says_from_where_to_read_on():
    found = read_cursor(Cursor('{"updated_since":"2026-11-21T02:00:00-03:00"}'))

    assert found.updated_since == datetime(2026, 11, 21, 5, tzinfo=UTC)
    assert found.lists == ""


@given(text=st.text())
def test_a_foreign_cursor_means_to_read_everything(text):
    assert read_cursor(Cursor(text)) is None


@pytest.mark.parametrize(
    "text", ['{"digests":{}}', '{"updated_since":"2026-11-21T02:00:00"}', "null", "[1]"]
)
def test_a_cursor_of_another_connector_means_to_read_everything(text):
    assert read_cursor(Cursor(text)) is None


def test_no_cursor_means_to_read_everything():
    assert read_cursor(None) is None


def test_a_moment_goes_out_in_the_form_that_canvas_reads():
    moment = datetime(2026, 11, 21, 2, tzinfo=UTC) + timedelta(milliseconds=5)

    assert wire(moment) == "2026-11-21T02:00:00.005000Z"
