from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import GiveUp
from connectors.scores import OwnScore, next_timestamp, score_payload

NAN, INFINITY = float("nan"), float("inf")


def score(**changes):
    facts = {
        "user_id": "3",
        "given": 3.0,
        "maximum": 4.0,
        "comment": "Proficient",
        "timestamp": "2026-11-21T02:00:00.123Z",
    }
    return OwnScore(**{**facts, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": ""},
        {"given": NAN},
        {"given": INFINITY},
        {"given": -INFINITY},
        {"given": True},
        {"given": -0.5},
        {"given": "3"},
        {"maximum": 0.0},
        {"maximum": -1.0},
        {"maximum": NAN},
        {"maximum": INFINITY},
        {"maximum": True},
        {"maximum": None},
        {"timestamp": ""},
        {"timestamp": "2026-11-21T02:00:00"},
        {"timestamp": "2026-11-21"},
        {"timestamp": "1795300000"},
        {"timestamp": "yesterday"},
        {"activity": "Done"},
        {"activity": "completed"},
        {"grading": "Graded"},
        {"given": None, "extra": {"scoreGiven": 5}},
        {"extra": {"userId": "4"}},
    ],
)
def test_a_score_that_makes_no_sense_is_not_sent(changes):
    with pytest.raises(GiveUp) as caught:
        score_payload(score(**changes))

    assert caught.value.cause == "bad_score"


@pytest.mark.parametrize(
    "timestamp",
    ["2026-11-21T02:00:00Z", "2026-11-21T02:00:00.123456+01:00", "2026-11-21T02:00:00.000+0000"],
)
def test_g17_a_timestamp_has_a_zone_and_may_have_parts_of_a_second(timestamp):
    assert score_payload(score(timestamp=timestamp))["timestamp"] == timestamp


@given(
    points=st.none() | st.floats() | st.integers(-5, 5),
    maximum=st.floats() | st.integers(-5, 5),
)
def test_g19_points_never_go_without_a_maximum_above_zero(points, maximum):
    try:
        sent = score_payload(score(given=points, maximum=maximum))
    except GiveUp:
        return

    assert ("scoreGiven" in sent) == ("scoreMaximum" in sent) == (points is not None)
    assert sent.get("scoreMaximum", 1) > 0


def test_g21_extra_credit_is_sent_unless_the_score_is_capped():
    assert score_payload(score(given=5.0))["scoreGiven"] == 5.0
    with pytest.raises(GiveUp):
        score_payload(score(given=5.0, is_capped=True))


def test_g23_a_grade_is_cleared_by_progress_without_points():
    sent = score_payload(score(given=None))

    assert (sent["activityProgress"], sent["gradingProgress"]) == ("Initialized", "NotReady")
    assert not {"scoreGiven", "scoreMaximum"} & set(sent)


def test_progress_may_be_said_in_the_words_of_ags():
    sent = score_payload(score(activity="Submitted", grading="PendingManual"))

    assert (sent["activityProgress"], sent["gradingProgress"]) == ("Submitted", "PendingManual")


@pytest.mark.parametrize("comment", ["<b>a & b</b>\nnext", "x" * 4096, "žluťoučký 🐎"])
def test_g25_a_comment_keeps_its_signs_and_its_length(comment):
    assert score_payload(score(comment=comment))["comment"] == comment


moments = st.integers(0, 10**9).map(
    lambda passed: (
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))) + timedelta(milliseconds=passed)
    )
)


@given(now=moments, last=st.none() | moments)
def test_g17_the_next_timestamp_is_a_later_whole_second(now, last):
    found = datetime.fromisoformat(next_timestamp(now, last))

    assert found.tzinfo is not None
    assert last is None or int(found.timestamp()) > int(last.timestamp())
    assert found >= now


def test_g46_two_scores_within_a_second_do_not_share_it():
    now = datetime(2026, 11, 21, 2, 0, 0, 400_000, tzinfo=UTC)

    first = next_timestamp(now)
    second = next_timestamp(now, datetime.fromisoformat(first))

    assert (first, second) == ("2026-11-21T02:00:00.400+00:00", "2026-11-21T02:00:01.000+00:00")
