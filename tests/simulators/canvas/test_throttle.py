import pytest

from simulators.canvas.throttle import Throttle


def test_eleven_parallel_requests_pass_and_the_twelfth_is_refused():
    throttle = Throttle()

    passed = [throttle.arrive("token", 0.0) for _ in range(12)]

    assert passed == [True] * 11 + [False]


def test_a_settled_request_leaves_only_its_true_cost():
    throttle = Throttle()
    throttle.arrive("token", 0.0)

    assert throttle.settle("token", 0.0, cost=0.5) == pytest.approx(599.5)


def test_a_full_bucket_has_drained_after_a_minute():
    throttle = Throttle()
    for _ in range(12):
        throttle.arrive("token", 0.0)

    throttle.arrive("token", 60.0)

    assert throttle.settle("token", 60.0, cost=0.0) == pytest.approx(600.0)


def test_each_identity_has_a_bucket_of_its_own():
    throttle = Throttle()
    for _ in range(12):
        throttle.arrive("one", 0.0)

    assert throttle.arrive("another", 0.0)
