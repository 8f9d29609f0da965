"""The queue carries, the database knows: whatever the queue loses is put into it again."""

from dataclasses import replace
from datetime import time

import pytest
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from sqlalchemy import update

from store import run_reports, sync_state
from store.session import reading, writing
from store.sync_state import Phase
from store.tables import runs, work_items
from tests.store.places import new_course, new_tenant
from tests.workers.night import new_night
from workers import queue


@pytest.fixture
def night(container, clock):
    return new_night(container.engine, clock)


@pytest.fixture
def jobs(container):
    """The jobs waiting now, as (function, arguments)."""

    def jobs():
        found = queue.open_queue(container).get_jobs()
        return [(job.func_name, job.args) for job in found]

    return jobs


def item_ids(night, run):
    with reading(night.engine) as connection:
        due = sync_state.due_items(connection, run, now=night.clock())
    return [item.id for item, _ in due]


def set_status(container, status: JobStatus):
    (job_id,) = queue.open_queue(container).job_ids
    job = Job.fetch(job_id, connection=container.redis, serializer=JSONSerializer)
    job.set_status(status)


def test_a_run_by_hand_puts_its_planning_into_the_queue(container, night, jobs):
    run = queue.enqueue_run(container, night.tenant)

    ((function, (ids,)),) = jobs()
    assert function == "workers.jobs.work_on"
    assert len(ids) == 1
    assert night.ask(sync_state.run, run).cause == "by hand"


def test_a_run_is_tended_by_a_worker_in_a_while(container, night):
    run = queue.enqueue_run(container, night.tenant)

    scheduled = queue.open_queue(container).scheduled_job_registry
    (job_id,) = scheduled.get_job_ids()
    job = Job.fetch(job_id, connection=container.redis, serializer=JSONSerializer)
    assert (job.func_name, job.args) == ("workers.jobs.tend_run", [run])


def test_a_run_that_is_going_on_is_not_begun_again(container, night):
    first = queue.enqueue_run(container, night.tenant)

    assert queue.enqueue_run(container, night.tenant) == first


def test_tending_a_run_again_puts_nothing_twice_into_the_queue(container, night, jobs):
    run = queue.enqueue_run(container, night.tenant)
    night.clock.advance(seconds=6)

    queue.tend(container, run)

    assert len(jobs()) == 1


def test_what_a_lost_redis_held_is_put_into_the_queue_again(container, night, jobs, redis):
    run = queue.enqueue_run(container, night.tenant)
    before = jobs()
    redis.flushall()
    night.clock.advance(seconds=6)

    queue.tend(container, run)

    assert jobs() == before


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.FINISHED, JobStatus.STOPPED])
def test_what_a_dead_job_carried_is_put_into_the_queue_again(container, night, jobs, status):
    run = queue.enqueue_run(container, night.tenant)
    set_status(container, status)
    queue.open_queue(container).empty()
    night.clock.advance(seconds=6)

    queue.tend(container, run)

    assert len(jobs()) == 1


@pytest.mark.parametrize("status", [JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.SCHEDULED])
def test_what_a_living_job_carries_is_left_to_it(container, night, jobs, status):
    run = queue.enqueue_run(container, night.tenant)
    set_status(container, status)
    night.clock.advance(seconds=6)

    queue.tend(container, run)

    assert len(jobs()) == 1


def test_what_is_put_back_is_put_into_the_queue_when_its_time_has_come(container, night, jobs):
    run = queue.enqueue_run(container, night.tenant)
    ((_, ([item],)),) = jobs()
    queue.open_queue(container).empty()
    with writing(night.engine) as connection:
        lease = sync_state.claim(connection, item, now=night.clock())
        later = night.clock.moment.replace(minute=1)
        sync_state.put_back(connection, lease, not_before=later, cause="down", message="Later.")

    queue.tend(container, run)
    before = jobs()
    night.clock.advance(minutes=1)
    queue.tend(container, run)

    assert before == []
    assert jobs() == [("workers.jobs.work_on", [[item]])]


def test_many_items_are_carried_by_few_jobs(container, night, jobs):
    run = night.begin()
    with writing(night.engine) as connection:
        course = new_course(connection, night.tenant, night.platform)
        sync_state.add_items(
            connection, run, Phase.PLAN, places=[(course, number) for number in range(99)]
        )
    wanted = item_ids(night, run)

    queue.tend(container, run)

    carried = [arguments[0] for _, arguments in jobs()]
    assert [item for ids in carried for item in ids] == wanted
    assert {len(ids) for ids in carried} <= {3, 1}
    assert len(carried) <= 48


@pytest.mark.parametrize(
    ("courses", "sizes"),
    [(1, [1]), (5, [3, 2]), (16, [8, 8]), (20, [8, 8, 4]), (500, [11] * 45 + [5])],
)
def test_jobs_that_wait_for_an_lms_hold_work_for_all_threads(
    container, night, jobs, courses, sizes
):
    run = night.begin()
    with writing(night.engine) as connection:
        connection.execute(work_items.delete())
        course = new_course(connection, night.tenant, night.platform)
        sync_state.add_items(
            connection, run, Phase.PULL, places=[(course, number) for number in range(courses)]
        )
        connection.execute(update(runs).values(phase=Phase.PULL.value))

    queue.tend(container, run)

    assert [len(ids) for _, (ids,) in jobs()] == sizes


def test_a_finished_run_is_left_alone(container, night, jobs):
    run = night.run()

    assert queue.tend(container, run) is Phase.DONE
    assert jobs() == []


def test_a_run_is_tended_by_one_at_a_time(container, night, jobs):
    run = night.begin()

    with container.redis.lock(f"waymark:tending:{run}", timeout=30):
        phase = queue.tend(container, run)

    assert phase is Phase.PLAN
    assert jobs() == []


def test_a_due_night_is_begun_and_put_into_the_queue(container, night, jobs):
    (run,) = queue.enqueue_due_nights(container)

    assert night.ask(sync_state.run, run).cause == "nightly"
    assert len(jobs()) == 1
    assert queue.enqueue_due_nights(container) == ()


def test_a_run_nobody_tends_is_taken_up_by_the_scheduler(container, night, jobs):
    queue.enqueue_run(container, night.tenant)
    container.redis.flushall()
    night.clock.advance(seconds=6)

    assert queue.enqueue_due_nights(container) == ()
    assert len(jobs()) == 1


def test_each_district_has_its_night_in_its_own_time(container, night):
    # It is 22:00 in UTC, so 19:00 in Sao Paulo and 23:00 in Berlin.
    elsewhere = night.write(new_tenant, "Other", "America/Sao_Paulo")
    for tenant in (night.tenant, elsewhere):
        ended = night.write(
            sync_state.start_run,
            tenant,
            cause="nightly",
            is_full=False,
            now=night.clock.moment.replace(hour=20),
        )
        night.write(
            lambda c, run=ended: c.execute(
                update(runs).where(runs.c.id == run).values(finished_at=night.clock())
            )
        )
    evening = replace(container, settings=replace(container.settings, sync_at=time(21, 30)))

    begun = queue.enqueue_due_nights(evening)

    assert [night.ask(sync_state.run, run).tenant for run in begun] == [night.tenant]


def test_without_workers_none_is_alive(container):
    assert queue.live_workers(container) == 0


def test_an_item_stays_pending_until_a_worker_claims_it(container, night):
    run = queue.enqueue_run(container, night.tenant)

    found = night.ask(run_reports.progress, run)
    assert (found.phase, found.finished, found.total) == (Phase.PLAN, 0, 1)
