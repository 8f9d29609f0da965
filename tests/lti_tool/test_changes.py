"""The trail on the screen: searched, paged, and taken along as CSV."""

import csv
import io
import re
from datetime import timedelta

import pytest

from store.policy_changes import Author, PolicyKind, record_change
from store.session import writing
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.stage import START
from tests.lti_tool.test_pages import Visitor


def put(stage, *told, tenant="A"):
    with writing(stage.container.engine) as connection:
        for number, change in enumerate(told):
            by = Author(by=f"Person {number % 2} <b>", at=START + timedelta(minutes=number))
            record_change(connection, stage.tenants[tenant], change(by))


def mode(before, after):
    return lambda by: by.change(PolicyKind.MODE, before, after)


def rule(before, after):
    return lambda by: by.change_of(PolicyKind.RULE, "district", before=before, after=after)


@pytest.fixture
def desk(stage):
    return Visitor(stage, **ADMINISTRATOR)


def test_where_nothing_was_changed_it_is_said_what_will_appear(desk):
    text = desk.text("changes")

    assert "Nothing was changed yet." in text
    assert "0 changes" in text


def test_a_change_is_told_with_everything_and_nobodys_markup(stage, desk):
    put(stage, mode("shadow", "official"))
    put(stage, mode("secret", "of another"), tenant="B")

    page = desk.get("changes").text

    assert "Person 0 &lt;b&gt;" in page
    assert "shadow" in page
    assert "secret" not in page


def test_of_a_rule_each_part_that_changed_has_a_line(stage, desk):
    put(
        stage,
        rule(
            '{"method": "mean", "count": 2, "same": 1}', '{"method": "mode", "count": 3, "same": 1}'
        ),
    )

    text = desk.text("changes")

    assert re.search(r"count 2 count 3", text)
    assert re.search(r"method mean method mode", text)
    assert "same" not in text


def test_a_search_keeps_its_words_in_the_form_and_in_the_export(stage, desk):
    put(stage, mode("shadow", "official"), rule("", "{}"))

    page = desk.get("changes?kind=mode&text=shad").text

    assert "1 change<" in page
    assert 'value="shad"' in page
    assert "/changes/export?kind=mode&amp;text=shad" in page


def test_a_day_is_the_districts_own_and_meant_whole(stage, desk):
    put(stage, mode("shadow", "official"))
    # 05:00 in São Paulo.
    day = START.date()

    assert "1 change" in desk.text(f"changes?since={day}&until={day}")
    assert "0 changes" in desk.text(f"changes?until={day - timedelta(days=1)}")


@pytest.mark.parametrize("typed", ["yesterday", "2026-02-30", "0001-01-01x"])
def test_a_day_that_is_none_is_told_by_its_field(desk, typed):
    page = desk.get(f"changes?since={typed}").text

    assert 'id="since-problem">This is no day' in page
    assert 'aria-invalid="true"' in page


@pytest.mark.parametrize("typed", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_are_can_be_asked_for(desk, typed):
    assert desk.get(f"changes?since={typed}&until={typed}").status_code == 200


def test_a_hundred_are_on_a_page(stage, desk):
    put(stage, *(mode("shadow", f"n{number}x") for number in range(101)))

    first, second = desk.get("changes?kind=mode").text, desk.get("changes?kind=mode&page=2").text

    assert "n100x" in first
    assert "n0x" not in first
    assert "n0x" in second
    assert "/changes?kind=mode&amp;page=2" in first
    assert desk.get("changes?page=999").status_code == 200
    assert desk.get("changes?page=-1").status_code == 200


def test_the_export_has_what_was_searched_and_no_formulas(stage, desk):
    put(stage, mode("=1+1", "@home"), rule("", "{}"))

    sent = desk.get("changes/export?kind=mode")

    rows = list(csv.reader(io.StringIO(sent.text.removeprefix("\ufeff"))))
    assert rows == [
        ["when (UTC)", "what", "of", "before", "after", "by", "why"],
        ["2026-11-20 08:00:00", "mode", "the district", "'=1+1", "'@home", "Person 0 <b>", ""],
    ]
    assert sent.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in sent.headers["Content-Disposition"]


@pytest.mark.parametrize("claims", [{}, TEACHER, GUARDIAN])
@pytest.mark.parametrize("path", ["changes", "changes/export"])
def test_the_trail_is_for_administrators(stage, claims, path):
    fill(stage)

    assert Visitor(stage, **claims).get(path).status_code == 403
