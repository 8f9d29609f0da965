"""The nights as a calendar, and two runs beside one another."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from lti_tool.pages.desk.calendar import weeks_of
from mapping.records import RunId
from store.nights import Night, Outcome
from store.session import writing
from store.tables import work_items
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

MONDAY = date(2026, 10, 19)


def night(number, *moment, outcome=Outcome.DONE):
    return Night(run=RunId(number), started_at=datetime(*moment, tzinfo=UTC), outcome=outcome)


def test_a_night_stands_on_the_day_it_began_in_the_district():
    # 01:00 in London is still the day before in São Paulo.
    nights = (night(1, 2026, 10, 21, 1),)

    weeks = weeks_of(nights, MONDAY, today=MONDAY, zone=ZoneInfo("America/Sao_Paulo"))

    assert [day.date for week in weeks for day in week if day.night] == [date(2026, 10, 20)]


def test_of_two_nights_on_a_day_the_last_is_shown_and_days_to_come_are_known():
    nights = (night(1, 2026, 10, 19, 3), night(2, 2026, 10, 19, 20))

    weeks = weeks_of(nights, MONDAY, today=MONDAY, zone=ZoneInfo("UTC"))

    assert weeks[0][0].night.run == 2
    assert [day.is_to_come for day in weeks[0][:2]] == [False, True]
    assert [len(week) for week in weeks] == [7] * 5


@pytest.fixture
def ids(stage):
    """A district whose run went over all of it."""
    ids = fill(stage)
    with writing(stage.container.engine) as connection:
        done = select(work_items.c.id).where(work_items.c.state == "done").limit(1)
        part = connection.execute(done).scalar_one()
        connection.execute(update(work_items).where(work_items.c.id == part).values(phase="plan"))
    return ids


@pytest.fixture
def desk(stage, ids):
    assert ids
    return Visitor(stage, **ADMINISTRATOR)


def test_the_calendar_says_each_day_in_a_symbol_and_a_word(desk):
    page = desk.get("runs").text

    assert re.search(r'runs/\d+" class="left_out">.*▲</span> part left out', page)
    assert "no run" in page
    assert "to come" in page


def test_a_run_is_compared_with_another(ids, desk):
    mine = ids.run["A"]

    text = desk.text(f"runs/compare?before={mine}&after={mine}")

    assert "Scores pulled 2,468 2,468 none" in text
    assert "nothing went wrong in the second run" in text


@pytest.mark.parametrize("asked", ["before=x&after=1", "", "before=1", "before=99999&after=1"])
def test_runs_there_are_not_cannot_be_compared(desk, asked):
    assert desk.get(f"runs/compare?{asked}").status_code == 404


def test_another_tenants_run_cannot_be_compared(ids, desk):
    mine, other = ids.run["A"], ids.run["B"]

    assert desk.get(f"runs/compare?before={mine}&after={other}").status_code == 404


@pytest.mark.parametrize("claims", [{}, TEACHER, GUARDIAN])
def test_runs_are_compared_by_administrators(stage, ids, claims):
    asked = f"runs/compare?before={ids.run['A']}&after={ids.run['A']}"

    assert Visitor(stage, **claims).get(asked).status_code == 403


def test_before_the_first_run_it_is_said_how_to_begin_one(stage):
    text = Visitor(stage, **ADMINISTRATOR).text("runs")

    assert "There has been no run yet." in text
    assert "Go to the start page" in text
