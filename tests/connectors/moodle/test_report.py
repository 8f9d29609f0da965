import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.moodle.assignments import AssignmentFacts
from connectors.moodle.report import (
    GradeReport,
    changed_since,
    columns_of,
    next_cursor,
    scores_by_learner,
)
from mapping.records import Cursor, Grading, ScoreState

ROW = {
    "id": 3,
    "itemtype": "mod",
    "itemmodule": "assign",
    "iteminstance": 1,
    "itemnumber": 0,
    "itemname": "Homework",
    "grademin": 0,
    "grademax": 100,
    "rangeformatted": "0&ndash;100",
}


def report(*rows, learners=("3",)):
    users = [
        {"userid": int(who), "gradeitems": [{**ROW, **row} for row in rows]} for who in learners
    ]
    return msgspec.convert({"usergrades": users}, GradeReport)


def columns(found, own=()):
    return columns_of(found, own=frozenset(own), categories={}, facts=AssignmentFacts())


def scores(found, own=()):
    return scores_by_learner(found, columns(found, own), facts=AssignmentFacts())


@pytest.mark.parametrize(
    ("shown", "minimum", "maximum", "grading"),
    [
        ("0&ndash;100", 0, 100, Grading.POINTS),
        ("-10&ndash;10", -10, 10, Grading.POINTS),
        ("1&ndash;5", 1, 5, Grading.POINTS),
        ("1,00&ndash;12,50", 1, 12.5, Grading.POINTS),
        ("1.00 %&ndash;100.00 %", 1, 100, Grading.POINTS),
        ("F&ndash;A", 0, 100, Grading.POINTS),
        ("Not yet&ndash;Exemplary", 1, 4, Grading.SCALE),
        ("No \u2013 not yet&ndash;Yes", 1, 2, Grading.SCALE),
        ("&ndash;", 0, 100, Grading.NOT_GRADED),
        ("", 0, 100, Grading.NOT_GRADED),
        ("0&ndash;0", 0, 0, Grading.NOT_GRADED),
    ],
)
def test_how_a_column_is_marked_shows_in_its_range(shown, minimum, maximum, grading):
    found = report({"rangeformatted": shown, "grademin": minimum, "grademax": maximum})

    assert [item.grading for item in columns(found)] == [grading]


def test_letters_shown_for_points_are_no_scale():
    row = {"rangeformatted": "F&ndash;A", "grademin": 1, "grademax": 10, "graderaw": 7.5}

    assert [item.grading for item in columns(report(row))] == [Grading.POINTS]


@pytest.mark.parametrize(
    "row",
    [
        {"itemtype": "category", "itemname": None},
        {"itemtype": "course", "itemname": None},
        {"itemnumber": 1000},
        {"itemnumber": 1001},
    ],
)
def test_totals_and_outcomes_are_no_columns(row):
    assert columns(report(row)) == []


def test_manual_columns_are_columns():
    row = {"itemtype": "manual", "itemmodule": None, "iteminstance": None}

    assert [item.title for item in columns(report(row))] == ["Homework"]


def test_titles_are_plain_text():
    assert columns(report({"itemname": "Us &amp; them"}))[0].title == "Us & them"


def test_a_column_is_there_once_however_many_learners_have_it():
    assert len(columns(report({}, learners=("3", "4", "5")))) == 1


@pytest.mark.parametrize(("kind", "is_own"), [("manual", True), ("mod", False)])
def test_a_column_of_ours_that_lti_does_not_tell_of_is_known_by_its_looks(kind, is_own):
    row = {"itemtype": kind, "itemname": "Waymark: Numbers (counts)"}

    assert [item.is_own for item in columns(report(row))] == [is_own]


def test_our_own_columns_are_marked_and_give_no_scores():
    found = report({"id": 454, "graderaw": 0}, {"id": 3, "graderaw": 50})

    assert [item.is_own for item in columns(found, own=["454"])] == [True, False]
    assert [one.line_item_ref for one in scores(found, own=["454"])["3"]] == ["3"]


