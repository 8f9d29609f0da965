"""Canvas tells by itself, over real sockets, and a class is read long before the night."""

import time
from datetime import timedelta

import pytest

from mapping.records import PlatformId
from store import event_sources, sync_state
from store.session import reading, writing
from store.sync_state import Phase
from tests.stories.stage import work_off
from tests.stories.test_deep_linking import Person
from workers import queue, signals

pytestmark = pytest.mark.story

PATIENCE_SECONDS = 30.0
SCORED = """
    SELECT c.id, c.ref AS course, a.ref AS learner, i.ref AS item, s.points
    FROM scores s
    JOIN line_items i ON i.id = s.line_item_id AND i.criterion_ref = '' AND i.maximum >= 2
    JOIN courses c ON c.id = i.course_id AND c.state = 'active'
    JOIN platforms p ON p.id = c.platform_id AND p.kind = 'canvas'
    JOIN learner_accounts a ON a.learner_id = s.learner_id AND a.platform_id = p.id
    JOIN enrolments e ON e.learner_id = s.learner_id AND e.course_id = c.id AND e.state = 'active'
    WHERE s.points > 1 ORDER BY c.id, i.id, s.learner_id LIMIT 1
"""


@pytest.fixture
def read_once(stage):
    stage.run_night()
    return stage


def canvas_of(stage) -> PlatformId:
    ((number,),) = stage.rows("SELECT id FROM platforms WHERE kind = 'canvas'")
    return PlatformId(number)


def signalled(stage):
    return {row[0] for row in stage.rows("SELECT course_id FROM course_signals")}


def awaited(what, expected):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while what() != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def read_what_was_told(stage) -> None:
    """What cron and the workers do once the LMS has been quiet for a while."""
    container = stage.container
    later = container.now() + timedelta(minutes=2)
    for tenant in signals.take_up(container.engine, now=later):
        run = queue.bring_on(container, tenant)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while queue.tend(container, run) is not Phase.DONE:
            assert time.monotonic() < deadline, "the reading does not end"
            work_off(container)
            time.sleep(0.05)


def test_a_grade_given_in_canvas_is_read_because_canvas_told_of_it(read_once):
    stage = read_once
    with writing(stage.container.engine) as connection:
        source = event_sources.open_source(
            connection, stage.tenant, canvas_of(stage), key_url=f"{stage.canvas}/_events/jwks"
        )
    url = f"{stage.container.settings.public_url}/events/canvas/{source.token}"
    stage.ask(f"{stage.canvas}/_control/live_events", {"url": url})
    ((course, ref, learner, item, points),) = stage.rows(SCORED)

    stage.change_score("canvas", ref, learner, item=item, points=points - 1)

    assert awaited(lambda: signalled(stage), {course}) == {course}
    read_what_was_told(stage)
    assert stage.rows(SCORED)[0][4] == points - 1
    assert signalled(stage) == set()
    with reading(stage.container.engine) as connection:
        assert sync_state.unfinished_runs(connection) == ()


def test_canvas_sends_notices_once_a_launch_offered_them_and_they_were_registered(read_once):
    stage = read_once
    ((course, ref, learner, *_),) = stage.rows(SCORED)
    Person().launch(f"{stage.canvas}/courses/{ref}?user={learner}")

    troubles = signals.register_handlers(
        stage.container.engine, stage.container.register_notices, now=stage.container.now()
    )
    told = stage.ask(f"{stage.canvas}/_control/copied", {"course": int(ref)})

    assert troubles == []
    assert told == {"told": 1}
    assert awaited(lambda: signalled(stage), {course}) == {course}
