"""The same nights on PostgreSQL, with workers in processes of their own."""

import time

import pytest

from bootstrap.processes import supervised
from lti_tool.console import report
from lti_tool.demo import worker_program
from store.sync_state import Phase
from tests.conftest import empty
from tests.stories.stage import district_on_stage
from tests.stories.test_night import standing_marks, wanted_marks
from workers import queue

pytestmark = [pytest.mark.story, pytest.mark.postgres]
PATIENCE_SECONDS = 120.0


@pytest.fixture
def stage(tmp_path, redis_url, postgres_engine):
    database_url = postgres_engine.url.render_as_string(hide_password=False)
    with district_on_stage(tmp_path, database_url, redis_url) as stage:
        yield stage
    empty(postgres_engine)


def run_night(stage):
    with supervised(stage.folder / "logs") as children:
        for number in range(2):
            children.start(worker_program(stage.container, number))
        run_id = queue.enqueue_run(stage.container, stage.tenant)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while queue.tend(stage.container, run_id) is not Phase.DONE:
            assert time.monotonic() < deadline, "the night does not end"
            time.sleep(0.1)
    return report(stage.container, run_id)


def test_two_nights_of_two_workers_end_as_on_sqlite(stage):
    first = run_night(stage)

    second = run_night(stage)

    assert not first.has_failures
    assert standing_marks(stage) == wanted_marks(stage)
    assert first.counts.pushed == len(standing_marks(stage)) > 0
    assert second.counts.pushed == second.counts.statuses_changed == 0
