"""Marks on their way: wanted, sent, and standing only once they were read back."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from mapping.records import ColumnRef, PassbackWay
from store import frameworks, outbox, sync_state
from store.outbox import OutboxState, StandingMark
from store.session import reading, writing
from store.tables import outbox as letters
from store.tables import passback_marks
from tests.store.places import NOW, enrol, new_course, new_platform, new_tenant, publish

WAY = PassbackWay.WORDS
LATER = NOW + timedelta(days=1)


class Place:
    """A course with two strands and two learners, and a run that writes to it."""

    def __init__(self, connection):
        tenant = new_tenant(connection)
        self.course = new_course(connection, tenant, new_platform(connection, tenant))
        publish(connection, tenant)
        known = {c.code: c.id for c in frameworks.competencies_of(connection, tenant)}
        self.numbers, self.letters = known["N"], known["L.1"]
        self.ada, self.bo = enrol(connection, self.course, "ada", "bo").values()
        self.run = sync_state.start_run(connection, tenant, cause="by hand", is_full=False, now=NOW)

    def want(self, connection, **words):
        """Put words down for the first strand, by learner."""
        marks = {
            (self.numbers, getattr(self, name)): StandingMark(words=said, points=None)
            for name, said in words.items()
        }
        return outbox.want(connection, self.course, WAY, marks=marks, run=self.run, now=NOW)

    def column(self, connection, ref="column"):
        return outbox.save_column(
            connection, self.course, self.numbers, way=WAY, ref=ColumnRef(ref), now=NOW
        )


@pytest.fixture
def place(db):
    return Place(db)


def states(connection):
    rows = connection.execute(select(letters.c.words, letters.c.state).order_by(letters.c.id))
    return {words: OutboxState(state) for words, state in rows}


def standing(connection, place):
    found = outbox.standing_marks(connection, place.course, WAY)
    return {learner: mark.words for (_, learner), mark in found.items()}


def test_what_is_wanted_comes_as_letters_in_its_order(db, place):
    found = place.want(db, bo="Developing", ada="Mastered")

    assert [(one.learner, one.words, one.state) for one in found] == [
        (place.bo, "Developing", OutboxState.WANTED),
        (place.ada, "Mastered", OutboxState.WANTED),
    ]
    assert {one.strand for one in found} == {place.numbers}


def test_what_was_wanted_and_never_sent_is_replaced(db, place):
    place.want(db, ada="Emerging", bo="Emerging too")

    place.want(db, ada="Mastered")

    assert states(db) == {"Mastered": OutboxState.WANTED}


def test_what_was_sent_is_never_replaced(db, place):
    sent = place.want(db, ada="Emerging")
    outbox.take_to_send(db, sent, now=NOW)

    found = place.want(db, ada="Mastered")

    assert states(db) == {"Emerging": OutboxState.SENT, "Mastered": OutboxState.WANTED}
    assert found[0].id != sent[0].id


def test_what_is_wanted_one_way_leaves_another_way_alone(db, place):
    place.want(db, ada="Emerging")

    outbox.want(db, place.course, PassbackWay.MARK_NOT_COUNTED, marks={}, run=place.run, now=NOW)

    assert states(db) == {"Emerging": OutboxState.WANTED}


def test_what_was_sent_and_not_seen_is_unsettled_oldest_first(db, place):
    sent = place.want(db, bo="Developing", ada="Mastered")
    outbox.take_to_send(db, sent, now=NOW)

    found = outbox.unsettled(db, place.course, WAY)

    assert [(one.id, one.words) for one in found] == [(one.id, one.words) for one in sent]
    assert {one.state for one in found} == {OutboxState.SENT}
    assert outbox.unsettled(db, place.course, PassbackWay.MARK_NOT_COUNTED) == ()


def test_a_confirmed_letter_stands_in_the_gradebook(db, place):
    sent = place.want(db, ada="Mastered")

    outbox.confirm(db, place.column(db), sent, now=NOW)

    assert standing(db, place) == {place.ada: "Mastered"}
    assert states(db) == {"Mastered": OutboxState.CONFIRMED}
    assert outbox.unsettled(db, place.course, WAY) == ()


def test_a_later_mark_takes_the_place_of_the_one_that_stood(db, place):
    for words in ("Developing", "Mastered"):
        outbox.confirm(db, place.column(db), place.want(db, ada=words), now=NOW)

    assert standing(db, place) == {place.ada: "Mastered"}


def test_no_letters_are_nothing_to_confirm(db, place):
    outbox.confirm(db, place.column(db), [], now=NOW)

    assert standing(db, place) == {}


def test_a_refused_letter_keeps_its_reason(db, place):
    (letter,) = place.want(db, ada="Mastered")

    outbox.settle(db, {letter: "No such person."}, OutboxState.REFUSED, now=LATER)

    row = db.execute(select(letters)).one()
    assert (row.state, row.reason, row.settled_at) == ("refused", "No such person.", LATER)


def test_a_run_counts_what_it_confirmed_and_what_it_could_not_write(db, place):
    confirmed, refused = place.want(db, ada="Mastered", bo="Developing")
    outbox.confirm(db, place.column(db), [confirmed], now=NOW)
    outbox.settle(db, {refused: "A person's."}, OutboxState.CONFLICT, now=NOW)
    place.want(db, bo="Emerging")

    assert outbox.pushed_in(db, place.run, place.course) == (1, 1)


def test_a_column_is_remembered_by_strand(db, place):
    number = place.column(db)

    assert place.column(db) == number
    assert outbox.columns(db, place.course, WAY) == {place.numbers: (number, "column")}
    assert outbox.columns(db, place.course, PassbackWay.MARK_NOT_COUNTED) == {}


def test_a_column_made_anew_has_none_of_the_old_ones_marks(db, place):
    outbox.confirm(db, place.column(db), place.want(db, ada="Mastered"), now=NOW)

    place.column(db, "made anew")

    assert standing(db, place) == {}
    assert outbox.columns(db, place.course, WAY)[place.numbers][1] == "made anew"


class Letters(RuleBasedStateMachine):
    """Wants, sends and answers in any order, against a gradebook that is simply remembered."""

    def __init__(self, engine):
        super().__init__()
        self.engine = engine
        with writing(engine) as connection:
            connection.execute(passback_marks.delete())
            connection.execute(letters.delete())
            self.place = Place(connection)
            self.column = self.place.column(connection)
        self.wanted, self.sent, self.stands = (), (), {}

    @rule(words=st.dictionaries(st.sampled_from(["ada", "bo"]), st.sampled_from("abc")))
    def want(self, words):
        with writing(self.engine) as connection:
            self.wanted = self.place.want(connection, **words)

    @rule()
    def send(self):
        with writing(self.engine) as connection:
            taken = outbox.take_to_send(connection, self.wanted, now=NOW)
        self.sent, self.wanted = (*self.sent, *taken), ()

    @rule()
    def confirm_the_oldest(self):
        with writing(self.engine) as connection:
            outbox.confirm(connection, self.column, self.sent[:1], now=NOW)
        self.stands |= {letter.learner: letter.words for letter in self.sent[:1]}
        self.sent = self.sent[1:]

    @rule()
    def refuse_the_oldest(self):
        with writing(self.engine) as connection:
            reasons = dict.fromkeys(self.sent[:1], "No.")
            outbox.settle(connection, reasons, OutboxState.REFUSED, now=NOW)
        self.sent = self.sent[1:]

    @invariant()
    def what_was_sent_is_unsettled_until_it_is_answered(self):
        with reading(self.engine) as connection:
            found = outbox.unsettled(connection, self.place.course, WAY)
        assert [one.id for one in found] == [one.id for one in self.sent]

    @invariant()
    def only_what_was_read_back_stands(self):
        with reading(self.engine) as connection:
            assert standing(connection, self.place) == self.stands


def test_whatever_happens_nothing_sent_is_lost_and_nothing_unseen_stands(engine):
    run_state_machine_as_test(
        lambda: Letters(engine), settings=settings(max_examples=8, stateful_step_count=12)
    )
