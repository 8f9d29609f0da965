from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.passback import (
    LEVELS,
    LONGEST_WORDS,
    Wanted,
    column_tag,
    column_title,
    plan,
    said,
    settle,
    words,
)
from mapping.records import FoundMark, LearnerRef, Mark, PassbackWay
from mapping.status import Status

ANA, BO = LearnerRef("ana"), LearnerRef("bo")
WORDS, POINTS = PassbackWay.WORDS, PassbackWay.MARK_NOT_COUNTED
COUNTED, RATING = PassbackWay.MARK_COUNTED, PassbackWay.COMPETENCY
DEVELOPING = Wanted(
    status=Status.DEVELOPING,
    label="Developing",
    estimate=2.675,
    mastered_count=2,
    competency_total=5,
)
SAID = "Developing (2 of 5 competencies mastered)"
UNEVIDENCED = [Status.NO_EVIDENCE, Status.INSUFFICIENT]

LEARNERS = st.sampled_from([LearnerRef(name) for name in ("ana", "bo", "cy", "di")])
WANTED = st.builds(
    Wanted,
    status=st.sampled_from(Status),
    label=st.text(min_size=1).filter(str.strip),
    estimate=st.floats(0.0, 4.0),
    mastered_count=st.integers(0, 2),
    competency_total=st.integers(2, 3),
)
DESIRED = st.dictionaries(LEARNERS, WANTED)
MARKS = st.builds(
    Mark,
    learner_ref=LEARNERS,
    words=st.sampled_from(["Developing", "Mastered"]),
    points=st.none() | st.floats(0.0, 4.0),
)
RECORDED = st.dictionaries(LEARNERS, MARKS)
FOUND = st.dictionaries(
    LEARNERS,
    st.builds(
        FoundMark,
        words=st.sampled_from([None, "", "Developing", "Mastered", "See me"]),
        points=st.none() | st.sampled_from([0.0, 2.5, 3.0]),
        is_ours=st.sampled_from([True, False, None]),
    ),
)
WAYS = st.sampled_from([WORDS, POINTS, COUNTED, RATING])


def mark(said, points=None, learner=ANA):
    return Mark(learner_ref=learner, words=said, points=points)


def fate(wanted, cell, recorded=None, way=WORDS):
    """What becomes of one write of ``wanted`` to a cell."""
    known = {} if recorded is None else {ANA: recorded}
    settled = settle(
        replace(plan({}, {}, way), writes=(wanted,)), {} if cell is None else {ANA: cell}, known
    )
    if settled.conflicts:
        return settled.conflicts[0].reason
    return "send" if settled.send else "already there"


@pytest.mark.parametrize(
    ("status", "mastered", "total", "said"),
    [
        (Status.DEVELOPING, 2, 5, SAID),
        (Status.MASTERED, 1, 1, "Mastered (1 of 1 competency mastered)"),
        (Status.NO_EVIDENCE, 0, 3, "No evidence yet (0 of 3 competencies mastered)"),
        (Status.EMERGING, 0, 0, "Emerging"),
    ],
)
def test_a_status_is_said_with_its_counts(status, mastered, total, said):
    assert words(status.label, mastered, total) == said


@pytest.mark.parametrize(("mastered", "total"), [(-1, 3), (4, 3)])
def test_counts_that_cannot_be_are_refused(mastered, total):
    with pytest.raises(ValueError, match="cannot be mastered"):
        words(Status.MASTERED.label, mastered, total)


