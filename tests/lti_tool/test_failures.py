"""What could not be done: shown to administrators alone, tried again by them alone."""

import re

import pytest
from sqlalchemy import insert, select, update

from store.session import reading, writing
from store.tables import policy_changes, refresh_requests, run_alarms, runs, work_items
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER, fill
from tests.lti_tool.stage import START
from tests.lti_tool.test_pages import Visitor


@pytest.fixture
def ids(stage):
    filled = fill(stage)
    with writing(stage.container.engine) as connection:
        connection.execute(
            update(work_items)
            .where(work_items.c.course_id == filled.course["Biology"])
            .values(state="failed", cause="no_token")
        )
    return filled


@pytest.fixture
def administrator(stage, ids):
    assert ids
    return Visitor(stage, **ADMINISTRATOR)


def csrf(visitor):
    return re.search(r'name="csrf" value="([^"]+)"', visitor.get("failures").text)[1]


def post(visitor, **fields):
    return visitor.browser.post(f"{visitor.base}/failures/retry", data=fields)


def rows(stage, table):
    with reading(stage.container.engine) as connection:
        return connection.execute(select(table)).all()


def test_a_cause_is_told_with_what_it_means_and_what_to_do(administrator):
    text = administrator.text("failures")

    assert "The LMS refuses Waymark&#39;s access" in text or "refuses Waymark's access" in text
    assert "waymark platform test" in text
    assert "Biology &amp; &lt;friends&gt;" in text


def test_one_cause_can_be_tried_again_and_that_is_kept(stage, ids, administrator):
    answer = post(administrator, csrf=csrf(administrator), cause="no_token")

    (asked,) = rows(stage, refresh_requests)
    (kept,) = rows(stage, policy_changes)
    assert answer.status_code == 303
    assert (asked.course_id, asked.cause) == (ids.course["Biology"], "retry")
    assert (kept.kind, kept.reason) == ("retry", "no_token")
    assert "1 course is read" in administrator.text("failures?asked=1")


@pytest.mark.parametrize("fields", [{"cause": "another"}, {"course": "999"}])
def test_what_did_not_fail_is_not_tried_again(stage, administrator, fields):
    post(administrator, csrf=csrf(administrator), **fields)

    assert rows(stage, refresh_requests) == []


def test_an_empty_wish_is_not_taken_for_everything(stage, administrator):
    answer = post(administrator, csrf=csrf(administrator))

    assert answer.status_code == 404
    assert rows(stage, refresh_requests) == []


def test_a_foreign_form_tries_nothing_again(stage, administrator):
    answer = post(administrator, csrf="forged", all="yes")

    assert answer.status_code == 403
    assert rows(stage, refresh_requests) == []


def test_a_teacher_sees_no_failures(stage, ids):
    assert ids
    assert Visitor(stage, **TEACHER).get("failures").status_code in (403, 404)


def test_what_succeeded_since_has_not_failed(stage, ids, administrator):
    with writing(stage.container.engine) as connection:
        later = connection.execute(
            insert(runs).values(
                tenant_id=stage.tenants["A"],
                cause="night",
                is_full=False,
                phase="done",
                started_at=START,
            )
        ).inserted_primary_key[0]
        old = connection.execute(select(work_items).where(work_items.c.cause == "no_token")).one()
        values = {**old._mapping, "run_id": later, "state": "done", "cause": "", "message": ""}
        del values["id"]
        connection.execute(insert(work_items).values(**values))

    assert "Nothing: all was done." in administrator.text("failures")
    assert ids


def test_a_run_under_way_shows_a_part_that_is_asked_for_again(stage, ids, administrator):
    with writing(stage.container.engine) as connection:
        connection.execute(
            update(runs).where(runs.c.id == ids.run["A"]).values(phase="pull", finished_at=None)
        )
    page = administrator.get(f"runs/{ids.run['A']}").text
    address = re.search(r'data-live="([^"]+)"', page)[1]

    first = administrator.browser.get(address)
    again = administrator.browser.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert 'src="/static/live.js"' in page
    assert "read: 2 of 2" in re.sub(r"<[^>]+>", " ", first.text).replace("  ", " ")
    assert first.headers["Waymark-Over"] == "no"
    assert (again.status_code, again.data) == (304, b"")


def test_a_run_that_is_over_asks_for_nothing_again(ids, administrator):
    page = administrator.get(f"runs/{ids.run['A']}").text
    over = administrator.get(f"runs/{ids.run['A']}/live")

    assert "data-live" not in page
    assert over.headers["Waymark-Over"] == "yes"


def test_the_part_of_a_foreign_run_is_not_there(ids, administrator):
    assert administrator.get(f"runs/{ids.run['B']}/live").status_code == 404


def test_alarms_are_shown_with_their_run(stage, ids, administrator):
    with writing(stage.container.engine) as connection:
        connection.execute(
            insert(run_alarms).values(
                run_id=ids.run["A"], kind="no_scores", message="It has no score.", at=START
            )
        )

    assert "It has no score." in administrator.text(f"runs/{ids.run['A']}")
    assert "1 to look at" in administrator.text("runs")