@pytest.mark.parametrize(
    ("row", "state", "points"),
    [
        ({"graderaw": 47.5}, ScoreState.GRADED, 47.5),
        ({"graderaw": 0}, ScoreState.GRADED, 0.0),
        ({"graderaw": None, "status": "novalue"}, ScoreState.NOT_GRADED, None),
        ({"graderaw": 68, "status": "dropped"}, ScoreState.EXCUSED, None),
        ({"graderaw": None, "gradedategraded": 1795299499}, ScoreState.CLEARED, None),
    ],
)
def test_a_cell_says_what_its_raw_number_says(row, state, points):
    found = scores(report(row))["3"]

    assert [(one.state, one.points) for one in found] == [(state, points)]


def test_a_first_read_leaves_out_what_says_nothing():
    found = scores(report({"graderaw": None}, {"id": 4, "graderaw": 5}))

    assert [one.line_item_ref for one in changed_since(found, None)] == ["4"]


def test_a_changed_row_comes_whole():
    before = scores(report({"graderaw": 5}, {"id": 4, "graderaw": 6}))
    cursor = next_cursor(before, None)
    after = scores(report({"graderaw": None}, {"id": 4, "graderaw": 6}))

    assert [(one.line_item_ref, one.state) for one in changed_since(after, cursor)] == [
        ("3", ScoreState.NOT_GRADED),
        ("4", ScoreState.GRADED),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"gradeishidden": True},
        {"gradeisoverridden": True},
        {"status": "dropped"},
        {"gradedategraded": 1795299500},
        {"graderaw": 2.5, "grademax": 50},
        {"graderaw": None, "status": "novalue"},
    ],
)
def test_whatever_happens_to_a_cell_and_is_undone_is_news_both_times(change):
    first, second = ({"graderaw": 5}, {"id": 4, "graderaw": 6})
    before, after = scores(report(first, second)), scores(report(first | change, second))

    there = list(changed_since(after, next_cursor(before, None)))
    back = list(changed_since(before, next_cursor(after, None)))

    assert {one.line_item_ref for one in there} == {"3", "4"}
    assert back == list(before["3"])


def test_a_deleted_column_makes_news_of_the_rows_that_had_it():
    before = scores(report({"graderaw": 5}, {"id": 4, "graderaw": 6}))
    after = scores(report({"graderaw": 5}))

    news = list(changed_since(after, next_cursor(before, None)))

    assert [one.line_item_ref for one in news] == ["3"]


def test_a_learner_who_vanishes_and_returns_unchanged_is_no_news():
    both = scores(report({"graderaw": 5}, learners=("3", "4")))
    one = scores(report({"graderaw": 5}, learners=("3",)))
    first = next_cursor(both, None)

    second = next_cursor(one, first)

    assert list(changed_since(one, first)) == []
    assert list(changed_since(both, second)) == []


points = st.none() | st.floats(-100, 100)
books = st.dictionaries(
    st.sampled_from(["3", "4", "5"]), st.lists(points, min_size=2, max_size=2), min_size=1
)


def book(cells):
    users = [
        {
            "userid": int(who),
            "gradeitems": [{**ROW, "id": n, "graderaw": raw} for n, raw in enumerate(row, 1)],
        }
        for who, row in cells.items()
    ]
    return scores(msgspec.convert({"usergrades": users}, GradeReport))


@given(cells=books)
def test_an_unchanged_book_has_no_news(cells):
    found = book(cells)

    assert list(changed_since(found, next_cursor(found, None))) == []


@given(before=books, after=books)
def test_news_are_the_rows_that_changed_and_no_other(before, after):
    cursor = next_cursor(book(before), None)

    news = {one.learner_ref for one in changed_since(book(after), cursor)}

    assert news == {who for who, row in after.items() if before.get(who) != row}


@given(before=books, after=books)
def test_the_order_of_a_report_is_no_news(before, after):
    merged = {**before, **after}
    turned = dict(reversed(merged.items()))

    assert list(changed_since(book(turned), next_cursor(book(merged), None))) == []


@given(text=st.text())
def test_a_foreign_cursor_reads_everything(text):
    found = book({"3": [1.0, None]})

    assert list(changed_since(found, Cursor(text))) == list(changed_since(found, None))
