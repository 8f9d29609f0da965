import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.errors import RetryLater
from connectors.limiter import RedisLimiter, UnpacedLimiter
from tests.connectors.doubles import Clock

pytestmark = pytest.mark.redis


def limiter(redis, clock, **changes):
    settings = {"platform": "1", "rate_per_second": 10.0, "burst": 1, "sleep": clock.slept.append}
    return RedisLimiter(redis, **{**settings, **changes})


def test_after_a_rest_a_burst_goes_out_at_once(redis, clock):
    pace = limiter(redis, clock, burst=3)

    for _ in range(3):
        pace.wait()

    assert clock.slept == []


def test_in_the_long_run_requests_keep_the_rate(redis, clock):
    pace = limiter(redis, clock)

    for _ in range(6):
        pace.wait()

    assert clock.slept == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5], abs=0.05)


def test_workers_of_one_platform_share_a_timetable(redis, clock):
    one, other = limiter(redis, clock), limiter(redis, clock)

    one.wait()
    other.wait()

    assert clock.slept == pytest.approx([0.1], abs=0.05)


def test_platforms_do_not_wait_for_one_another(redis, clock):
    limiter(redis, clock).wait()
    limiter(redis, clock, platform="2").wait()

    assert clock.slept == []


def test_everybody_waits_until_a_pause_ends(redis, clock):
    limiter(redis, clock).pause(5.0)

    limiter(redis, clock, burst=4).wait()

    assert clock.slept == pytest.approx([5.0], abs=0.1)


def test_after_a_pause_nobody_bursts(redis, clock):
    pace = limiter(redis, clock, burst=4)
    pace.pause(5.0)

    for _ in range(3):
        pace.wait()

    assert clock.slept == pytest.approx([5.0, 5.1, 5.2], abs=0.1)


def test_a_shorter_pause_does_not_shorten_a_longer_one(redis, clock):
    pace = limiter(redis, clock)
    pace.pause(8.0)

    pace.pause(1.0)
    pace.wait()

    assert clock.slept == pytest.approx([8.0], abs=0.1)


def test_a_wait_beyond_the_patience_is_for_later_and_takes_no_slot(redis, clock):
    pace = limiter(redis, clock, patience_seconds=2.0)
    pace.pause(30.0)

    with pytest.raises(RetryLater) as caught:
        pace.wait()

    assert caught.value.cause == "throttled"
    assert caught.value.after_seconds == pytest.approx(30.0, abs=0.2)
    assert redis.get("waymark:pace:1") is None


def test_what_the_limiter_keeps_dies_by_itself(redis, clock):
    pace = limiter(redis, clock)

    pace.wait()
    pace.pause(1.0)

    assert 0 < redis.pttl("waymark:pace:1") < 3000
    assert 0 < redis.pttl("waymark:pause:1") <= 1000


def test_without_redis_the_request_is_for_later(tmp_path, clock):
    once = Retry(NoBackoff(), 0)
    with Redis(unix_socket_path=str(tmp_path / "nothing"), retry=once) as nobody:
        pace = limiter(nobody, clock)

        with pytest.raises(RetryLater) as caught:
            pace.wait()
        with pytest.raises(RetryLater):
            pace.pause(1.0)

    assert caught.value.cause == "no_redis"


def test_an_unpaced_limiter_never_waits():
    clock = Clock()
    pace = UnpacedLimiter()

    pace.pause(9.0)
    pace.wait()

    assert clock.slept == []
