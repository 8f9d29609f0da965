"""Where an administrator begins: what is done, what comes next, what waits for them."""

import re

import pytest
from sqlalchemy import update

from store import pauses
from store.policy_changes import Author, PolicyKind, record_change
from store.session import reading, writing
from store.sync_state import unfinished_runs
from store.tables import courses, mapping_sets, mastery_rules, platforms, work_items
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

DONE = "✓ Done"


def steps(visitor) -> dict[str, str]:
    """What the checklist says of each step."""
    html = visitor.get("desk").text
    found = re.findall(r"<h3>([^<]+) <span class=\"badge[^>]*>(.*?)</span></h3>", html)
    return {title: re.sub(r"<[^>]+>", "", words) for title, words in found}


def put(stage, statement):
    with writing(stage.container.engine) as connection:
        connection.execute(statement)


def test_an_administrator_lands_on_the_start_page(stage):
    landed = Visitor(stage, **ADMINISTRATOR).get()

    assert landed.request.path.endswith("/desk")
    assert "<h1>Start</h1>" in landed.text


def test_in_an_empty_district_the_first_run_comes_next(stage):
    visitor = Visitor(stage, **ADMINISTRATOR)

    assert steps(visitor) == {
        "Connect your LMS": DONE,
        "Let Waymark read gradebooks": DONE,
        "Find your courses": "▸ Do this next",
        "Bring in a framework": "○ To do",
        "Publish a mapping": "○ To do",
        "Look at the mastery rule": "○ To do",
        "Choose who sees what": "○ To do",
        "See the first night through": "○ To do",
    }
    assert "Begin a run now" in visitor.get("desk").text


def test_an_lms_without_a_token_or_consent_comes_before_its_courses(stage):
    sealed = stage.container.secrets.seal("")
    put(stage, update(platforms).values(api_token=sealed))

    found = steps(Visitor(stage, **ADMINISTRATOR))

    assert found["Let Waymark read gradebooks"] == "▸ Do this next"


def test_each_step_is_done_by_what_is_in_the_database(stage):
    fill(stage)
    mine = stage.tenants["A"]
    with writing(stage.container.engine) as connection:
        connection.execute(
            mapping_sets.insert().values(
                tenant_id=mine, version=1, digest="d", published_at=stage.clock.at
            )
        )
        connection.execute(
            mastery_rules.insert().values(
                tenant_id=mine,
                version=1,
                digest="d",
                definition="{}",
                effective_from=stage.clock.at,
            )
        )
        author = Author(by="Ada", at=stage.clock.at)
        record_change(connection, mine, author.change(PolicyKind.MODE, "shadow", "official"))
    visitor = Visitor(stage, **ADMINISTRATOR)
    before = steps(visitor)
    put(stage, update(mapping_sets).values(published_at=stage.clock.at.replace(year=2020)))

    after = steps(visitor)

    assert [title for title, words in before.items() if words != DONE] == [
        "See the first night through"
    ]
    assert set(after.values()) == {DONE}


def test_who_is_content_with_waymarks_own_rule_is_asked_no_more_after_a_night(stage):
    fill(stage)
    put(
        stage,
        mapping_sets.insert().values(
            tenant_id=stage.tenants["A"],
            version=1,
            digest="d",
            published_at=stage.clock.at.replace(year=2020),
        ),
    )

    assert steps(Visitor(stage, **ADMINISTRATOR))["Look at the mastery rule"] == DONE


def test_nothing_of_another_tenants_makes_a_step_done(stage):
    fill(stage)
    with writing(stage.container.engine) as connection:
        connection.execute(
            mapping_sets.insert().values(
                tenant_id=stage.tenants["B"], version=1, digest="d", published_at=stage.clock.at
            )
        )

    assert steps(Visitor(stage, **ADMINISTRATOR))["Publish a mapping"] != DONE


def test_what_waits_for_a_person_is_said_with_where_it_is_seen_to(stage):
    fill(stage)
    put(stage, update(courses).values(passback_way="words"))

    page = Visitor(stage, **ADMINISTRATOR).get("desk").text

    assert "Waiting for you" in page
    assert re.search(r'courses/waiting"><strong>2</strong> of your courses wait', page)


def test_the_figures_of_the_last_night_are_shown(stage):
    fill(stage)
    visitor = Visitor(stage, **ADMINISTRATOR)
    before = visitor.text("desk")
    # What began with a plan was a run over the whole district.
    done = update(work_items).where(work_items.c.state == "done")
    put(stage, done.values(phase="plan", statuses_changed=17))

    after = visitor.text("desk")

    assert "There was none yet" in before
    assert "Statuses changed 18" in after
    assert "▲ 1 left out" in after


def test_a_run_is_begun_and_shown(stage):
    visitor = Visitor(stage, **ADMINISTRATOR)
    csrf = csrf_of(visitor)

    done = send(visitor, csrf)

    with reading(stage.container.engine) as connection:
        (run,) = unfinished_runs(connection, stage.tenants["A"])
    assert done.headers["Location"].endswith(f"/runs/{run.id}")
    assert "Watch the run under way" in visitor.get("desk").text
    assert send(visitor, csrf).headers["Location"] == done.headers["Location"]


def test_no_run_is_begun_in_a_paused_district(stage):
    visitor = Visitor(stage, **ADMINISTRATOR)
    csrf = csrf_of(visitor)
    with writing(stage.container.engine) as connection:
        pauses.pause(connection, stage.tenants["A"], by="Ada", now=stage.clock.at)

    done = send(visitor, csrf)

    with reading(stage.container.engine) as connection:
        assert unfinished_runs(connection, stage.tenants["A"]) == ()
    assert done.headers["Location"].endswith("/desk")
    assert "Waymark is paused" in visitor.get("desk").text


def test_a_run_is_not_begun_from_a_foreign_page(stage):
    visitor = Visitor(stage, **ADMINISTRATOR)

    assert visitor.browser.post(f"{visitor.base}/desk/run", data={}).status_code == 403


@pytest.mark.parametrize("claims", [{}, TEACHER, GUARDIAN])
def test_the_desk_is_for_administrators(stage, claims):
    fill(stage)

    assert Visitor(stage, **claims).get("desk").status_code == 403


def test_the_sections_are_those_there_are_pages_for(stage):
    html = Visitor(stage, **ADMINISTRATOR).get("desk").text

    nav = re.search(r'<nav aria-label="Pages">(.*?)</nav>', html, re.DOTALL)[1]
    links = re.findall(r"/l/[0-9a-f]{32}/(\w+)", nav)
    assert links[0] == "desk"
    assert {"courses", "runs", "failures"} <= set(links)
    assert 'aria-current="page">Start' in nav


def csrf_of(visitor):
    return re.search(r'name="csrf" value="([^"]+)"', visitor.get("desk").text)[1]


def send(visitor, csrf):
    return visitor.browser.post(f"{visitor.base}/desk/run", data={"csrf": csrf})
