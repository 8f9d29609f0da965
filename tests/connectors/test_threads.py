"""Threads of one process, each with its own connector, ask an LMS at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

from connectors import connect
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json

THREADS = 64
EMPTY = answer_json([])


def test_as_many_requests_are_in_flight_as_there_are_threads(lms):
    all_are_there = threading.Barrier(THREADS, timeout=60)

    def answer(_seen):
        all_are_there.wait()
        return EMPTY

    lms.on("GET", "/api/v1/accounts/self/courses", answer)

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [
            pool.submit(lambda: connect(access(lms.url), services()).courses())
            for _ in range(THREADS)
        ]

    assert [future.result() for future in futures] == [[]] * THREADS
    assert not all_are_there.broken
