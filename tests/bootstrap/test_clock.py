"""The clock that all processes share: the database's, which no step of a machine's clock moves."""

from datetime import UTC, datetime, timedelta

from bootstrap.clock import DatabaseClock
from bootstrap.container import wall_clock
from store.session import open_engine

WALL = datetime(2030, 1, 1, tzinfo=UTC)


class Seconds:
    def __init__(self):
        self.passed = 0.0

    def __call__(self):
        return self.passed


def test_the_database_says_what_time_it_is_whatever_this_machine_thinks(engine):
    found = DatabaseClock(engine, wall=lambda: WALL)()

    assert abs(found - wall_clock()) < timedelta(minutes=1)


def test_time_goes_on_between_two_questions_by_what_no_step_moves(engine):
    seconds = Seconds()
    clock = DatabaseClock(engine, wall=lambda: WALL, monotonic=seconds)
    before = clock()
    seconds.passed += 20.0

    assert clock() - before == timedelta(seconds=20)


def test_a_database_that_never_answered_leaves_this_machines_clock(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'no folder' / 'none.db'}")

    assert DatabaseClock(engine, wall=lambda: WALL)() == WALL
