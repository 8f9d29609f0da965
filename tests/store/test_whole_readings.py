"""Whole readings that say what the last one said: known by digests, and nothing is read back."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from mapping.records import (
    Attempt,
    Cursor,
    ScoreState,
)
from mapping.score_columns import ScoreColumns
from store import gradebook, readings, whole_readings
from store.course_cells import kept_scores
from store.gradebook import SavedScores
from store.readings import Finished
from store.tables import courses, line_items, score_events
from tests.store.kept import kept
from tests.store.places import NOW, new_course, open_reading, score

ITEMS, PEOPLE = ("quiz", "test"), ("ada", "bo")
SAME = SavedScores()
_NUMBERS = itertools.count()
PAGE = tuple(score(item, who, 7.0) for item in ITEMS for who in PEOPLE)


@pytest.fixture
def opened(db, algebra):
    return open_reading(db, algebra, items=ITEMS, learners=PEOPLE)


def begin(db, opened):
    return gradebook.start_reading(db, opened.course, items=opened.items, learners=opened.learners)


def save(db, reading, *page):
    return gradebook.save_scores(db, reading, ScoreColumns.of(page), now=NOW, run=None)


def end(db, reading):
    finished = Finished(cursor=Cursor("1"), basis="", is_sweep=True, said=reading.to_keep)
    readings.finish_reading(db, reading.course, finished, now=NOW)


def read_whole(db, opened, *pages):
    """A whole reading from begin to end: what each page brought, and what was taken away."""
    reading = begin(db, opened)
    saved = [save(db, reading, *page) for page in pages]
    saved.append(gradebook.clear_unseen(db, reading, now=NOW, run=None))
    end(db, reading)
    return saved


def read_changes(db, opened, *page):
    reading = begin(db, opened)
    saved = save(db, reading, *page)
    end(db, reading)
    return saved


def kept_digest(db, opened):
    return db.execute(
        select(courses.c.whole_digest).where(courses.c.id == opened.course)
    ).scalar_one()


def looks_at_cells(statements):
    return [one for one in statements if " scores" in one]


def test_what_says_the_same_again_is_not_read_back_and_writes_no_cell(db, opened, statements):
    assert read_whole(db, opened, PAGE[:2], PAGE[2:]) == [
        SavedScores(new=2),
        SavedScores(new=2),
        SAME,
    ]
    for _ in range(2):
        statements.clear()

        assert read_whole(db, opened, PAGE[:2], PAGE[2:]) == [SAME] * 3

        assert statements
        assert looks_at_cells(statements) == []


def test_a_course_that_says_nothing_new_is_not_read_back_in_a_reading_of_changes(
    db, opened, statements
):
    statements.clear()

    assert read_changes(db, opened) == SAME

    assert looks_at_cells(statements) == []


@pytest.mark.parametrize("place", range(4))
def test_one_score_that_changed_is_found_wherever_it_stands(db, opened, place):
    read_whole(db, opened, PAGE[:2], PAGE[2:])
    other = [one._replace(points=8.0) if at == place else one for at, one in enumerate(PAGE)]

    saved = read_whole(db, opened, other[:2], other[2:])

    assert sorted(one.changed for one in saved) == [0, 0, 1]
    assert sorted(cell.points for cell in kept(db)) == [7.0, 7.0, 7.0, 8.0]


def test_after_a_part_that_is_other_all_that_follow_are_compared(db, opened):
    """Where an LMS tells a cell in two parts, the later one counts, whatever the first said."""
    nine, eight = PAGE[0]._replace(points=9.0), PAGE[0]._replace(points=8.0)
    read_whole(db, opened, PAGE[:1], [eight])

    assert read_whole(db, opened, [nine], [eight])[:2] == [SavedScores(changed=1)] * 2
    assert [cell.points for cell in kept(db)] == [8.0]


def test_what_changed_and_was_set_back_in_between_is_written_both_times(db, opened):
    read_whole(db, opened, PAGE)
    read_changes(db, opened, PAGE[0]._replace(points=8.0))

    assert read_whole(db, opened, PAGE) == [SavedScores(changed=1), SAME]
    assert [cell.points for cell in kept(db)] == [7.0] * 4


def test_changes_that_are_none_leave_the_digest(db, opened):
    read_whole(db, opened, PAGE)
    before = kept_digest(db, opened)

    assert read_changes(db, opened, PAGE[3], PAGE[0]) == SAME
    assert read_changes(db, opened) == SAME

    assert before is not None
    assert kept_digest(db, opened) == before


def test_a_reading_that_breaks_off_leaves_no_digest(db, opened):
    read_whole(db, opened, PAGE)

    save(db, begin(db, opened), PAGE[0]._replace(points=8.0))

    assert kept_digest(db, opened) is None
    assert read_whole(db, opened, PAGE) == [SavedScores(changed=1), SAME]


def test_a_whole_reading_that_never_came_to_its_end_keeps_nothing(db, opened):
    reading = begin(db, opened)
    save(db, reading, *PAGE)

    end(db, reading)

    assert kept_digest(db, opened) is None


def test_what_is_no_longer_there_is_taken_away(db, opened):
    read_whole(db, opened, PAGE[:2], PAGE[2:])

    assert read_whole(db, opened, PAGE[:2], PAGE[2:3])[-1] == SavedScores(changed=1)
    assert read_whole(db, opened, PAGE[:2], PAGE[2:3]) == [SAME] * 3
    states = [cell.state for cell in kept(db)]
    assert sorted(states) == sorted([ScoreState.CLEARED, *[ScoreState.GRADED] * 3])


def test_a_part_less_takes_away_though_all_parts_before_are_the_same(db, opened):
    read_whole(db, opened, PAGE[:2], PAGE[2:])

    assert read_whole(db, opened, PAGE[:2]) == [SAME, SavedScores(changed=2)]


def test_a_column_that_is_published_by_now_loses_what_the_lms_no_longer_holds(db, opened):
    hidden = (line_items.c.ref == "test", line_items.c.course_id == opened.course)
    db.execute(update(line_items).where(*hidden).values(is_published=False))
    read_changes(db, opened, *PAGE)
    seen = [one for one in PAGE if one.line_item_ref == "quiz"]
    assert read_whole(db, opened, seen) == [SAME, SAME]
    db.execute(update(line_items).where(*hidden).values(is_published=True))

    assert read_whole(db, opened, seen) == [SAME, SavedScores(changed=2)]


@pytest.mark.parametrize(
    ("told", "skipped"),
    [
        ({"earlier": (Attempt(number=1, points=3.0),), "attempt": 2}, 0),
        ({"points": float("nan")}, 1),
    ],
    ids=["earlier", "unreadable"],
)
def test_what_must_be_looked_at_each_time_is(db, opened, told, skipped):
    page = (*PAGE[:3], PAGE[3]._replace(**told))
    read_whole(db, opened, page)

    saved = read_whole(db, opened, page)

    assert saved == [SavedScores(skipped=skipped), SAME]


def test_an_earlier_attempt_that_says_something_else_is_kept(db, opened):
    first = Attempt(number=1, points=3.0)
    page = [PAGE[0]._replace(attempt=2, earlier=(first,))]
    read_whole(db, opened, page)
    reading = begin(db, opened)

    save(db, reading, page[0]._replace(earlier=(replace(first, points=5.0),)))

    assert [values[0] for values in reading.attempts(db).values()] == [5.0]


def test_a_person_or_a_column_that_is_known_by_now_brings_its_scores(db, opened):
    strangers = knowing_less(opened, learners=["ada"], items=["quiz"])
    assert read_whole(db, strangers, PAGE) == [SavedScores(new=1), SAME]

    assert read_whole(db, opened, PAGE) == [SavedScores(new=3), SAME]


def knowing_less(opened, *, learners, items):
    return replace(
        opened,
        items={key: one for key, one in opened.items.items() if key[0] in items},
        learners={ref: one for ref, one in opened.learners.items() if ref in learners},
    )


def test_rows_of_another_form_are_other_rows(db, opened, monkeypatch):
    read_whole(db, opened, PAGE)
    before = kept_digest(db, opened)
    monkeypatch.setattr(whole_readings, "_FORM", b"of a later release")

    assert read_whole(db, opened, PAGE) == [SAME, SAME]
    assert kept_digest(db, opened) != before


def test_another_courses_digest_is_its_own(db, district, canvas, opened):
    beside = open_reading(db, new_course(db, district, canvas, "c2"), items=ITEMS, learners=PEOPLE)
    read_whole(db, opened, PAGE)

    assert kept_digest(db, beside) is None
    assert read_whole(db, beside, PAGE) == [SavedScores(new=4), SAME]


cells = st.lists(
    st.builds(
        score,
        st.sampled_from(ITEMS),
        st.sampled_from(PEOPLE),
        st.sampled_from([6.0, 7.0]),
        state=st.sampled_from([ScoreState.GRADED, ScoreState.EXCUSED]),
        attempt=st.integers(1, 2),
    ),
    max_size=4,
    unique_by=lambda one: (one.line_item_ref, one.learner_ref),
)
nights = st.lists(
    st.tuples(st.sampled_from(["whole", "changes", "broken"]), cells, st.integers(0, 4)),
    max_size=7,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(nights)
def test_whatever_happens_it_ends_as_if_every_cell_had_been_compared(db, district, canvas, found):
    """The same nights for two courses, one of which forgets its digests before each."""
    number = next(_NUMBERS)
    pair = [
        open_reading(
            db, new_course(db, district, canvas, f"{name}{number}"), items=ITEMS, learners=PEOPLE
        )
        for name in ("told", "compared")
    ]
    for kind, page, cut in found:
        results = []
        for place, opened in enumerate(pair):
            if place:
                whole_readings.forget(db, opened.course)
            if kind == "whole":
                results.append(read_whole(db, opened, page[:cut], page[cut:]))
            elif kind == "changes":
                results.append(read_changes(db, opened, *page))
            else:
                results.append(save(db, begin(db, opened), *page))
        assert results[0] == results[1]

    assert said(db, pair[0]) == said(db, pair[1])


def said(db, opened):
    """All that is kept of a course and was ever said, by references."""
    items = {number: ref for (ref, _), number in opened.items.items()}
    people = {number: ref for ref, number in opened.learners.items()}
    found = []
    events = db.execute(
        select(score_events)
        .where(score_events.c.line_item_id.in_(items))
        .order_by(score_events.c.id)
    ).mappings()
    for kind, rows in (("now", kept_scores(db, opened.course)), ("events", events)):
        for row in rows:
            facts = {
                name: value
                for name, value in row.items()
                if name not in ("id", "line_item_id", "learner_id")
            }
            found.append((kind, items[row["line_item_id"]], people[row["learner_id"]], facts))
    return found
