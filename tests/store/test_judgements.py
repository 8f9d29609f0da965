"""What persons say of evidence: kept with who, when and why, revoked and never deleted."""

from datetime import timedelta

import pytest

from mapping.columns import NO_MOMENT
from mapping.records import LearnerRef
from mapping.status import Status
from store import judgements, waiting
from store.judgements import Exclusion, GivenDate, NotOfThisDistrict, Override
from store.overrides import override_table
from store.tables import to_micros
from tests.store.places import (
    NOW,
    align,
    competency_ids,
    enrol,
    new_course,
    new_platform,
    new_tenant,
    open_reading,
    publish,
    rule,
    waiting_pairs,
)

DAY = timedelta(days=1)


@pytest.fixture
def opened(db, district, algebra):
    publish(db, district)
    found = open_reading(db, algebra, items=["quiz", "test"], learners=["ada"])
    align(db, district, algebra, rule("N.1", line_item="quiz"))
    return found


@pytest.fixture
def ada(opened):
    return opened.learners[LearnerRef("ada")]


@pytest.fixture
def number(db, district, opened):  # noqa: ARG001 - it publishes the framework
    return competency_ids(db, district)["N.1"]


@pytest.fixture
def quiz(opened):
    return opened.items["quiz", None]


def override(ada, number, **more):
    fields = {
        "status": Status.MASTERED,
        "reason": "Seen in class.",
        "author": "Ms Lima",
        "given_at": NOW,
        **more,
    }
    return Override(learner=ada, competency=number, **fields)


def exclusion(ada, quiz, **more):
    fields = {"reason": "Copied.", "author": "Ms Lima", "given_at": NOW, **more}
    return Exclusion(learner=ada, line_item=quiz, **fields)


def date(ada, quiz, **more):
    fields = {"occurred_at": NOW - DAY, "author": "Ms Lima", "given_at": NOW, **more}
    return GivenDate(learner=ada, line_item=quiz, **fields)


def held(db, district, ada, now=NOW):
    return judgements.judgements_of(db, district, ada, now=now)


def put_down(db, district):
    return waiting_pairs(db, district)


def test_an_override_is_told_with_who_gave_it_why_and_until_when(db, district, ada, number):
    given = override(ada, number, until=NOW + DAY)

    judgements.give_override(db, district, given)

    assert held(db, district, ada).overrides == {number: given}


def test_an_override_holds_neither_before_it_was_given_nor_from_its_end_on(
    db, district, ada, number
):
    judgements.give_override(db, district, override(ada, number, until=NOW + DAY))

    days = [bool(held(db, district, ada, NOW + n * DAY).overrides) for n in (-1, 0, 1)]

    assert days == [False, True, False]


def test_another_override_takes_the_place_of_the_former_which_is_kept(db, district, ada, number):
    judgements.give_override(db, district, override(ada, number))
    later = override(ada, number, status=Status.EMERGING, author="Mr Sá", given_at=NOW + DAY)

    judgements.give_override(db, district, later)

    assert held(db, district, ada, NOW + DAY).overrides == {number: later}
    first, second = judgements.everything_said(db, district, ada)
    assert (first.revoked_at, first.revoked_by) == (NOW + DAY, "Mr Sá")
    assert second == later


def test_an_override_taken_back_is_kept_with_who_took_it_back(db, district, ada, number):
    judgements.give_override(db, district, override(ada, number))

    place = {"learner": ada, "competency": number}
    judgements.revoke_override(db, district, **place, author="Mr Sá", now=NOW + DAY)

    assert held(db, district, ada, NOW + DAY).overrides == {}
    assert held(db, district, ada, NOW).overrides.keys() == {number}
    (kept,) = judgements.everything_said(db, district, ada)
    assert (kept.revoked_at, kept.revoked_by) == (NOW + DAY, "Mr Sá")


def test_overrides_come_as_columns_as_they_were_at_a_moment(db, district, ada, number):
    judgements.give_override(db, district, override(ada, number))
    later = override(ada, number, status=Status.EMERGING, given_at=NOW + DAY, until=NOW + 2 * DAY)
    judgements.give_override(db, district, later)

    tables = [override_table(db, [ada], moment=moment) for moment in (NOW - DAY, NOW, None)]

    told = [(table.status.tolist(), table.until.tolist()) for table in tables]
    assert told == [
        ([], []),
        ([Status.MASTERED], [NO_MOMENT]),
        ([Status.EMERGING], [to_micros(NOW + 2 * DAY)]),
    ]


