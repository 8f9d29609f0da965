import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.errors import RetryLater
from connectors.limiter import (
    LEFT_ALONE_SECONDS,
    MOST_FAILURES,
    News,
    Pace,
    Paced,
    RedisLimiter,
    UnpacedLimiter,
)
from connectors.places import KEEPER, LEASE_SECONDS, Keeper
from tests.connectors.doubles import Clock

pytestmark = pytest.mark.redis

UP, DOWN = News(is_up=True), News(is_up=False)


def await_(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def limiter(redis, clock, *, platform="1", whose="a", draw=lambda: 0.0, keeper=KEEPER, **pace):
    settings = {"rate_per_second": 10.0, "burst": 1, "most_in_flight": 100}
    return RedisLimiter(
        redis,
        paced=Paced(platform=platform, token=whose, name="Northside"),
        pace=Pace(**{**settings, **pace}),
        sleep=clock.slept.append,
        draw=draw,
        keeper=keeper,
    )


def wait(pace):
    """A request that is over at once and says nothing."""
    pace.end(pace.begin(1.0), News())


def fail(pace, times=MOST_FAILURES):
    for _ in range(times):
        pace.end(pace.begin(1.0), DOWN)


def refusal_of(pace):
    with pytest.raises(RetryLater) as caught:
        pace.begin(1.0)
    return caught.value


def pass_away(redis, key, field=None):
    """Let a moment that Redis holds lie in the past."""
    if field is None:
        for member in redis.zrange(key, 0, -1):
            redis.zadd(key, {member: 1})
    else:
        redis.hset(key, field, "1")


def test_after_a_rest_a_burst_goes_out_at_once(redis, clock):
    pace = limiter(redis, clock, burst=3)

    for _ in range(3):
        wait(pace)

    assert clock.slept == []


def test_in_the_long_run_requests_keep_the_rate(redis, clock):
    pace = limiter(redis, clock)

    for _ in range(6):
        wait(pace)

    assert clock.slept == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5], abs=0.05)


def test_workers_of_one_platform_share_a_timetable(redis, clock):
    one, other = limiter(redis, clock), limiter(redis, clock)

    wait(one)
    wait(other)

    assert clock.slept == pytest.approx([0.1], abs=0.05)


def test_platforms_do_not_wait_for_one_another(redis, clock):
    wait(limiter(redis, clock))
    wait(limiter(redis, clock, platform="2"))

    assert clock.slept == []


def test_everybody_waits_until_a_pause_ends(redis, clock):
    limiter(redis, clock).pause(5.0)

    wait(limiter(redis, clock, burst=4))

    assert clock.slept == pytest.approx([5.0], abs=0.1)


def test_chance_makes_a_pause_longer_by_up_to_a_quarter_and_never_shorter(redis, clock):
    limiter(redis, clock, draw=lambda: 1.0).pause(8.0)

    wait(limiter(redis, clock))

    assert clock.slept == pytest.approx([10.0], abs=0.1)


def test_after_a_pause_nobody_bursts(redis, clock):
    pace = limiter(redis, clock, burst=4)
    pace.pause(5.0)

    for _ in range(3):
        wait(pace)

    assert clock.slept == pytest.approx([5.0, 5.1, 5.2], abs=0.1)


def test_a_shorter_pause_does_not_shorten_a_longer_one(redis, clock):
    pace = limiter(redis, clock)
    pace.pause(8.0)

    pace.pause(1.0)
    wait(pace)

    assert clock.slept == pytest.approx([8.0], abs=0.1)


def test_a_wait_beyond_the_patience_is_for_later_and_takes_neither_slot_nor_place(redis, clock):
    pace = limiter(redis, clock, patience_seconds=2.0)
    pace.pause(30.0)

    error = refusal_of(pace)

    assert error.cause == "throttled"
    assert error.after_seconds == pytest.approx(30.0, abs=0.2)
    assert redis.get("waymark:pace:1") is None
    assert redis.zcard("waymark:flight:1:a") == 0


def test_what_the_limiter_keeps_dies_by_itself(redis, clock):
    pace = limiter(redis, clock)

    place = pace.begin(1.0)
    pace.pause(1.0)
    flight_ms = redis.pttl("waymark:flight:1:a")
    pace.end(place, News(is_up=False, remaining=600.0))

    assert 0 < redis.pttl("waymark:pace:1") < 3000
    assert 0 < redis.pttl("waymark:pause:1") <= 1000
    assert 0 < flight_ms <= LEASE_SECONDS * 1000
    assert all(redis.pttl(key) > 0 for key in redis.keys("waymark:*"))


