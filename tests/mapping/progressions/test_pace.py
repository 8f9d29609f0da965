import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.progressions.pace import Pace, PlanTable, overall, pace
from mapping.rules.rulebook import Enrolments
from mapping.status import Status
from tests.mapping.standing_rows import LEARNER, standing_table

COURSE, OTHER_COURSE = 50, 51
NOW = 1000


def plan(*rows):
    owner, competency, by = zip(*rows, strict=True) if rows else ((), (), ())
    return PlanTable.of({"owner": owner, "competency": competency, "by": by})


def members(*pairs):
    learner, course = zip(*pairs, strict=True) if pairs else ((), ())
    return Enrolments(
        learner=np.array(learner, dtype=np.int64), course=np.array(course, dtype=np.int64)
    )


def paced(standings, own=(), courses=(), enrolled=((LEARNER, COURSE),)):
    return pace(
        standings, own=plan(*own), courses=plan(*courses), enrolments=members(*enrolled), at=NOW
    )


@pytest.mark.parametrize(
    ("status", "mastered_at", "by", "expected"),
    [
        (Status.MASTERED, 500, 2000, Pace.AHEAD),
        (Status.RECHECK_DUE, 500, 2000, Pace.AHEAD),
        (Status.MASTERED, 500, 900, Pace.ON_PACE),
        (Status.MASTERED, 950, 900, Pace.ON_PACE),
        (Status.DEVELOPING, None, 2000, Pace.ON_PACE),
        (Status.DEVELOPING, None, NOW, Pace.ON_PACE),
        (Status.DEVELOPING, None, 999, Pace.LATER),
        (Status.NO_EVIDENCE, None, 999, Pace.LATER),
        (Status.NOT_SUSTAINED, 500, 900, Pace.ON_PACE),
        (Status.NOT_SUSTAINED, 950, 900, Pace.LATER),
    ],
)
def test_pace_is_how_mastery_stands_to_its_date(status, mastered_at, by, expected):
    first = {} if mastered_at is None else {"mastered_at": mastered_at}

    table = paced(standing_table({"status": status, **first}), own=[(LEARNER, 1, by)])

    assert table.of(LEARNER, 1) is expected


def test_without_dates_nothing_is_later_than_planned():
    table = paced(standing_table({"status": Status.EMERGING}))

    assert len(table) == 0
    assert table.of(LEARNER, 1) is Pace.NO_DATE


def test_a_learner_without_a_standing_has_a_pace_too():
    table = paced(standing_table(), courses=[(COURSE, 1, 900)])

    assert table.of(LEARNER, 1) is Pace.LATER


def test_a_learner_s_own_plan_goes_before_the_course_s():
    table = paced(
        standing_table(), own=[(LEARNER, 1, 2000)], courses=[(COURSE, 1, 900), (COURSE, 2, 900)]
    )

    assert table.is_own.tolist() == [True, False]
    assert table.by.tolist() == [2000, 900]
    assert (table.of(LEARNER, 1), table.of(LEARNER, 2)) == (Pace.ON_PACE, Pace.LATER)


def test_of_several_courses_the_latest_date_holds():
    table = paced(
        standing_table(),
        courses=[(OTHER_COURSE, 1, 2000), (COURSE, 1, 900)],
        enrolled=[(LEARNER, COURSE), (LEARNER, OTHER_COURSE)],
    )

    assert table.by.tolist() == [2000]


def test_dates_of_a_course_are_for_its_learners():
    table = paced(standing_table(), courses=[(OTHER_COURSE, 1, 900)])

    assert table.of(LEARNER, 1) is Pace.NO_DATE


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([(Status.MASTERED, 2000), (Status.EMERGING, 2000)], Pace.AHEAD),
        ([(Status.MASTERED, 2000), (Status.EMERGING, 900)], Pace.ON_PACE),
        ([(Status.MASTERED, 900), (Status.EMERGING, 900)], Pace.LATER),
        ([(Status.MASTERED, 900)], Pace.ON_PACE),
    ],
)
def test_a_learner_s_pace_in_all_weighs_what_is_ahead_against_what_is_later(statuses, expected):
    standings = standing_table(
        *({"competency": n, "status": status} for n, (status, _) in enumerate(statuses))
    )
    own = [(LEARNER, n, by) for n, (_, by) in enumerate(statuses)]

    assert overall(paced(standings, own=own)) == {LEARNER: expected}


def test_no_plan_has_no_dates():
    table = pace(
        standing_table({}),
        own=PlanTable.none(),
        courses=PlanTable.none(),
        enrolments=members((LEARNER, COURSE)),
        at=NOW,
    )

    assert len(table) == 0


def test_nobody_without_a_date_has_a_pace_in_all():
    assert overall(paced(standing_table({}))) == {}


_BY = st.integers(NOW - 2, NOW + 2)
_SMALL = st.integers(0, 3)


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.tuples(_SMALL, _SMALL), st.tuples(st.sampled_from(Status), _BY), max_size=12
    ),
    st.lists(st.tuples(_SMALL, _SMALL, _BY), max_size=8),
    st.lists(st.tuples(st.integers(50, 53), _SMALL, _BY), max_size=8),
    st.sets(st.tuples(_SMALL, st.integers(50, 53)), max_size=8),
)
def test_pace_is_what_a_plain_loop_says(standings, own, courses, enrolled):
    rows = [
        {"learner": who, "competency": what, "status": status, "mastered_at": mastered_at}
        for (who, what), (status, mastered_at) in sorted(standings.items())
    ]

    table = paced(standing_table(*rows), own, courses, tuple(enrolled))

    dates = {}
    for who, course in enrolled:
        for owner, what, by in courses:
            if owner == course:
                dates[who, what] = max(dates.get((who, what), (False, 0)), (False, by))
    for who, what, by in own:
        dates[who, what] = max(dates.get((who, what), (False, 0)), (True, by))
    expected = {}
    for key, (is_own, by) in sorted(dates.items()):
        status, mastered_at = standings.get(key, (Status.NO_EVIDENCE, by + 1))
        if status.is_mastered:
            found = Pace.ON_PACE if by < NOW else Pace.AHEAD
        else:
            found = Pace.LATER if by < NOW and mastered_at > by else Pace.ON_PACE
        expected[key] = (is_own, by, found)
    names = (table.learner, table.competency, table.is_own, table.by, table.pace)
    assert {
        (who, what): (is_own, by, Pace(code))
        for who, what, is_own, by, code in zip(*(c.tolist() for c in names), strict=True)
    } == expected


@pytest.mark.parametrize("words", [code.label for code in Pace])
def test_no_words_of_pace_speak_of_failing(words):
    assert not re.search(r"\b(fail\w*|behind)\b", words, re.IGNORECASE)
