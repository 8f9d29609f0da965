"""Workers killed in the middle of a night: it ends, with nothing lost and nothing doubled."""

import os
import signal
import time

import pytest

from bootstrap.processes import supervised
from lti_tool.console import report
from lti_tool.demo import worker_program
from store.sync_state import Phase
from tests.stories.test_night import standing_marks, wanted_marks
from workers import queue

pytestmark = pytest.mark.story
PATIENCE_SECONDS = 150.0


def busy_with(stage, phase: Phase) -> bool:
    rows = stage.rows(
        "SELECT count(*) FROM work_items WHERE phase = :phase AND state = 'working'",
        phase=phase.value,
    )
    return rows[0][0] > 0


def repeated_events(stage) -> int:
    """Score events that say nothing else than the one before them."""
    return stage.rows(
        "SELECT count(*) FROM (SELECT flags, points, attempt,"
        " lag(flags) OVER cell AS was_flags, lag(points) OVER cell AS was_points,"
        " lag(attempt) OVER cell AS was_attempt"
        " FROM score_events WINDOW cell AS (PARTITION BY line_item_id, learner_id ORDER BY id))"
        " WHERE flags & 15 = was_flags & 15 AND points IS was_points AND attempt = was_attempt"
    )[0][0]


@pytest.mark.parametrize("phase", [Phase.PULL, Phase.PUSH])
def test_a_worker_killed_with_all_its_processes_loses_and_doubles_nothing(stage, phase):
    stage.fault("canvas", "slow", seconds=0.15)
    with supervised(stage.folder / "logs") as children:
        worker = children.start(worker_program(stage.container, 0))
        run_id = queue.enqueue_run(stage.container, stage.tenant)
        deadline = time.monotonic() + PATIENCE_SECONDS
        is_killed = False
        while queue.tend(stage.container, run_id) is not Phase.DONE:
            assert time.monotonic() < deadline, "the night does not end"
            if not is_killed and busy_with(stage, phase):
                os.killpg(worker, signal.SIGKILL)
                is_killed = True
            children.revive()
            time.sleep(0.1)
    stage.fault("canvas", "none")
    crashed = report(stage.container, run_id)

    checked = stage.run_night(is_full=True)

    assert is_killed
    assert not crashed.has_failures
    assert standing_marks(stage) == wanted_marks(stage)
    assert repeated_events(stage) == 0
    assert checked.counts.scores_new == checked.counts.scores_changed == 0
    assert checked.counts.statuses_changed == checked.counts.pushed == 0
    scores_posted = stage.ask(f"{stage.canvas}/_control/counters")["writes"]["scores_posted"]
    posted = stage.rows(
        "SELECT count(*) FROM passback_columns c JOIN passback_marks m"
        " ON m.column_id = c.id WHERE c.way = 'mark_not_counted'"
    )[0][0]
    assert scores_posted == posted