def test_more_requests_than_allowed_are_never_in_flight(redis, clock):
    pace = limiter(redis, clock, most_in_flight=2, queue_seconds=0.5, burst=9)
    places = [pace.begin(1.0), pace.begin(1.0)]

    error = refusal_of(limiter(redis, clock, most_in_flight=2, queue_seconds=0.5, burst=9))
    pace.end(places[0], UP)

    assert error.cause == "busy"
    assert sum(clock.slept) >= 0.5
    assert pace.begin(1.0)


def test_a_place_that_comes_free_is_taken_by_who_waits_for_one(redis, clock):
    pace = limiter(redis, clock, most_in_flight=1, burst=9)
    held = [pace.begin(1.0)]
    waiting = RedisLimiter(
        redis,
        paced=Paced(platform="1", token="a"),
        pace=Pace(rate_per_second=10.0, burst=9, most_in_flight=1),
        sleep=lambda _: held and pace.end(held.pop(), UP),
        draw=lambda: 0.5,
    )

    assert waiting.begin(1.0)


def test_the_place_of_a_worker_that_died_comes_free_by_itself(redis, clock):
    pace = limiter(redis, clock, most_in_flight=1, burst=9)
    pace.begin(1.0)
    pass_away(redis, "waymark:flight:1:a")

    assert pace.begin(1.0)


def test_a_place_whose_holder_died_comes_free_long_before_a_request_may_end(redis, clock):
    pace = limiter(redis, clock, most_in_flight=1)

    place = pace.begin(100.0)
    left_ms = redis.pttl("waymark:flight:1:a")
    pace.end(place, UP)

    assert left_ms == pytest.approx(LEASE_SECONDS * 1000, abs=1000)


def test_a_place_is_renewed_while_its_request_goes_on(redis, clock):
    pace = limiter(redis, clock, most_in_flight=1, keeper=Keeper(every_seconds=0.02))
    place = pace.begin(100.0)
    began = time.time() * 1000

    redis.zadd("waymark:flight:1:a", {place: began + 1_000})
    await_(lambda: redis.zscore("waymark:flight:1:a", place) > began + 20_000)
    pace.end(place, UP)

    assert redis.zcard("waymark:flight:1:a") == 0


def test_a_place_that_came_free_is_not_taken_again(redis, clock):
    renewed = []
    keeper = Keeper(every_seconds=0.02)
    pace = limiter(redis, clock, most_in_flight=1, keeper=keeper)
    place = pace.begin(100.0)

    redis.delete("waymark:flight:1:a")
    keeper.hold("another", lambda: renewed.append(1), most_seconds=100.0)
    await_(lambda: len(renewed) > 2)
    keeper.let_go("another")
    keeper.let_go(place)

    assert redis.zscore("waymark:flight:1:a", place) is None


def test_tokens_do_not_take_one_anothers_places(redis, clock):
    limiter(redis, clock, most_in_flight=1, burst=9).begin(1.0)

    assert limiter(redis, clock, whose="b", most_in_flight=1, burst=9).begin(1.0)


def test_when_the_allowance_runs_low_everybody_pauses_until_it_has_recovered(redis, clock):
    pace = limiter(redis, clock, burst=9)
    pace.end(pace.begin(1.0), News(is_up=True, remaining=600.0))

    pace.end(pace.begin(1.0), News(is_up=True, remaining=100.0))
    wait(limiter(redis, clock, burst=9))

    assert clock.slept == pytest.approx([5.0], abs=0.1)


@pytest.mark.parametrize("remaining", [None, 599.0, 151.0])
def test_an_allowance_that_is_not_low_or_not_told_slows_nobody(redis, clock, remaining):
    pace = limiter(redis, clock, burst=9)
    pace.end(pace.begin(1.0), News(is_up=True, remaining=600.0))

    pace.end(pace.begin(1.0), News(is_up=True, remaining=remaining))
    wait(pace)

    assert clock.slept == []


def test_a_small_allowance_is_not_taken_for_a_low_one(redis, clock):
    pace = limiter(redis, clock, burst=9)

    pace.end(pace.begin(1.0), News(is_up=True, remaining=100.0))
    wait(pace)

    assert clock.slept == []