@pytest.mark.parametrize("status", [Status.NO_EVIDENCE, Status.INSUFFICIENT, Status.RECHECK_DUE])
def test_a_status_that_no_person_can_give_is_refused(db, district, ada, number, *, status):
    with pytest.raises(ValueError, match="cannot be given by a person"):
        judgements.give_override(db, district, override(ada, number, status=status))


def test_an_override_that_ends_before_it_begins_is_refused(db, district, ada, number):
    with pytest.raises(ValueError, match="must end after it begins"):
        judgements.give_override(db, district, override(ada, number, until=NOW))


def test_an_exclusion_holds_until_it_is_taken_back(db, district, ada, quiz):
    given = exclusion(ada, quiz)
    judgements.exclude(db, district, given)
    before = held(db, district, ada).exclusions

    place = {"learner": ada, "line_item": quiz}
    judgements.include(db, district, **place, author="Mr Sá", now=NOW + DAY)

    assert before == {quiz: given}
    assert held(db, district, ada, NOW + DAY).exclusions == {}


def test_a_given_date_holds_until_another_is_given_or_it_is_taken_back(db, district, ada, quiz):
    judgements.give_date(db, district, date(ada, quiz))
    second = date(ada, quiz, occurred_at=NOW - 2 * DAY, given_at=NOW + DAY)
    judgements.give_date(db, district, second)
    between = held(db, district, ada, NOW + DAY).dates

    place = {"learner": ada, "line_item": quiz}
    judgements.revoke_date(db, district, **place, author="Mr Sá", now=NOW + 2 * DAY)

    assert between == {quiz: second}
    assert held(db, district, ada, NOW + 2 * DAY).dates == {}
    assert len(judgements.everything_said(db, district, ada)) == 2


def test_whatever_is_said_puts_down_what_it_may_change(db, district, ada, number, *, quiz):
    put = []
    for say, given in (
        (judgements.give_override, override(ada, number)),
        (judgements.exclude, exclusion(ada, quiz)),
        (judgements.give_date, date(ada, quiz)),
    ):
        say(db, district, given)
        put.append(set(put_down(db, district)))
        waiting.settle(db, waiting.waiting_in(db, district, part=0, parts=1))

    assert put == [{(ada, number)}] * 3


@pytest.fixture
def theirs(db):
    """A learner, a line item and a competency of another district."""
    other = new_tenant(db, "Other")
    publish(db, other)
    course = new_course(db, other, new_platform(db, other))
    opened = open_reading(db, course, items=["quiz"], learners=[])
    (learner,) = enrol(db, course, "ada").values()
    return {
        "learner": learner,
        "line_item": opened.items["quiz", None],
        "competency": competency_ids(db, other)["N.1"],
    }


@pytest.mark.parametrize("odd", ["learner", "competency"])
def test_no_override_reaches_another_district(db, district, ada, number, *, theirs, odd):
    place = {"learner": ada, "competency": number, odd: theirs[odd]}
    given = override(place["learner"], place["competency"])

    with pytest.raises(NotOfThisDistrict):
        judgements.give_override(db, district, given)


@pytest.mark.parametrize("odd", ["learner", "line_item"])
@pytest.mark.parametrize(
    ("say", "what"), [(judgements.exclude, exclusion), (judgements.give_date, date)]
)
def test_nothing_said_of_evidence_reaches_another_district(
    db, district, ada, quiz, *, theirs, odd, say, what
):
    place = {"learner": ada, "line_item": quiz, odd: theirs[odd]}

    with pytest.raises(NotOfThisDistrict):
        say(db, district, what(place["learner"], place["line_item"]))


def test_what_was_said_of_another_districts_learner_is_not_told(db, district, ada, quiz):
    judgements.exclude(db, district, exclusion(ada, quiz))

    assert judgements.everything_said(db, new_tenant(db, "Other"), ada) == ()