@given(
    st.text(min_size=1, max_size=300).filter(str.strip),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_words_fit_a_cell_however_long_the_level_is_called(label, mastered, more):
    assert 0 < len(words(label, mastered, mastered + more)) <= LONGEST_WORDS


def test_a_new_status_is_written_in_words():
    assert plan({ANA: DEVELOPING}, {}, WORDS).writes == (mark(SAID),)


def test_a_mark_carries_the_points_as_they_are_shown():
    assert plan({ANA: DEVELOPING}, {}, POINTS).writes == (mark(SAID, 2.68),)


def test_a_status_without_an_estimate_is_a_mark_without_points():
    wanted = replace(DEVELOPING, estimate=None)

    assert plan({ANA: wanted}, {}, POINTS).writes == (mark(SAID),)


def test_nothing_is_written_where_the_district_wants_none():
    assert plan({ANA: DEVELOPING}, {}, PassbackWay.NONE).writes == ()


@pytest.mark.parametrize("status", UNEVIDENCED)
@pytest.mark.parametrize("way", [WORDS, POINTS, COUNTED, RATING])
def test_a_status_not_yet_evidenced_is_not_written(status, way):
    planned = plan({ANA: replace(DEVELOPING, status=status, label=status.label)}, {}, way)

    assert (planned.writes, planned.withheld) == ((), (ANA,))


@pytest.mark.parametrize("status", UNEVIDENCED)
def test_a_status_no_longer_evidenced_replaces_our_words_and_withdraws_our_points(status):
    wanted = Wanted(status=status, label=status.label, estimate=3.0)

    planned = plan({ANA: wanted}, {ANA: mark("Developing", 2.5)}, POINTS)

    assert planned.writes == (mark(status.label),)


def test_a_mark_that_counts_carries_points_and_words_too():
    assert plan({ANA: DEVELOPING}, {}, COUNTED).writes == (mark(SAID, 2.68),)


@pytest.mark.parametrize(("number", "status"), list(enumerate(LEVELS, 1)))
def test_a_rating_is_the_number_of_its_level_and_not_the_estimate(number, status):
    wanted = Wanted(status=status, label=status.label, estimate=0.7)

    assert plan({ANA: wanted}, {}, RATING).writes == (mark(status.label, float(number)),)


@pytest.mark.parametrize(
    ("status", "rated"),
    [(Status.RECHECK_DUE, Status.MASTERED), (Status.NOT_SUSTAINED, Status.DEVELOPING)],
)
def test_what_an_lms_has_no_level_for_is_rated_as_the_nearest(status, rated):
    wanted = Wanted(status=status, label=status.label, estimate=None)

    number = float(LEVELS.index(rated) + 1)
    assert plan({ANA: wanted}, {}, RATING).writes == (mark(status.label, number),)


@pytest.mark.parametrize("status", UNEVIDENCED)
def test_a_rating_cannot_be_taken_back(status):
    wanted = Wanted(status=status, label=status.label, estimate=None)

    planned = plan({ANA: wanted}, {ANA: mark("Developing", 2.0)}, RATING)

    assert (planned.writes, planned.withheld) == ((), (ANA,))


def test_an_equal_mark_is_never_written_again():
    planned = plan({ANA: DEVELOPING}, {ANA: mark(SAID, 2.68)}, POINTS)

    assert (planned.writes, planned.unchanged) == ((), (ANA,))


def test_points_are_compared_as_they_are_shown():
    planned = plan({ANA: DEVELOPING}, {ANA: mark(SAID, 2.6799999)}, POINTS)

    assert planned.writes == ()


@pytest.mark.parametrize("recorded", [mark("Emerging", 2.68), mark(SAID, 2.5), mark(SAID)])
def test_a_mark_that_differs_in_words_or_points_is_written(recorded):
    assert plan({ANA: DEVELOPING}, {ANA: recorded}, POINTS).writes == (mark(SAID, 2.68),)


def test_a_learner_who_left_the_course_is_left_alone():
    planned = plan({}, {ANA: mark(SAID)}, WORDS)

    assert (planned.writes, planned.unchanged, planned.withheld) == ((), (), ())


@given(DESIRED, RECORDED, WAYS)
def test_once_a_plan_is_carried_out_nothing_is_left_to_do(desired, recorded, way):
    written = {m.learner_ref: m for m in plan(desired, recorded, way).writes}

    assert plan(desired, {**recorded, **written}, way).writes == ()


@given(DESIRED, RECORDED, WAYS)
def test_every_learner_wanted_is_written_unchanged_or_withheld(desired, recorded, way):
    planned = plan(desired, recorded, way)

    written = [m.learner_ref for m in planned.writes]
    assert sorted([*written, *planned.unchanged, *planned.withheld]) == sorted(desired)


@pytest.mark.parametrize(
    ("cell", "recorded"),
    [
        (None, None),
        (FoundMark(), None),
        (FoundMark(points=0.0), None),
        (FoundMark(words=" ", is_ours=False), None),
        (FoundMark(words="Emerging"), mark("Emerging")),
        (FoundMark(words=" Emerging ", points=0.0), mark("Emerging")),
        (FoundMark(words="Emerging", is_ours=True), mark("Emerging")),
        (FoundMark(words="Emerging", is_ours=True), None),
        (FoundMark(words="Mastered", is_ours=True), mark("Emerging")),
        (FoundMark(is_ours=True), mark("Emerging")),
    ],
)
def test_words_are_sent_to_an_empty_cell_and_over_our_own_words(cell, recorded):
    assert fate(mark("Developing"), cell, recorded) == "send"


@pytest.mark.parametrize("is_ours", [True, False, None])
@pytest.mark.parametrize("recorded", [None, mark("Emerging"), mark("Mastered")])
def test_words_that_stand_there_already_are_not_sent_again(is_ours, recorded):
    cell = FoundMark(words="Developing", is_ours=is_ours)

    assert fate(mark("Developing"), cell, recorded) == "already there"


def test_words_a_person_changed_are_never_overwritten():
    reason = fate(mark("Developing"), FoundMark(words="See me"), mark("Emerging"))

    assert reason == (
        "A person changed this cell after Waymark wrote it: "
        'it says "See me". Waymark left it as it is.'
    )


def test_words_a_person_took_away_are_not_put_back():
    reason = fate(mark("Developing"), None, mark("Emerging"))

    assert reason.startswith("A person emptied this cell after Waymark wrote it.")


@pytest.mark.parametrize("is_ours", [False, None])
def test_words_that_stood_there_before_us_are_left(is_ours):
    reason = fate(mark("Developing"), FoundMark(words="See me", is_ours=is_ours))

    assert reason.startswith('This cell already says "See me", which Waymark did not write.')


def test_a_cell_a_person_wrote_last_is_left_even_if_it_says_our_words():
    reason = fate(mark("Developing"), FoundMark(words="Emerging", is_ours=False), mark("Emerging"))

    assert reason.startswith("A person changed this cell")


@pytest.mark.parametrize(
    ("cell", "recorded"),
    [
        (None, None),
        (FoundMark(points=2.0), mark("Emerging", 2.0)),
        (FoundMark(points=2.0001), mark("Emerging", 2.0)),
        (FoundMark(points=2.0, is_ours=True), None),
        (None, mark("Emerging")),
        (FoundMark(points=2.5), mark("Emerging", 2.5)),
        (FoundMark(points=2.5, words="Emerging"), mark("Emerging", 2.5)),
    ],
)
def test_points_are_sent_to_an_empty_cell_and_over_our_own(cell, recorded):
    assert fate(mark("Developing", 2.5), cell, recorded, POINTS) == "send"


@pytest.mark.parametrize("recorded", [None, mark("Emerging", 2.0), mark("Emerging")])
@pytest.mark.parametrize("said", [None, "Developing"])
def test_points_that_stand_there_already_are_not_sent_again(recorded, said):
    cell = FoundMark(points=2.504, words=said)

    assert fate(mark("Developing", 2.5), cell, recorded, POINTS) == "already there"


def test_points_a_person_changed_are_never_overwritten():
    reason = fate(mark("Developing", 2.5), FoundMark(points=3.5), mark("Emerging", 2.0), way=POINTS)

    assert reason.startswith('A person changed this cell after Waymark wrote it: it says "3.5".')


def test_points_already_taken_away_need_not_be_withdrawn():
    withdrawn = mark("More evidence needed")

    assert fate(withdrawn, None, mark("Emerging", 2.0), POINTS) == "already there"


def test_a_comment_in_a_column_of_points_is_a_persons_too():
    reason = fate(mark("Developing", 2.5), FoundMark(words="See me"), way=POINTS)

    assert reason.startswith('This cell already says "See me"')


@given(DESIRED, RECORDED, FOUND, WAYS)
def test_every_write_is_sent_there_already_or_a_conflict(desired, recorded, found, way):
    planned = plan(desired, recorded, way)

    settled = settle(planned, found, recorded)

    refs = [m.learner_ref for m in (*settled.send, *settled.already_there)]
    refs += [conflict.learner_ref for conflict in settled.conflicts]
    assert sorted(refs) == sorted(m.learner_ref for m in planned.writes)


@given(DESIRED, RECORDED, FOUND, WAYS)
def test_nothing_is_ever_sent_over_what_a_person_wrote_last(desired, recorded, found, way):
    settled = settle(plan(desired, recorded, way), found, recorded)

    for sent in settled.send:
        cell = found.get(sent.learner_ref, FoundMark())
        is_filled = bool(cell.words) or (way is not WORDS and cell.points is not None)
        assert not (is_filled and cell.is_ours is False)


@given(DESIRED, RECORDED, FOUND, WAYS)
def test_what_was_sent_and_read_back_is_there_already(desired, recorded, found, way):
    planned = plan(desired, recorded, way)
    sent = settle(planned, found, recorded).send
    now = {m.learner_ref: FoundMark(words=m.words, points=m.points) for m in sent}

    again = settle(replace(planned, writes=sent), now, recorded)

    assert again.already_there == sent


@given(st.text(min_size=1), st.text())
def test_a_column_that_counts_is_never_taken_for_one_that_does_not(code, name):
    tags = {column_tag(code, way) for way in (WORDS, POINTS, COUNTED)}
    titles = {column_title(name, way) for way in (WORDS, POINTS, COUNTED)}

    assert (len(tags), len(titles)) == (2, 2)
    assert max(map(len, titles)) <= 200


@pytest.mark.parametrize(
    ("cell", "way", "told"),
    [
        (FoundMark(), WORDS, ""),
        (FoundMark(words=" See me "), WORDS, "See me"),
        (FoundMark(points=2.5, words="Developing"), POINTS, "2.5 Developing"),
        (FoundMark(points=2.0), RATING, "Developing"),
        (FoundMark(words="Exemplary"), RATING, "Exemplary"),
        (FoundMark(points=9.0), RATING, "9"),
    ],
)
def test_a_cell_is_told_to_a_person(cell, way, told):
    assert said(cell, way) == told


def test_a_rating_that_a_person_changed_is_told_by_its_level():
    cell = FoundMark(points=3.0, is_ours=False)

    reason = fate(mark("Emerging", 1.0), cell, mark("Developing", 2.0), RATING)

    assert 'it says "Mastered"' in reason
