"""A pause in the middle of a night: nothing leaves after five seconds, and nothing is lost."""

import time

import pytest

from bootstrap.processes import supervised
from lti_tool.console import report
from lti_tool.demo import worker_program
from store import pauses
from store.session import writing
from store.sync_state import Phase
from tests.stories.test_crash import PATIENCE_SECONDS, busy_with
from tests.stories.test_night import standing_marks, wanted_marks
from workers import queue

pytestmark = pytest.mark.story
HOLDS_WITHIN_SECONDS = 5.0


def requests_seen(stage) -> int:
    found = [stage.ask(f"{stage.lms(kind)}/_control/counters") for kind in ("canvas", "moodle")]
    return sum(sum(one["requests"].values()) for one in found)


def switch(stage, act) -> None:
    with writing(stage.container.engine) as connection:
        act(connection, stage.tenant, by="Ada", now=stage.container.now())


def test_a_pause_holds_within_five_seconds_and_costs_the_night_nothing(stage):
    deadline = time.monotonic() + PATIENCE_SECONDS
    with supervised(stage.folder / "logs") as children:
        children.start(worker_program(stage.container, 0))
        run_id = queue.enqueue_run(stage.container, stage.tenant)
        while queue.tend(stage.container, run_id) is not Phase.PUSH:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        stage.fault("canvas", "slow", seconds=0.15)
        while not busy_with(stage, Phase.PUSH):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        switch(stage, pauses.pause)
        time.sleep(HOLDS_WITHIN_SECONDS)
        held = requests_seen(stage)
        time.sleep(2.0)
        still_held = requests_seen(stage)
        stage.fault("canvas", "none")
        is_over = queue.tend(stage.container, run_id) is Phase.DONE
        switch(stage, pauses.resume)
        queue.go_on(stage.container, stage.tenant)
        while queue.tend(stage.container, run_id) is not Phase.DONE:
            assert time.monotonic() < deadline, "the night does not end"
            time.sleep(0.1)
    result = report(stage.container, run_id)

    assert not is_over
    assert still_held == held < requests_seen(stage)
    assert not result.has_failures
    assert standing_marks(stage) == wanted_marks(stage)
