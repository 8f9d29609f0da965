"""What every source of gradebooks keeps between two nights."""

import pytest

from connectors import connect
from connectors.platform import PlatformKind
from mapping.records import CourseRef, Cursor, PassbackWay, Role, ScoreState
from tests.contracts.subjects import (
    fake,
    live_services,
    post,
    recorded_moodle,
    simulated,
    simulated_access,
)

CANVAS, MOODLE = PlatformKind.CANVAS, PlatformKind.MOODLE


@pytest.fixture(params=["fake", "recorded-moodle", "canvas", "canvas-by-rest", "moodle"])
def source(request, tmp_path, district):
    openings = {
        "fake": fake,
        "recorded-moodle": recorded_moodle,
        "canvas": lambda: simulated(district, tmp_path, CANVAS, PassbackWay.WORDS),
        "canvas-by-rest": lambda: simulated(district, tmp_path, CANVAS, PassbackWay.WORDS),
        "moodle": lambda: simulated(district, tmp_path, MOODLE, PassbackWay.WORDS),
    }
    with openings[request.param]() as opened:
        if request.param == "canvas-by-rest":
            post(f"{opened.url}/_control/rights", {"graphql": 401})
            access = simulated_access(opened.state, CANVAS, opened.url)
            opened.gradebook = connect(access, live_services())
        yield opened


def whole_read(source, since=None):
    """All that a night reads of a course, in the order of the nights."""
    source.gradebook.sections(source.course)
    source.gradebook.enrolments(source.course)
    source.gradebook.line_items(source.course)
    return source.all_scores(since)


def points_by_cell(scores):
    return {
        (one.line_item_ref, one.learner_ref, one.criterion_ref): one.points
        for one in scores
        if one.state is ScoreState.GRADED
    }


def changed(source):
    if source.change is None:
        pytest.skip("recordings do not change")
    score = source.a_graded_score()
    source.change(score, score.points - 1)
    return score


def test_learners_are_in_sections_that_the_course_has(source):
    sections = {one.ref for one in source.gradebook.sections(source.course)}
    enrolments = source.gradebook.enrolments(source.course)

    assert frozenset().union(*(one.sections for one in enrolments)) <= sections


def test_sections_come_once_with_a_title(source):
    sections = source.gradebook.sections(source.course)

    assert len({one.ref for one in sections}) == len(sections)
    assert all(one.title for one in sections)


def test_a_quiet_course_is_unchanged_or_not_to_be_told(source):
    _, cursor = whole_read(source)

    found = source.gradebook.unchanged({source.course: cursor})

    assert found.keys() <= {source.course}


def test_a_course_that_was_touched_is_never_called_unchanged(source):
    _, cursor = whole_read(source)

    changed(source)

    assert source.gradebook.unchanged({source.course: cursor}) == {}


def test_the_cursor_of_an_unchanged_course_reads_on_without_a_loss(source):
    _, cursor = whole_read(source)
    kept = source.gradebook.unchanged({source.course: cursor}).get(source.course, cursor)

    before = changed(source)
    news, _ = source.all_scores(kept)

    cell = (before.line_item_ref, before.learner_ref, None)
    assert points_by_cell(news)[cell] == before.points - 1


@pytest.mark.parametrize("cursor", ["", "not of this gradebook", "{}"])
def test_a_foreign_cursor_is_never_called_unchanged(source, cursor):
    if not source.url:
        pytest.skip("the fake compares what it holds, not cursors")

    assert source.gradebook.unchanged({source.course: Cursor(cursor)}) == {}


def test_an_unknown_course_is_never_called_unchanged(source):
    _, cursor = whole_read(source)

    assert source.gradebook.unchanged({CourseRef("424242"): cursor}) == {}


def test_a_full_sweep_finds_what_the_nights_before_found(source):
    scores, cursor = whole_read(source)
    known = points_by_cell(scores)
    changed(source)

    news, _ = whole_read(source, cursor)
    swept, _ = whole_read(source)

    assert known | points_by_cell(news) == points_by_cell(swept)


def test_a_check_that_fails_says_what_to_do(source):
    if source.change is None:
        pytest.skip("recordings hold only what nights ask")

    found = source.gradebook.self_check()

    assert len({one.name for one in found}) == len(found)
    assert all(one.name and (one.is_fine or one.advice) for one in found)


def test_notes_come_once_for_each_cause(source):
    whole_read(source)
    whole_read(source)

    notes = source.gradebook.notes
    assert len({one.cause for one in notes}) == len(notes)
    assert all(one.message.endswith(".") for one in notes)


def test_learners_have_one_enrolment_however_many_sections(source):
    learners = [
        one.person.ref
        for one in source.gradebook.enrolments(source.course)
        if one.role is Role.LEARNER
    ]

    assert len(set(learners)) == len(learners)
