"""Connections that are lent to one request after the other."""

import gc
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulators.state import StatePool, config_of, open_state, refresh


@pytest.fixture
def pool(district_folder):
    return StatePool(district_folder / "canvas.db")


def test_a_connection_that_came_back_is_lent_again_to_any_thread(pool):
    first = pool.take()
    pool.give(first)

    with ThreadPoolExecutor(1) as thread:
        lent = thread.submit(pool.take).result()

    assert lent is first
    pool.give(lent)


def test_two_at_a_time_never_share_a_connection(pool):
    one, other = pool.take(), pool.take()

    assert one is not other
    pool.give(one)
    pool.give(other)


def test_what_was_not_committed_is_gone_for_the_next(pool):
    connection = pool.take()
    connection.execute("UPDATE config SET value = 'changed' WHERE key = 'district'")
    pool.give(connection)

    again = pool.take()

    assert config_of(again)["district"] != "changed"
    pool.give(again)


def test_a_lent_connection_sees_what_others_changed_meanwhile(pool, district_folder):
    connection = pool.take()
    before = config_of(connection)["tool_url"]
    pool.give(connection)

    refresh(district_folder / "canvas.db", {"tool_url": f"{before}/moved"})

    again = pool.take()
    assert config_of(again)["tool_url"] == f"{before}/moved"
    pool.give(again)


def test_the_connections_end_with_the_pool(district_folder):
    pool = StatePool(district_folder / "canvas.db")
    connection = pool.take()
    pool.give(connection)

    del pool
    gc.collect()

    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_a_learner_is_in_a_course_once(district_folder):
    connection = open_state(district_folder / "canvas.db")
    again = (
        "INSERT INTO enrolments (course_id, person_id, role, created_at) "
        "SELECT course_id, person_id, role, 0 FROM enrolments WHERE role = 'learner' LIMIT 1"
    )

    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(again)
    connection.close()
