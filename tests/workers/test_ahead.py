"""What comes next is loaded while what came before is worked on."""

import threading
import time

import pytest

from workers.ahead import loaded_ahead


def eventually(is_so):
    deadline = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    time.sleep(0.01)
    return True


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_everything_is_loaded_once_and_comes_in_order(count):
    loaded = []

    found = list(loaded_ahead(lambda one: loaded.append(one) or one * 2, range(count)))

    assert found == [one * 2 for one in range(count)]
    assert loaded == list(range(count))


def test_the_next_is_loaded_before_this_one_is_done():
    begun = [threading.Event() for _ in range(3)]

    for one in loaded_ahead(lambda number: begun[number].set() or number, range(3)):
        if one < 2:
            assert begun[one + 1].wait(timeout=30)


def test_no_more_than_the_next_one_is_loaded():
    loaded = []
    found = loaded_ahead(lambda one: loaded.append(one) or one, range(5))

    next(found)
    next(found)
    found.close()

    assert loaded == [0, 1, 2]


def test_two_are_loaded_at_a_time_where_loading_is_waited_for():
    begun = [threading.Event() for _ in range(6)]

    def load(number):
        begun[number].set()
        if number == 1:
            # So that it is waited for: nobody takes it before the third is asked for.
            time.sleep(0.2)
        if number == 3:
            # Only another thread can begin the next before this one is there.
            assert begun[4].wait(timeout=30)
        return number

    assert list(loaded_ahead(load, range(6), threads=2)) == list(range(6))


def test_one_is_loaded_ahead_where_the_work_takes_longer():
    loaded = []

    for number in loaded_ahead(lambda one: loaded.append(one) or one, range(5), threads=2):
        # The next one is there before this one is done, and none behind it is begun.
        wanted = [one for one in range(5) if one <= number + 1]
        assert eventually(lambda wanted=wanted: loaded == wanted)


def test_an_error_of_loading_is_raised_in_its_place():
    def load(one):
        if one == 1:
            raise LookupError("one")
        return one

    found = loaded_ahead(load, range(3))

    assert next(found) == 0
    with pytest.raises(LookupError, match="one"):
        next(found)
