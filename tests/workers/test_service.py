"""The long-running processes, started as an operator starts them."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bootstrap.container import wall_clock
from bootstrap.settings import child_environment
from store import sync_state
from store.session import reading, writing
from store.sync_state import Phase
from tests.store.places import new_tenant
from workers import queue, service
from workers.__main__ import main

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30.0


@pytest.fixture
def environment(container):
    settings = container.settings
    return {
        "WAYMARK_DATA_DIR": str(settings.data_dir),
        "WAYMARK_DATABASE_URL": settings.database_url,
        "WAYMARK_REDIS_URL": container.redis_url,
        "WAYMARK_SECRET_KEY": settings.secret_key,
    }


def start(environment, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "workers", *arguments],
        cwd=ROOT,
        env=child_environment(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def tenant(container):
    with writing(container.engine) as connection:
        return new_tenant(connection)


def test_a_worker_in_a_burst_ends_when_the_queue_is_empty(container, environment, tenant):
    with writing(container.engine) as connection:
        run = sync_state.start_run(
            connection, tenant, cause="by hand", is_full=False, now=wall_clock()
        )
    queue.open_queue(container).enqueue("workers.jobs.tend_run", run)

    with start(environment, "work", "--burst") as worker:
        _, errors = worker.communicate(timeout=PATIENCE_SECONDS)

    assert worker.returncode == 0, errors
    with reading(container.engine) as connection:
        assert sync_state.run(connection, run).phase is Phase.DONE


def test_a_scheduler_begins_nights_that_are_due_until_it_is_told_to_stop(
    container, environment, tenant
):
    with start(environment, "cron") as scheduler:
        deadline = time.monotonic() + PATIENCE_SECONDS
        began = None
        while began is None and time.monotonic() < deadline:
            time.sleep(0.05)
            with reading(container.engine) as connection:
                began = sync_state.last_started(connection, tenant, "nightly")
        scheduler.send_signal(signal.SIGTERM)
        _, errors = scheduler.communicate(timeout=PATIENCE_SECONDS)

    assert began is not None
    assert scheduler.returncode == 0, errors
    assert "nights begin at 02:00 in each district's own time zone" in errors


def test_without_a_word_of_what_to_be_a_process_tells_the_words(environment, monkeypatch, capsys):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert main(["dance"]) == 2
    assert capsys.readouterr().err == "Usage: python -m workers work [--burst] | cron\n"


def test_settings_that_cannot_be_used_end_a_process_with_what_to_set(monkeypatch, capsys):
    monkeypatch.setenv("WAYMARK_PORT", "none")

    assert main(["cron"]) == 2
    assert "WAYMARK_PORT must be" in capsys.readouterr().err


def test_a_redis_that_is_down_ends_a_process_with_what_to_do(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("WAYMARK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WAYMARK_REDIS_URL", f"unix://{tmp_path / 'none.sock'}")

    assert main(["work"]) == 2
    assert "WAYMARK_REDIS_URL" in capsys.readouterr().err


def test_what_is_old_is_taken_out_once_a_day_whoever_asks(container, tenant):
    def count():
        with reading(container.engine) as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM work_items").scalar_one()

    def old_runs():
        for _ in range(2):
            with writing(container.engine) as connection:
                long_ago = container.now() - timedelta(days=500)
                run = sync_state.start_run(
                    connection, tenant, cause="nightly", is_full=False, now=long_ago
                )
                sync_state.add_items(connection, run, Phase.COMPUTE, places=[(None, 0)])
                sync_state.enter_phase(connection, run, Phase.DONE, now=long_ago)

    container.redis.delete("waymark:purged")
    old_runs()

    service.see_to_retention(container)
    assert count() == 1
    old_runs()
    service.see_to_retention(container)

    assert count() == 3
