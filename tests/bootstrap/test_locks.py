import time

import pytest

from bootstrap.locks import shared_lock
from connectors.errors import RetryLater
from connectors.places import LEASE_SECONDS, Keeper


def test_a_lock_is_held_by_one_at_a_time(redis):
    with (
        shared_lock(redis, "columns"),
        pytest.raises(RetryLater) as caught,
        shared_lock(redis, "columns", wait_seconds=0.1),
    ):
        pass

    assert caught.value.cause == "locked"


def test_a_lock_is_free_again_after_an_error(redis):
    with pytest.raises(ZeroDivisionError), shared_lock(redis, "columns"):
        raise ZeroDivisionError

    with shared_lock(redis, "columns", wait_seconds=0.1):
        assert redis.keys("waymark:lock:*")
    assert redis.keys("waymark:lock:*") == []


def test_locks_of_two_names_are_two(redis):
    with shared_lock(redis, "one"), shared_lock(redis, "other", wait_seconds=0.1):
        assert len(redis.keys("waymark:lock:*")) == 2


def test_a_lock_that_expired_meanwhile_is_no_error(redis):
    with shared_lock(redis, "columns"):
        redis.flushall()

    assert redis.keys("waymark:lock:*") == []


def test_a_lock_whose_holder_died_comes_free_in_seconds(redis):
    with shared_lock(redis, "columns"):
        left_ms = redis.pttl("waymark:lock:columns")

    assert 0 < left_ms <= LEASE_SECONDS * 1000


def test_a_lock_is_renewed_while_it_is_held(redis):
    with shared_lock(redis, "columns", keeper=Keeper(every_seconds=0.02)):
        redis.pexpire("waymark:lock:columns", 2_000)
        deadline = time.monotonic() + 10
        while redis.pttl("waymark:lock:columns") <= 20_000 and time.monotonic() < deadline:
            time.sleep(0.01)
        left_ms = redis.pttl("waymark:lock:columns")

    assert left_ms > 20_000
    assert redis.keys("waymark:lock:*") == []
