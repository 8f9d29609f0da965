"""The same nights on PostgreSQL, with workers in processes of their own."""

import json
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
def stage(tmp_path, redis_url, postgres_engine, monkeypatch):
    monkeypatch.setenv("WAYMARK_LOG_FORMAT", "json")
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


def lines_of_log(stage):
    """Everything the workers wrote; what is no line of JSON fails here."""
    files = sorted((stage.folder / "logs").glob("worker-*.log"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_two_nights_of_two_workers_end_as_on_sqlite(stage):
    first = run_night(stage)

    second = run_night(stage)

    assert not first.has_failures
    assert standing_marks(stage) == wanted_marks(stage)
    assert first.counts.pushed == len(standing_marks(stage)) > 0
    assert second.counts.pushed == second.counts.statuses_changed == 0
    work = [line for line in lines_of_log(stage) if line["logger"] == "workers.work_log"]
    assert {line["run"] for line in work} == {first.run, second.run}
    assert all("course" in line for line in work if line["phase"] in ("pull", "push"))
    assert {line["phase"] for line in work} == {"plan", "pull", "compute", "push"}
