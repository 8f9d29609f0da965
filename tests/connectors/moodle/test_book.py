import pytest

from connectors.moodle.book import Books
from mapping.records import CourseRef
from tests.connectors.moodle.test_report import ROW

COURSE = CourseRef("2")
REPORT, ITEMS = "gradereport_user_get_grade_items", "core_grades_get_gradeitems"


def item(number, name="Homework"):
    return {"id": str(number), "itemname": name, "category": "Us &amp; them"}


@pytest.fixture
def read(service):
    return lambda: Books(service, lambda _: frozenset()).read(COURSE)


def test_a_column_that_the_report_leaves_out_is_noted(service, answers, read):
    answers[REPORT] = {"usergrades": [{"userid": 3, "gradeitems": [ROW]}]}
    answers[ITEMS] = {"gradeItems": [item(3), item(4, "Secret")], "warnings": []}

    book = read()

    assert list(book.unseen) == ["Secret"]
    assert '"Secret"' in service.notes.all[0].message


def test_a_column_that_one_learner_shows_is_left_out_of_none(service, answers, read):
    other = ROW | {"id": 4}
    answers[REPORT] = {
        "usergrades": [
            {"userid": 3, "gradeitems": [ROW]},
            {"userid": 4, "gradeitems": [ROW, other]},
        ]
    }
    answers[ITEMS] = {"gradeItems": [item(3), item(4)], "warnings": []}

    assert (read().unseen, service.notes.all) == ([], ())


def test_a_report_of_nobody_leaves_nothing_out(service, answers, read):
    answers[REPORT] = {"usergrades": []}
    answers[ITEMS] = {"gradeItems": [item(3)], "warnings": []}

    assert (list(read().unseen), service.notes.all) == ([], ())


def test_categories_are_plain_text(answers, read):
    answers[REPORT] = {"usergrades": [{"userid": 3, "gradeitems": [ROW]}]}
    answers[ITEMS] = {"gradeItems": [item(3)], "warnings": []}

    assert [one.category for one in read().items] == ["Us & them"]
