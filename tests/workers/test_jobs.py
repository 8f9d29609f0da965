"""What becomes of a work item when its LMS is down, refuses, answers late, or all goes well."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from werkzeug.wrappers import Response

from bootstrap.container import wall_clock
from store import run_reports, sync_state
from store.session import reading, writing
from store.sync_state import ItemState, Phase
from store.tables import work_items
from tests.connectors.serving import serving
from tests.store.places import new_platform, new_tenant
from workers import jobs, queue

EMPTY = Response("[]", content_type="application/json")


@pytest.fixture
def served(container):
    """This process is told with what its jobs work, and forgets it afterwards."""
    jobs.serve(container.settings, container.redis_url)
    yield container
    jobs._process.settings = None


@pytest.fixture
def lms():
    """An LMS that answers everything with one answer, which a test may replace."""
    scripted = {"answer": lambda: EMPTY}

    def application(environ, start_response):
        return scripted["answer"]()(environ, start_response)

    with serving(application) as url:
        yield url, scripted


@pytest.fixture
def run(served, lms):
    """A run whose one platform is to be planned."""
    with writing(served.engine) as connection:
        tenant = new_tenant(connection)
        platform = new_platform(connection, tenant, api_url=lms[0], secrets=served.secrets)
        run = sync_state.start_run(
            connection, tenant, cause="by hand", is_full=False, now=wall_clock()
        )
        sync_state.add_items(connection, run, Phase.PLAN, places=[(None, platform)])
    return run


@pytest.fixture
def item(served, run):
    with reading(served.engine) as connection:
        return connection.execute(
            select(work_items.c.id).where(work_items.c.run_id == run)
        ).scalar_one()


def row(container, item):
    with reading(container.engine) as connection:
        return connection.execute(select(work_items).where(work_items.c.id == item)).one()


def change(container, item, **values):
    with writing(container.engine) as connection:
        connection.execute(update(work_items).where(work_items.c.id == item).values(**values))


def says(lms, status: int, body: str = "{}") -> None:
    lms[1]["answer"] = lambda: Response(body, status=status, content_type="application/json")


def test_an_item_that_went_well_is_done_and_its_run_brought_on(served, run, item):
    jobs.work_on([item])

    with reading(served.engine) as connection:
        assert sync_state.run(connection, run).phase is Phase.DONE
    assert row(served, item).state == "done"


def another_item(served, run, lms):
    """The planning of another platform, put down for the same run."""
    with writing(served.engine) as connection:
        tenant = sync_state.run(connection, run).tenant
        other = new_platform(
            connection, tenant, name="Another", api_url=lms[0], secrets=served.secrets
        )
        sync_state.add_items(connection, run, Phase.PLAN, places=[(None, other)])
        return connection.execute(select(func.max(work_items.c.id))).scalar_one()


def test_where_nobody_waits_a_job_goes_on_with_what_comes_next(served, run, item, lms):
    next_one = another_item(served, run, lms)

    jobs.work_on([item])

    assert row(served, next_one).state == "done"


def test_where_somebody_waits_a_job_leaves_what_comes_next_to_the_queue(served, run, item, lms):
    next_one = another_item(served, run, lms)
    queue.ask_to_tend(served)

    jobs.work_on([item])

    assert row(served, item).state == "done"
    assert row(served, next_one).state == "pending"


def test_what_the_lms_may_take_later_is_put_back_with_a_pause(served, item, lms):
    says(lms, 503)
    before = wall_clock()

    jobs.work_on([item])

    found = row(served, item)
    assert (found.state, found.attempts) == ("pending", 1)
    assert before + timedelta(seconds=0.5) <= found.not_before
    assert found.not_before <= wall_clock() + timedelta(seconds=90)
    assert found.message


def test_an_lms_that_says_when_to_come_back_is_taken_at_its_word(served, item, lms):
    lms[1]["answer"] = lambda: Response("{}", status=503, headers={"Retry-After": "300"})
    before = wall_clock()

    jobs.work_on([item])

    assert row(served, item).not_before >= before + timedelta(seconds=300)


def test_pauses_grow(served, item, lms):
    says(lms, 503)
    change(served, item, attempts=3)
    before = wall_clock()

    jobs.work_on([item])

    assert row(served, item).not_before >= before + timedelta(seconds=30)


def test_after_six_tries_an_item_has_failed_with_a_sentence(served, run, item, lms):
    says(lms, 503)
    change(served, item, attempts=5)

    jobs.work_on([item])

    with reading(served.engine) as connection:
        (trouble,) = run_reports.troubles(connection, run)
    assert trouble.state is ItemState.FAILED
    assert "It was tried 6 times" in trouble.message


def test_what_the_lms_will_not_take_has_failed_at_once(served, run, item, lms):
    says(lms, 401)

    jobs.work_on([item])

    with reading(served.engine) as connection:
        (trouble,) = run_reports.troubles(connection, run)
    assert (trouble.state, row(served, item).attempts) == (ItemState.FAILED, 1)
    assert "a-secret-token" not in trouble.message


def test_a_failed_part_does_not_keep_its_run_from_ending(served, run, item, lms):
    says(lms, 401)

    jobs.work_on([item])

    with reading(served.engine) as connection:
        assert sync_state.run(connection, run).phase is Phase.DONE


def test_an_item_that_another_took_over_meanwhile_is_left_to_it(served, run, item, lms):
    def taken_over():
        change(served, item, fence=99)
        return EMPTY

    lms[1]["answer"] = taken_over

    jobs.work_on([item])

    assert (row(served, item).state, row(served, item).fence) == ("working", 99)
    with reading(served.engine) as connection:
        assert sync_state.run(connection, run).phase is Phase.PLAN


def test_an_item_held_by_another_is_not_touched(served, item):
    with writing(served.engine) as connection:
        sync_state.claim(connection, item, now=wall_clock())

    jobs.work_on([item])

    assert row(served, item).attempts == 1


def test_an_unexpected_error_is_raised_and_the_item_put_back(served, item):
    change(served, item, phase=Phase.PULL.value)

    with pytest.raises(LookupError, match=f"Work item {item} of phase pull names no course"):
        jobs.work_on([item])

    found = row(served, item)
    assert (found.state, found.cause) == ("pending", "unexpected")
    assert found.message == (
        f"Something unexpected happened (LookupError); the worker's log names item {item}."
    )


def test_an_unexpected_error_that_stays_fails_the_item(served, item):
    change(served, item, phase=Phase.PULL.value, attempts=5)

    with pytest.raises(LookupError):
        jobs.work_on([item])

    assert row(served, item).state == "failed"


def test_a_share_of_the_learners_is_computed(served, item):
    change(served, item, phase=Phase.COMPUTE.value)

    jobs.work_on([item])

    assert row(served, item).state == "done"


@pytest.fixture
def items(served, lms):
    """Three items of a run, of a platform each."""
    with writing(served.engine) as connection:
        tenant = new_tenant(connection)
        run = sync_state.start_run(
            connection, tenant, cause="by hand", is_full=False, now=wall_clock()
        )
        platforms = [
            new_platform(connection, tenant, name, api_url=lms[0], secrets=served.secrets)
            for name in ("one", "two", "three")
        ]
        places = [(None, platform) for platform in platforms]
        sync_state.add_items(connection, run, Phase.PLAN, places=places)
        found = select(work_items.c.id).where(work_items.c.run_id == run).order_by("id")
        return list(connection.execute(found).scalars())


def test_the_items_of_a_job_are_in_hand_at_once(served, items, lms):
    all_are_there = threading.Barrier(3, timeout=30)

    def together():
        all_are_there.wait()
        return EMPTY

    lms[1]["answer"] = together

    jobs.work_on(items)

    assert [row(served, item).state for item in items] == ["done"] * 3


def test_with_one_thread_items_are_in_hand_one_after_another(served, items, lms):
    jobs.serve(replace(served.settings, threads=1), served.redis_url)
    seen = []

    def alone():
        seen.append([row(served, item).state for item in items].count("working"))
        return EMPTY

    lms[1]["answer"] = alone

    jobs.work_on(items)

    assert set(seen) == {1}


def test_an_unexpected_error_of_one_item_does_not_stop_the_others(served, items):
    change(served, items[0], phase=Phase.PULL.value)

    with pytest.raises(LookupError, match=f"Work item {items[0]} of phase pull names no course"):
        jobs.work_on(items)

    assert [row(served, item).state for item in items] == ["pending", "done", "done"]


def test_the_lease_is_renewed_while_the_lms_takes_its_time(served, item, lms, monkeypatch):
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.2))
    leases = []

    def slow():
        leases.append(row(served, item).lease_until)
        threading.Event().wait(0.4)
        leases.append(row(served, item).lease_until)
        return EMPTY

    lms[1]["answer"] = slow

    jobs.work_on([item])

    assert leases[1] > leases[0]


def test_who_lost_the_lease_no_longer_renews_it(served, item, lms, monkeypatch):
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.2))
    leases = []

    def taken_over():
        change(served, item, fence=99, lease_until=wall_clock())
        leases.append(row(served, item).lease_until)
        threading.Event().wait(0.3)
        leases.append(row(served, item).lease_until)
        return EMPTY

    lms[1]["answer"] = taken_over

    jobs.work_on([item])

    assert leases[0] == leases[1]


@pytest.mark.usefixtures("run")
def test_tending_all_brings_every_unfinished_run_on(served):
    jobs.tend_all()

    assert len(queue.open_queue(served)) == 1


def test_a_job_whose_time_is_over_leaves_the_rest_to_the_next_job(served, items, monkeypatch):
    monkeypatch.setattr(jobs, "SLICE_SECONDS", 0.0)

    jobs.work_on(items)

    assert [row(served, item).attempts for item in items] == [0, 0, 0]
    assert [job.args for job in queue.open_queue(served).get_jobs()] == [
        [[item]] for item in items[:2]
    ]


def test_a_process_that_was_not_told_with_what_to_work_says_so():
    with pytest.raises(RuntimeError, match=r"workers\.jobs\.serve\(\) was not called"):
        jobs.tend_run(1)
