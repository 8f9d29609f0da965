import pytest

from tests.workers.night import new_night


@pytest.fixture
def night(engine, clock):
    return new_night(engine, clock)
