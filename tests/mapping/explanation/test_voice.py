from datetime import UTC, datetime

import pytest

from mapping.columns import NO_MOMENT
from mapping.explanation.voice import PLAIN, moment_of, plain_day


def test_a_day_is_said_as_it_was_in_utc():
    assert plain_day(datetime(2026, 3, 9, 23, 59, tzinfo=UTC)) == "9 Mar 2026"


@pytest.mark.parametrize("micros", [NO_MOMENT, NO_MOMENT + 1, 2**63 - 1])
def test_what_no_calendar_holds_has_no_moment(micros):
    assert moment_of(micros) is None
    assert PLAIN.on(micros) == "an unknown date"


@pytest.mark.parametrize(
    ("parts", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_parts_are_listed_with_and_before_the_last(parts, said):
    assert PLAIN.listed(parts) == said
