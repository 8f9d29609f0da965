"""Places are renewed while they are held, by one thread that ends when there is nothing to do."""

import threading
import time

from connectors.places import Keeper


def await_(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def names():
    return [thread.name for thread in threading.enumerate()].count("places")


def test_what_is_held_is_renewed_again_and_again_and_not_once_it_is_let_go():
    keeper, renewed, others = Keeper(every_seconds=0.01), [], []
    keeper.hold("a", lambda: renewed.append(1), most_seconds=100)
    await_(lambda: len(renewed) >= 3)

    keeper.let_go("a")
    count = len(renewed)
    keeper.hold("b", lambda: others.append(1), most_seconds=100)
    await_(lambda: len(others) >= 3)
    keeper.let_go("b")

    assert len(renewed) <= count + 1


def test_what_nobody_lets_go_is_given_up_in_the_end():
    keeper, renewed = Keeper(every_seconds=0.01, idle_seconds=0.02), []
    before = names()

    keeper.hold("a", lambda: renewed.append(1), most_seconds=0.1)
    await_(lambda: bool(renewed))
    await_(lambda: names() <= before)

    assert renewed


def test_what_is_over_at_once_is_never_renewed_and_ends_the_thread():
    keeper, renewed = Keeper(every_seconds=0.02, idle_seconds=0.02), []
    before = names()

    keeper.hold("a", lambda: renewed.append(1), most_seconds=100)
    keeper.let_go("a")
    await_(lambda: names() <= before)

    assert renewed == []
