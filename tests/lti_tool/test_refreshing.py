"""A class is read now for its teacher and for administrators, and for nobody else."""

import re

import pytest
from sqlalchemy import select, update

from lti_tool.launch import cookies
from mapping.records import TenantId
from store import sync_state
from store.refreshes import RefreshCause, requested
from store.session import reading, writing
from store.tables import courses, refresh_requests, runs, tenants, work_items
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.platform import MEMBERSHIP, launch
from workers.schedule import REFRESH

ASSISTANT = {
    "roles": [
        MEMBERSHIP + "Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant",
    ]
}

LEARNER = {"roles": [MEMBERSHIP + "Learner"]}


@pytest.fixture
def ids(stage):
    return fill(stage)


class Desk:
    """Somebody who launched, before a class."""

    def __init__(self, stage, ids, course="Mathematics", **claims):
        self.stage = stage
        self.browser = stage.browser()
        landing = launch(self.browser, stage.lms, **claims).headers["Location"]
        base = "/".join(landing.split("/")[:3])
        self.page = f"{base}/class/{ids.course[course]}"
        self.address = f"{self.page}/refresh"
        self.landing = landing

    def csrf(self):
        """What the forms of the visit hold, also where no page of it has a form."""
        name = cookies.cookie_name(cookies.LAUNCH_PREFIX, self.page.split("/")[2])
        kept = {one.key: one.value for one in self.browser._cookies.values()}
        return cookies.digest(f"csrf {kept[name]}")

    def ask(self, csrf=None, **headers):
        sent = {"csrf": self.csrf() if csrf is None else csrf}
        return self.browser.post(self.address, data=sent, headers=headers)

    def words(self):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.browser.get(self.page).text))


@pytest.fixture
def desk(stage, ids):
    return Desk(stage, ids, **TEACHER)


def asked_for(stage):
    """The courses of tenant A that are to be read out of turn, or are being so."""
    with reading(stage.container.engine) as connection:
        waiting = requested(connection, TenantId(stage.tenants["A"]))
        begun = connection.execute(
            select(work_items.c.course_id)
            .join(runs, runs.c.id == work_items.c.run_id)
            .where(runs.c.cause == REFRESH, runs.c.finished_at.is_(None))
        )
        return [one.course for one in waiting] + list(begun.scalars())


def end_runs(stage):
    """The run that was begun is over, and did what it had to."""
    with writing(stage.container.engine) as connection:
        over = {"finished_at": stage.clock()}
        connection.execute(update(runs).values(phase="done", **over))
        connection.execute(update(work_items).values(state="done", **over))


def pause(stage):
    with writing(stage.container.engine) as connection:
        connection.execute(update(tenants).values(paused_at=stage.clock(), paused_by="Ms Low"))


def test_a_teacher_has_their_class_read_now(stage, ids, desk):
    answer = desk.ask()

    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/class/{ids.course['Mathematics']}#refresh")
    assert asked_for(stage) == [ids.course["Mathematics"]]


def test_what_is_asked_for_during_a_night_says_by_whom_and_waits_for_it(stage, desk):
    with writing(stage.container.engine) as connection:
        schedule_run(connection, stage)

    desk.ask()

    with reading(stage.container.engine) as connection:
        (request,) = requested(connection, TenantId(stage.tenants["A"]))
    assert (request.cause, request.by) == (RefreshCause.TEACHER, "Ada Lovelace")
    assert "It begins as soon as a worker is free" in desk.words()


def schedule_run(connection, stage):
    tenant = TenantId(stage.tenants["A"])
    sync_state.start_run(connection, tenant, cause="nightly", is_full=False, now=stage.clock())


def test_the_page_says_that_it_was_asked_for_and_follows_it(desk):
    desk.ask()

    page = desk.browser.get(desk.page).text
    assert f'data-refreshing="{desk.address}"' in page
    assert "Reading the gradebook since" in page
    assert "Read this class now" not in page
    answer = desk.browser.get(desk.address)
    assert answer.json["is_over"] is False
    assert "Reading the gradebook since" in answer.json["html"]


def test_a_second_click_asks_for_nothing_more(stage, desk):
    csrf = desk.csrf()
    desk.ask(csrf)

    answer = desk.ask(csrf)

    assert answer.status_code == 303
    assert len(asked_for(stage)) == 1


def test_a_class_is_read_once_in_five_minutes_and_says_when_again(stage, desk):
    csrf = desk.csrf()
    desk.ask(csrf)
    end_runs(stage)
    stage.clock.pass_time(minutes=4)

    desk.ask(csrf)

    assert asked_for(stage) == []
    assert "It can be read again from 05:05" in desk.words()
    stage.clock.pass_time(minutes=1)
    desk.ask(csrf)
    assert len(asked_for(stage)) == 1


def test_a_reading_that_is_over_has_the_page_shown_anew(stage, desk):
    desk.ask()
    end_runs(stage)

    assert desk.browser.get(desk.address).json["is_over"] is True


def test_nothing_is_read_while_a_tenant_is_paused_and_the_page_says_who_paused_it(stage, desk):
    csrf = desk.csrf()
    pause(stage)

    desk.ask(csrf)

    assert asked_for(stage) == []
    assert "Ms Low paused Waymark" in desk.words()
    assert "Read this class now" not in desk.words()
    with reading(stage.container.engine) as connection:
        assert set(connection.execute(select(courses.c.refreshed_at)).scalars()) == {None}


def test_an_administrator_has_any_class_of_the_tenant_read(stage, ids):
    desk = Desk(stage, ids, "Biology", **ADMINISTRATOR)

    desk.ask()

    assert asked_for(stage) == [ids.course["Biology"]]


def test_an_administrator_has_no_class_of_another_tenant_read(stage, ids):
    own = Desk(stage, ids, **ADMINISTRATOR)
    foreign = own.address.replace(f"/{ids.course['Mathematics']}/", f"/{ids.course['Foreign']}/")

    answer = own.browser.post(foreign, data={"csrf": own.csrf()})

    assert answer.status_code == 404
    with reading(stage.container.engine) as connection:
        assert connection.execute(select(refresh_requests)).all() == []


def test_a_teacher_has_no_other_class_read_and_cannot_follow_it(stage, ids, desk):
    other = desk.address.replace(f"/{ids.course['Mathematics']}/", f"/{ids.course['Biology']}/")

    asked = desk.browser.post(other, data={"csrf": desk.csrf()})

    assert asked.status_code == 404
    assert desk.browser.get(other).status_code == 404
    assert asked_for(stage) == []


def test_an_assistant_sees_the_class_and_has_nothing_read(stage, ids):
    desk = Desk(stage, ids, **ASSISTANT)

    answer = desk.ask()

    assert "Read this class now" not in desk.words()
    assert answer.status_code == 403
    assert asked_for(stage) == []


@pytest.mark.parametrize("claims", [LEARNER, GUARDIAN])
def test_who_does_not_teach_has_nothing_read(stage, ids, claims):
    desk = Desk(stage, ids, **claims)

    assert desk.ask().status_code == 404
    assert desk.browser.get(desk.address).status_code == 404
    assert asked_for(stage) == []


def test_a_form_of_another_site_has_nothing_read(stage, desk):
    csrf = desk.csrf()

    assert desk.ask("wrong").status_code == 403
    assert desk.ask(csrf, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert asked_for(stage) == []
