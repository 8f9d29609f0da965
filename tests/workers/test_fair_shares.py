"""How many items a job carries: for all threads, for all workers, and no more than fifty."""

import pytest

from store.dispatch import DueItems
from store.sync_state import Phase
from workers.fair_shares import chunk_size


def jobs_of(count, *, workers, threads=8, phase=Phase.PULL):
    due = DueItems(phase=phase, platform=None, count=count)
    size = chunk_size(due, workers=workers, threads=threads)
    return [min(size, count - start) for start in range(0, count, size)]


@pytest.mark.parametrize(
    ("count", "workers", "jobs"),
    [
        (1, 2, [1]),
        (2, 2, [1, 1]),
        (10, 8, [5, 5]),
        (24, 1, [12, 12]),
        # Three jobs of eight would leave one of two workers without.
        (24, 2, [12, 12]),
        (40, 2, [10, 10, 10, 10]),
        (50, 0, [25, 25]),
    ],
)
def test_every_worker_has_as_many_jobs(count, workers, jobs):
    assert jobs_of(count, workers=workers) == jobs


@pytest.mark.parametrize("count", [1, 7, 24, 99, 101, 149, 5_000])
@pytest.mark.parametrize("workers", [1, 2, 3, 4, 16])
def test_a_job_carries_at_most_fifty_courses_and_none_is_left_out(count, workers):
    jobs = jobs_of(count, workers=workers)

    assert sum(jobs) == count
    assert 1 <= max(jobs) <= 50


@pytest.mark.parametrize("count", [1, 5, 8, 100])
def test_a_job_that_computes_carries_at_most_twenty_parts(count):
    assert max(jobs_of(count, workers=2, phase=Phase.COMPUTE)) <= 20
