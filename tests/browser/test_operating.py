"""A district's administrator operates it by keyboard alone: modes, first yeses, what failed."""

from contextlib import contextmanager

import pytest
from sqlalchemy import delete, select, update

from simulators.generate import SCHOOLS
from store.session import reading, writing
from store.tables import courses, refresh_requests, schools, work_items
from tests.browser import people
from tests.browser.desk import overflow, press, reach
from tests.browser.eyes import violations

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture
def visit(desk):
    school, person = people.school(desk.stage), people.administrator(desk.stage)
    return desk.canvas_account(school, person)


@contextmanager
def changed(stage, table, where, **values):
    """Rows as they are not, for as long as somebody looks; then as they were."""
    engine = stage.container.engine
    names = [table.c[name] for name in values]
    with reading(engine) as connection:
        before = connection.execute(select(table.c.id, *names).where(where)).all()
    with writing(engine) as connection:
        connection.execute(update(table).where(where).values(values))
    yield before
    with writing(engine) as connection:
        for row in before:
            kept = {name: getattr(row, name) for name in values}
            connection.execute(update(table).where(table.c.id == row.id).values(kept))


def looked_at(visit):
    return overflow(visit.frame) <= 0, violations(visit.frame)


def choose(visit, select_box, words):
    """Choose in a list by its first letters, as people do, and set it."""
    reach(visit, select_box)
    visit.page.keyboard.type(words)
    visit.page.keyboard.press("Tab")
    with visit.frame.expect_navigation():
        visit.page.keyboard.press("Enter")


def test_a_schools_mode_is_chosen_and_given_back(visit):
    visit.go("courses")
    page = visit.frame
    # By its name: other tests may have made schools, and those begin as shadows.
    mode = page.get_by_label(f"Mode of {SCHOOLS[0].name}", exact=True)
    before = mode.input_value()

    choose(visit, mode, "shadow")
    seen = mode.input_value()
    found = looked_at(visit)
    choose(visit, mode, before)

    assert (before, seen) == ("official", "shadow")
    assert mode.input_value() == "official"
    assert found == (True, [])


def test_a_first_yes_is_given_for_a_chosen_course(visit, desk):
    named = courses.c.title.is_not(None)
    with (
        changed(desk.stage, courses, named, agreed_at=None, agreed_by=""),
        changed(desk.stage, schools, schools.c.id > 0, agreed_at=None, agreed_by=""),
    ):
        visit.go("courses/waiting")
        page = visit.frame
        found = looked_at(visit)
        waiting = page.locator("input[name=course]").count()
        reach(visit, page.locator("input[name=course]").first)
        visit.page.keyboard.press("Space")
        press(visit, "Agree for the chosen courses", role="button")
        visit.go("courses/waiting")

        assert page.locator("input[name=course]").count() == waiting - 1
        assert found == (True, [])


def test_what_failed_is_tried_again(visit, desk):
    with reading(desk.stage.container.engine) as connection:
        one = connection.execute(
            select(work_items.c.id).where(work_items.c.course_id.is_not(None)).limit(1)
        ).scalar_one()
    with changed(desk.stage, work_items, work_items.c.id == one, state="failed", cause="no_token"):
        visit.go("failures")
        found = looked_at(visit)
        press(visit, "Try again", role="button")

        with writing(desk.stage.container.engine) as connection:
            connection.execute(delete(refresh_requests))
        assert "as soon as no run is under way" in visit.text()
        assert found == (True, [])
