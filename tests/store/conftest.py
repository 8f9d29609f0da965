"""A district in an empty database, one transaction around each test."""

import pytest
from sqlalchemy import event

from store.session import writing
from tests.store import places


@pytest.fixture
def db(engine):
    with writing(engine) as connection:
        yield connection


@pytest.fixture
def district(db):
    return places.new_tenant(db)


@pytest.fixture
def canvas(db, district):
    return places.new_platform(db, district)


@pytest.fixture
def algebra(db, district, canvas):
    return places.new_course(db, district, canvas)


@pytest.fixture
def statements(db):
    """What is sent to the database."""
    sent = []

    def take_down(*call):
        sent.append(call[2])

    event.listen(db, "before_cursor_execute", take_down)
    yield sent
    event.remove(db, "before_cursor_execute", take_down)
