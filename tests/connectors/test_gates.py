"""The gate on the way of every request: shut within two seconds, and nobody sleeps through."""

import pytest

from connectors.errors import Paused
from connectors.gates import Gate, GatedLimiter
from connectors.limiter import News


class Switch:
    """A switch, a clock and a limiter that a test holds in its hand."""

    def __init__(self):
        self.sentence = None
        self.seconds = 0.0
        self.looks = 0
        self.open_places = 0

    def look(self):
        self.looks += 1
        return self.sentence

    def nap(self, seconds):
        self.seconds += seconds

    def begin(self, most_seconds):
        self.open_places += 1
        self.nap(most_seconds)
        return "place"

    def end(self, place, news):
        assert (place, news) == ("place", News())
        self.open_places -= 1


@pytest.fixture
def switch():
    return Switch()


@pytest.fixture
def gate(switch):
    return Gate(look=switch.look, nap=switch.nap, monotonic=lambda: switch.seconds)


def test_a_gate_looks_every_two_seconds(switch, gate):
    for _ in range(5):
        gate.check()
        switch.seconds += 1.0

    assert switch.looks == 3


def test_a_pause_shuts_the_gate_with_its_sentence(switch, gate):
    gate.check()
    switch.sentence = "Paused by Ada."
    switch.seconds += 2.0

    with pytest.raises(Paused, match=r"Paused by Ada\."):
        gate.check()


def test_nobody_sleeps_through_a_pause(switch, gate):
    gate.check()
    switch.sentence = "Paused."

    with pytest.raises(Paused):
        gate.sleep(300.0)

    assert switch.seconds <= 3.0


def test_who_is_not_paused_sleeps_to_the_end(switch, gate):
    gate.sleep(10.5)

    assert switch.seconds == pytest.approx(10.5)


def test_a_pause_that_begins_while_a_turn_is_awaited_holds_and_gives_the_place_back(switch, gate):
    gate.check()
    switch.sentence = "Paused."

    with pytest.raises(Paused):
        GatedLimiter(switch, gate).begin(30.0)

    assert switch.open_places == 0