def test_a_platform_that_failed_again_and_again_is_left_alone(redis, clock):
    fail(limiter(redis, clock, burst=99))

    error = refusal_of(limiter(redis, clock, whose="b", burst=99))

    assert error.cause == "left_alone"
    assert error.after_seconds == pytest.approx(LEFT_ALONE_SECONDS, abs=0.5)
    assert str(error).startswith(f"Northside failed {MOST_FAILURES} times in a row")


def test_an_answer_between_failures_lets_the_count_begin_anew(redis, clock):
    pace = limiter(redis, clock, burst=99)
    fail(pace, MOST_FAILURES - 1)
    pace.end(pace.begin(1.0), UP)

    fail(pace, MOST_FAILURES - 1)

    assert pace.begin(1.0)


def test_what_says_nothing_of_the_platform_is_no_failure(redis, clock):
    pace = limiter(redis, clock, burst=99)

    for _ in range(MOST_FAILURES + 1):
        wait(pace)

    assert pace.begin(1.0)


def test_when_the_time_is_over_one_request_tries_for_all(redis, clock):
    pace = limiter(redis, clock, burst=99)
    fail(pace)
    pass_away(redis, "waymark:breaker:1", "until")

    probe = pace.begin(1.0)
    meanwhile = refusal_of(pace)
    pace.end(probe, UP)

    assert (meanwhile.cause, meanwhile.after_seconds) == ("left_alone", pytest.approx(5.0, abs=0.1))
    assert [pace.begin(1.0), pace.begin(1.0)]


def test_a_probe_that_fails_doubles_the_time(redis, clock):
    pace = limiter(redis, clock, burst=99)
    fail(pace)
    pass_away(redis, "waymark:breaker:1", "until")

    fail(pace, 1)

    assert refusal_of(pace).after_seconds == pytest.approx(2 * LEFT_ALONE_SECONDS, abs=0.5)


def test_a_probe_that_says_nothing_leaves_the_trying_to_the_next(redis, clock):
    pace = limiter(redis, clock, burst=99)
    fail(pace)
    pass_away(redis, "waymark:breaker:1", "until")

    wait(pace)

    assert pace.begin(1.0)


def test_a_probe_whose_worker_died_is_taken_up_by_another(redis, clock):
    pace = limiter(redis, clock, burst=99)
    fail(pace)
    pass_away(redis, "waymark:breaker:1", "until")
    pace.begin(1.0)
    pass_away(redis, "waymark:breaker:1", "probe")

    assert pace.begin(1.0)


def test_late_failures_do_not_lengthen_the_time(redis, clock):
    pace = limiter(redis, clock, burst=99)
    late = [pace.begin(1.0) for _ in range(5)]
    fail(pace)

    for place in late:
        pace.end(place, DOWN)

    assert refusal_of(pace).after_seconds == pytest.approx(LEFT_ALONE_SECONDS, abs=0.5)


def test_platforms_are_left_alone_each_for_itself(redis, clock):
    fail(limiter(redis, clock, burst=99))

    assert limiter(redis, clock, platform="2").begin(1.0)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["begin", "up", "down", "nothing"]), max_size=40))
def test_whatever_happens_places_are_counted_right(redis, clock, steps):
    redis.flushall()
    pace = limiter(redis, clock, burst=999, most_in_flight=3, queue_seconds=0.0)
    held = []
    for step in steps:
        if step == "begin":
            with suppress(RetryLater):
                held.append(pace.begin(1.0))
        elif held:
            news = {"up": UP, "down": DOWN, "nothing": News()}[step]
            pace.end(held.pop(0), news)

    assert redis.zcard("waymark:flight:1:a") == len(held) <= 3


def test_without_redis_the_request_is_for_later(tmp_path, clock):
    once = Retry(NoBackoff(), 0)
    with Redis(unix_socket_path=str(tmp_path / "nothing"), retry=once) as nobody:
        pace = limiter(nobody, clock)

        errors = [refusal_of(pace)]
        with pytest.raises(RetryLater):
            pace.pause(1.0)
        with pytest.raises(RetryLater):
            pace.end("x", News())

    assert errors[0].cause == "no_redis"


def test_an_unpaced_limiter_never_waits():
    clock = Clock()
    pace = UnpacedLimiter()

    pace.pause(9.0)
    pace.end(pace.begin(1.0), DOWN)

    assert clock.slept == []
