"""The way of passback, chosen on pages: tried by a worker first, kept with who chose it."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bootstrap.container import Container
from connectors.errors import RetryLater, Unauthorized
from mapping.records import CourseId, PassbackWay
from store.policy_changes import changes_of
from store.session import reading, writing
from store.tables import courses, schools
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER, fill
from tests.lti_tool.test_pages import Visitor
from workers import way_trials
from workers.previews import PreviewedColumn, PreviewedMark, preview_course

COUNTED = "mark_counted"
TITLE = "Mathematics & <friends>"


@pytest.fixture
def office(stage):
    """An administrator, and the number of a course of the school North."""
    ids = fill(stage)
    with writing(stage.container.engine) as connection:
        school = connection.execute(
            schools.insert().values(
                tenant_id=stage.tenants["A"], name="North", passback_way="words", mode="official"
            )
        ).inserted_primary_key[0]
        mine = courses.c.tenant_id == stage.tenants["A"]
        connection.execute(update(courses).where(mine).values(school_id=school))
    boss = Visitor(stage, **ADMINISTRATOR)
    boss.course, boss.school, boss.foreign = (
        ids.course["Mathematics"],
        school,
        ids.course["Foreign"],
    )
    return boss


COLUMN = PreviewedColumn(
    title="Waymark: Numbers",
    is_new=True,
    marks=[PreviewedMark(learner=f"Learner {n} <b>", now="", then="Mastered") for n in range(501)],
    left=[("Bo", "A person wrote here.")],
    unchanged=3,
    withheld=2,
)


def seen(*given, **more):
    """What a dry run finds, with a column that has more marks than a page shows."""
    return replace(preview_course(*given, **more), columns=[COLUMN])


@pytest.fixture
def work(stage, monkeypatch, office):
    """Do what a worker would; an LMS answers with an error where one is given."""

    def work(way, error=None):
        def gradebook(*_):
            if error is not None:
                raise error
            return object()

        monkeypatch.setattr(Container, "gradebook", gradebook)
        monkeypatch.setattr(way_trials, "preview_course", seen)
        course = CourseId(office.course)
        way_trials.work_out(stage.container, stage.tenants["A"], course, way=PassbackWay(way))

    return work


def send(visitor, path, **fields):
    page = visitor.get(f"gradebooks/courses/{visitor.course}").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    return visitor.browser.post(f"{visitor.base}/{path}", data={"csrf": csrf, **fields})


def at(visitor, path=""):
    return f"gradebooks/courses/{visitor.course}{path}"


def kept(stage, office):
    with reading(stage.container.engine) as connection:
        return connection.execute(select(courses).where(courses.c.id == office.course)).one()


def test_every_way_is_told_with_where_it_comes_from(office):
    page = office.text("gradebooks")

    assert "In words" in page
    assert re.search(r"friends&gt; Math In words waits for a first yes North ✓ unchanged", page)
    links = office.get("gradebooks").text
    assert f'href="{office.base}/{at(office)}"' in links
    assert f'href="{office.base}/gradebooks/schools/{office.school}"' in links
    assert "as North has it" in office.text(at(office))
    assert "No course is called so" in office.text("gradebooks?called=zzz")


def test_a_way_is_tried_by_a_worker_and_then_used(stage, office, work):
    done = send(office, at(office, "/try"), way="mark_not_counted")
    waiting = office.text(at(office, "/mark_not_counted"))
    work("mark_not_counted")
    shown = office.text(at(office, "/mark_not_counted"))
    refused = send(office, at(office, "/mark_not_counted"))
    used = send(office, at(office, "/mark_not_counted"), reason="Parents ask for numbers.")

    assert done.status_code == used.status_code == 303
    assert "is being read" in waiting
    assert "Waymark: Numbers (would be made)" in shown
    assert "501 to write, 3 say it already, 1 left to a person, 2 without a status" in shown
    assert re.search(r"Learner 499 &lt;b&gt; \S Mastered", shown)
    assert "The first 500 are shown." in shown
    assert "Bo A person wrote here." in shown
    assert "Every learner's course grade stays as it is" in shown.replace("&#39;", "'")
    assert (refused.status_code, "Say why" in refused.text) == (422, True)
    assert kept(stage, office).passback_way == "mark_not_counted"
    with reading(stage.container.engine) as connection:
        (change,) = changes_of(connection, stage.tenants["A"])
    assert (change.after, change.reason) == ("mark_not_counted", "Parents ask for numbers.")


def test_marks_that_count_need_a_dry_run_and_the_typed_title(stage, office, work):
    fields = {"title": TITLE, "reason": "Agreed by the board."}
    untried = send(office, at(office, f"/{COUNTED}"), **fields)
    send(office, at(office, "/try"), way=COUNTED)
    unread = send(office, at(office, f"/{COUNTED}"), **fields)
    work(COUNTED)
    mistyped = send(office, at(office, f"/{COUNTED}"), **(fields | {"title": "Biology"}))
    before = kept(stage, office)
    agreed = send(office, at(office, f"/{COUNTED}"), **fields)

    assert [one.status_code for one in (untried, unread, mistyped)] == [422, 422, 422]
    assert "as it stands here" in mistyped.text
    assert before.passback_way is None
    assert agreed.status_code == 303
    assert kept(stage, office).counted_from is not None


def test_a_dry_run_of_yesterday_does_not_hold(stage, office, work):
    send(office, at(office, "/try"), way=COUNTED)
    work(COUNTED)
    stage.clock.pass_time(days=1, seconds=1)

    late = send(again(stage, office), at(office, f"/{COUNTED}"), title=TITLE, reason="Yes.")

    assert late.status_code == 422


def again(stage, office):
    boss = Visitor(stage, **ADMINISTRATOR)
    boss.course = office.course
    return boss


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RetryLater("Canvas is down.", cause="down"), "Canvas is down. Nothing was written. Try"),
        (Unauthorized("The token is revoked.", cause="token"), "The token is revoked."),
    ],
)
def test_what_an_lms_answers_is_told_and_lets_nothing_hold(office, work, error, told):
    send(office, at(office, "/try"), way=COUNTED)
    work(COUNTED, error)

    assert told in office.text(at(office, f"/{COUNTED}"))
    sent = send(office, at(office, f"/{COUNTED}"), title=TITLE, reason="Yes.")
    assert sent.status_code == 422


def test_a_dry_run_that_nobody_takes_up_is_said_to_be_lost(stage, office):
    send(office, at(office, "/try"), way="words")
    stage.clock.pass_time(minutes=21)

    assert "See that a worker is running" in office.text(at(office, "/words"))


def test_a_course_gives_its_choice_back_to_its_school(stage, office, work):
    send(office, at(office, "/none"), reason="Not this term.")
    own = kept(stage, office).passback_way
    send(office, at(office, "/try"), way="school")
    work("words")
    assert "Go as its school" in office.text(at(office, "/school"))

    send(office, at(office, "/school"), reason="As all others.")

    assert (own, kept(stage, office).passback_way) == ("none", None)


def test_a_school_is_given_a_way_with_a_reason(office):
    path = f"gradebooks/schools/{office.school}"
    refused = send(office, path, way="none")
    done = send(office, path, way=COUNTED, reason="The board said so.")

    assert (refused.status_code, done.status_code) == (422, 303)
    assert "not agreed here: nothing is written" in office.text("gradebooks")


@pytest.mark.parametrize(
    "path",
    ["schools/999", "courses/999", "courses/{foreign}", "courses/{course}/loud", "courses/x"],
)
def test_what_is_not_theirs_is_not_there(office, path):
    named = path.format(foreign=office.foreign, course=office.course)

    assert office.get(f"gradebooks/{named}").status_code == 404


@pytest.mark.parametrize("path", ["courses/{foreign}/try", "courses/{foreign}/words"])
def test_nothing_is_done_to_another_districts_course(office, path):
    named = path.format(foreign=office.foreign)

    assert send(office, f"gradebooks/{named}", way="words", reason="x").status_code == 404


def test_teachers_see_and_change_no_ways(stage, office):
    teacher = Visitor(stage, **TEACHER)

    assert teacher.get("gradebooks").status_code == 403
    assert teacher.get(at(office)).status_code == 403
    posted = teacher.browser.post(f"{teacher.base}/{at(office, '/words')}", data={})
    assert posted.status_code in {400, 403}
