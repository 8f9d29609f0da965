"""The queue carries, the database knows: whatever the queue loses is put into it again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time, timedelta

import pytest
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from sqlalchemy import update

from bootstrap.container import wall_clock
from store import pauses, run_reports, sync_state
from store.dispatch import DueItems
from store.refreshes import RefreshCause
from store.session import reading, writing
from store.sync_state import ItemState, Phase
from store.tables import runs
from tests.store.places import new_course, new_platform, new_tenant
from tests.workers.night import new_night
from workers import fair_shares, queue
from workers.queue import Refresh


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


def test_an_idle_worker_has_runs_tended_once_in_a_while(container, jobs):
    queue.ask_to_tend(container)
    queue.ask_to_tend(container)

    assert jobs() == [("workers.jobs.tend_all", [])]


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
    assert queue.open_queue(container).job_ids[0].endswith("-2")


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.FINISHED, JobStatus.STOPPED])
def test_what_a_dead_job_carried_is_put_into_the_queue_again(container, night, jobs, status):
    run = queue.enqueue_run(container, night.tenant)
    set_status(container, status)
    queue.open_queue(container).empty()
    night.clock.advance(seconds=6)

    queue.tend(container, run)

    assert len(jobs()) == 1


def test_what_somebody_works_on_is_left_to_them(container, night, jobs):
    run = queue.enqueue_run(container, night.tenant)
    ((_, ([item],)),) = jobs()
    queue.open_queue(container).empty()
    night.clock.advance(seconds=6)
    night.write(sync_state.claim, item, now=night.clock())

    queue.tend(container, run)

    assert jobs() == []


@pytest.mark.parametrize(("seconds_ago", "carried"), [(1, 0), (60, 1)])
def test_a_job_that_was_taken_and_took_nothing_up_died_with_its_worker(
    container, night, jobs, seconds_ago, carried
):
    run = queue.enqueue_run(container, night.tenant)
    opened = queue.open_queue(container)
    (job_id,) = opened.job_ids
    job = Job.fetch(job_id, connection=container.redis, serializer=JSONSerializer)
    job.started_at = wall_clock() - timedelta(seconds=seconds_ago)
    job.set_status(JobStatus.STARTED)
    job.save()
    container.redis.delete(opened.key)
    night.clock.advance(seconds=6)

    queue.tend(container, run)

    assert len(jobs()) == carried


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


@pytest.fixture
def reading_run(night):
    """Makes a run that has so many courses to read."""

    def reading_run(count, *, tenant=None, platform=None):
        with writing(night.engine) as connection:
            run = sync_state.start_run(
                connection,
                tenant or night.tenant,
                cause="by hand",
                is_full=False,
                now=night.clock(),
                phase=Phase.PULL,
            )
            course = new_course(connection, tenant or night.tenant, platform or night.platform)
            places = [(course, number) for number in range(count)]
            sync_state.add_items(connection, run, Phase.PULL, places=places)
        return run

    return reading_run


def test_a_job_is_named_after_tenant_date_run_phase_and_first_item(container, night, reading_run):
    run = reading_run(1)
    (item,) = item_ids(night, run)

    queue.tend(container, run)

    (name,) = queue.open_queue(container).job_ids
    assert name == f"sync-{night.tenant}-2026-11-20-{run}-pull-{item}-1"


def test_a_run_has_two_jobs_for_each_worker_in_the_queue_and_no_more(container, jobs, reading_run):
    run = reading_run(500)

    queue.tend(container, run)
    queue.tend(container, run)

    assert [len(ids) for _, (ids,) in jobs()] == [50, 50]


def test_what_comes_first_is_carried_first(container, night, jobs, reading_run):
    run = reading_run(20)
    wanted = item_ids(night, run)

    queue.tend(container, run)

    assert [item for _, (ids,) in jobs() for item in ids] == wanted


def test_a_platform_takes_turns_with_the_others_of_its_district(
    container, night, jobs, reading_run
):
    run = reading_run(500)
    with writing(night.engine) as connection:
        other = new_platform(connection, night.tenant, "Other")
        course = new_course(connection, night.tenant, other)
        sync_state.add_items(connection, run, Phase.PULL, places=[(course, n) for n in range(4)])

    queue.tend(container, run)

    assert [len(ids) for _, (ids,) in jobs()] == [50, 2]


def test_a_large_district_leaves_room_for_a_small_one(container, night, jobs, reading_run):
    large = reading_run(5_000)
    with writing(night.engine) as connection:
        tenant = new_tenant(connection, "Small")
        platform = new_platform(connection, tenant, "Small Canvas")
    small = reading_run(10, tenant=tenant, platform=platform)

    queue.tend(container, large)
    queue.tend(container, small)

    assert [len(ids) for _, (ids,) in jobs()] == [50, 50, 5, 5]


def test_what_was_lost_goes_before_what_waits(container, night, jobs, reading_run):
    large = reading_run(500)
    small = reading_run(2)
    queue.tend(container, small)
    queue.open_queue(container).empty()
    queue.tend(container, large)
    night.clock.advance(seconds=6)

    queue.tend(container, small)

    assert [len(ids) for _, (ids,) in jobs()] == [1, 1, 50, 50]


def test_a_process_with_work_in_hand_goes_on_where_nobody_waits(container, jobs, reading_run):
    run = reading_run(60)

    taken = queue.tend_and_go_on(container, run)
    queue.tend(container, run)

    (others,) = [ids for _, (ids,) in jobs()]
    assert len(taken) == len(others) == 30
    assert set(taken).isdisjoint(others)


def test_a_process_with_work_in_hand_lets_others_have_their_turn(container, jobs, reading_run):
    queue.tend(container, reading_run(4))
    run = reading_run(4)
    before = jobs()

    taken = queue.tend_and_go_on(container, run)

    assert not taken
    assert len(jobs()) > len(before)


def test_a_process_with_work_in_hand_goes_on_with_what_waits_of_its_run(
    container, night, jobs, reading_run
):
    run = reading_run(60)
    queue.tend(container, run)
    (_, (first,)), *others = jobs()
    name, *_ = queue.open_queue(container).job_ids
    night.clock.advance(seconds=60)

    taken = queue.tend_and_go_on(container, run)

    assert taken == tuple(first)
    assert jobs() == others
    assert not Job.exists(name, connection=container.redis)
    assert set(item_ids(night, run)).isdisjoint(taken)


def test_what_another_worker_has_just_taken_from_the_queue_is_left_to_it(
    container, reading_run, monkeypatch
):
    run = reading_run(4)
    queue.tend(container, run)
    waiting = queue.open_queue(container)
    names = waiting.job_ids
    monkeypatch.setattr(Queue, "get_job_ids", lambda *_: names[:1])
    waiting.remove(names[0])

    taken = queue.tend_and_go_on(container, run)

    assert taken == ()
    assert Job.exists(names[0], connection=container.redis)


def test_two_who_tend_at_once_put_nothing_twice_into_the_queue(container, jobs, reading_run):
    run = reading_run(40)
    gate = threading.Barrier(2)

    def tend():
        gate.wait(10)
        queue.tend(container, run)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(tend), pool.submit(tend)]:
            done.result(20)

    carried = [item for _, (ids,) in jobs() for item in ids]
    assert len(carried) == len(set(carried)) == 40


def test_what_a_worker_takes_up_after_it_was_counted_is_left_to_that_worker(
    container, night, reading_run
):
    run_id = reading_run(1)
    (item,) = item_ids(night, run_id)
    counted = DueItems(phase=Phase.PULL, platform=night.platform, count=1)
    with writing(container.engine) as connection:
        sync_state.claim(connection, item, now=night.clock())

    with writing(container.engine) as connection:
        run = sync_state.run(connection, run_id)
        chunk = fair_shares._marked(connection, run, counted, alive=(), now=night.clock())

    assert chunk is None


def test_a_finished_run_is_left_alone(container, night, jobs):
    run = night.run()

    assert queue.tend(container, run) is Phase.DONE
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


@pytest.fixture
def read_course(night):
    night.run()
    return night.course()


def refresh(container, night, course):
    return queue.enqueue_refresh(container, night.tenant, course, cause=RefreshCause.TEACHER)


def test_a_course_asked_for_is_in_the_queue_at_once_before_all_else(
    container, night, jobs, read_course
):
    queue.open_queue(container).enqueue("workers.jobs.tend_all")

    assert refresh(container, night, read_course) is Refresh.STARTED
    assert [function for function, _ in jobs()] == ["workers.jobs.work_on", "workers.jobs.tend_all"]


def test_a_course_asked_for_during_a_night_waits_for_it_and_is_told_so(
    container, night, read_course
):
    queue.enqueue_run(container, night.tenant)

    assert refresh(container, night, read_course) is Refresh.WAITING
    assert refresh(container, night, read_course) is Refresh.ASKED_BEFORE


def test_a_course_asked_for_during_a_pause_is_read_when_it_ends(
    container, night, jobs, read_course
):
    night.write(pauses.pause, night.tenant, by="Ada", now=night.clock())

    assert refresh(container, night, read_course) is Refresh.PAUSED
    assert jobs() == []
    night.write(pauses.resume, night.tenant, by="Ada", now=night.clock())
    queue.go_on(container, night.tenant)
    assert len(jobs()) == 1


def test_a_run_of_a_paused_district_puts_nothing_into_the_queue(container, night, jobs):
    night.write(pauses.pause, night.tenant, by="Ada", now=night.clock())
    run = queue.enqueue_run(container, night.tenant)

    assert queue.tend(container, run) is Phase.PLAN
    assert jobs() == []


def test_what_was_asked_for_begins_when_the_run_in_its_way_is_over(
    container, night, jobs, read_course
):
    night.score("quiz 1", "ada", 0.0)
    run = night.begin()
    night.reach(run, Phase.PUSH)
    night.clock.advance(minutes=1)
    refresh(container, night, read_course)
    for work in night.take(run):
        night.perform(work)

    assert queue.tend(container, run) is Phase.DONE
    assert len(jobs()) == 1


@pytest.mark.usefixtures("read_course")
def test_what_failed_is_tried_again(container, night, jobs):
    run = night.begin(is_full=True)
    (work,) = night.reach(run, Phase.PULL)
    night.write(
        sync_state.finish, work.lease, ItemState.FAILED, now=night.clock(), cause="not_found"
    )
    night.reach(run, Phase.DONE)

    assert queue.enqueue_retries(container, night.tenant, by="Ada") == 1
    assert len(jobs()) == 1
