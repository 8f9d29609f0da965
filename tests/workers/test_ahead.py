"""What comes next is loaded while what came before is worked on."""

import threading

import pytest

from workers.ahead import loaded_ahead


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


def test_two_are_loaded_at_a_time_and_come_in_order():
    begun = [threading.Event() for _ in range(4)]

    def load(number):
        begun[number].set()
        if number == 0:
            # Only another thread can begin the second before the first is there.
            assert begun[1].wait(timeout=30)
        return number

    assert list(loaded_ahead(load, range(4), threads=2)) == [0, 1, 2, 3]


def test_no_more_than_the_next_two_are_loaded_by_two_threads():
    loaded = []
    found = loaded_ahead(lambda one: loaded.append(one) or one, range(9), threads=2)

    next(found)
    found.close()

    assert sorted(loaded) == [0, 1, 2]


def test_an_error_of_loading_is_raised_in_its_place():
    def load(one):
        if one == 1:
            raise LookupError("one")
        return one

    found = loaded_ahead(load, range(3))

    assert next(found) == 0
    with pytest.raises(LookupError, match="one"):
        next(found)
