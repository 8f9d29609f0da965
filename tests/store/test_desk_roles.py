"""Roles at the desk: who may change what, and that somebody is always left who may say so."""

from datetime import timedelta

import pytest

from store import desk_roles
from store.desk_roles import DeskRole, Person, Right, RoleRefused, Wanted
from store.policy_changes import Author, PolicyKind, changes_of
from tests.store import places
from tests.store.places import NOW

BOSS = Author(by="Boss", at=NOW, reason="As agreed.")


@pytest.fixture
def seen(db, district, canvas):
    """Somebody who opens Waymark as an administrator; their id."""

    def seen(name):
        person = Person(platform=canvas, subject=f"sub-{name}", name=name)
        desk_roles.note_sight(db, district, person, now=NOW)
        found = desk_roles.administrators_of(db, district)
        return next(one.id for one in found if one.name == name)

    return seen


@pytest.fixture
def seat(db, district, canvas):
    def seat(name):
        return desk_roles.seat_of(
            db, district, Person(platform=canvas, subject=f"sub-{name}", name=name)
        )

    return seat


def give(db, district, who, role, **more):
    wanted = Wanted(role=role, **more)
    return desk_roles.give_role(db, district, wanted, administrator=who, author=BOSS)


def test_until_somebody_has_the_districts_role_all_administrators_do(seen, seat):
    seen("Ada")

    assert seat("Ada").role is seat("Bob").role is DeskRole.DISTRICT


def test_from_then_on_whoever_was_given_none_reads(db, district, seen, seat):
    give(db, district, seen("Ada"), DeskRole.DISTRICT)

    assert seat("Ada").may(Right.PEOPLE)
    assert seat("Bob").role is DeskRole.READER
    assert not any(seat("Bob").may(right) for right in Right)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (DeskRole.DISTRICT, set(Right)),
        (DeskRole.DESIGNER, {Right.DESIGN}),
        (DeskRole.OPERATOR, {Right.OPERATE}),
        (DeskRole.READER, set()),
    ],
)
def test_a_role_changes_what_it_is_for(db, district, seen, seat, role, rights):
    give(db, district, seen("Ada"), DeskRole.DISTRICT)
    give(db, district, seen("Bob"), role)

    assert {right for right in Right if seat("Bob").may(right)} == rights


def test_an_operator_may_be_one_of_a_single_school(db, district, canvas, seen, seat):
    places.new_school(db, district, canvas)
    seen("Boss")

    give(db, district, seen("Bob"), DeskRole.OPERATOR, school="School s1")

    assert seat("Bob").school is not None
    assert (
        next(one.school for one in desk_roles.administrators_of(db, district) if one.name == "Bob")
        == "School s1"
    )


@pytest.mark.parametrize(
    ("role", "school"), [(DeskRole.OPERATOR, "Nowhere"), (DeskRole.DESIGNER, "School s1")]
)
def test_a_school_that_is_none_or_a_role_of_none_is_refused(
    db, district, canvas, seen, role, school
):
    places.new_school(db, district, canvas)
    seen("Boss")

    with pytest.raises(RoleRefused, match="school"):
        give(db, district, seen("Bob"), role, school=school)


@pytest.mark.parametrize("role", [DeskRole.DESIGNER, DeskRole.READER, None])
def test_the_last_one_of_the_district_stays(db, district, seen, seat, role):
    ada = seen("Ada")
    seen("Bob")
    give(db, district, ada, DeskRole.DISTRICT)

    with pytest.raises(RoleRefused, match="somebody else first"):
        give(db, district, ada, role)

    assert seat("Ada").role is DeskRole.DISTRICT
    assert seat("Bob").role is DeskRole.READER


def test_the_only_administrator_cannot_give_themselves_less(db, district, seen):
    with pytest.raises(RoleRefused):
        give(db, district, seen("Ada"), DeskRole.READER)


def test_the_command_line_may_do_even_that(db, district, seen, seat):
    ada = seen("Ada")
    give(db, district, ada, DeskRole.DISTRICT)

    give(db, district, ada, None, is_forced=True)

    assert seat("Bob").role is DeskRole.DISTRICT


def test_roles_of_another_district_are_not_there(db, seen):
    assert not give(db, places.new_tenant(db, "Another"), seen("Ada"), DeskRole.READER)


def test_a_role_given_twice_stands_in_the_trail_once(db, district, seen):
    seen("Ada")
    bob = seen("Bob")

    for _ in range(2):
        give(db, district, bob, DeskRole.OPERATOR)

    assert [
        (one.kind, one.subject, one.before, one.after, one.by) for one in changes_of(db, district)
    ] == [(PolicyKind.ROLE, "Bob", "none", "operator", "Boss")]


def test_a_sight_is_noted_once_an_hour_and_with_a_new_name(db, district, canvas):
    ada = Person(platform=canvas, subject="s", name="Ada")
    assert desk_roles.is_sight_due(db, district, ada, now=NOW)
    desk_roles.note_sight(db, district, ada, now=NOW)

    soon, later = NOW + timedelta(minutes=59), NOW + timedelta(minutes=60)
    assert not desk_roles.is_sight_due(db, district, ada, now=soon)
    assert desk_roles.is_sight_due(db, district, ada, now=later)
    married = Person(platform=canvas, subject="s", name="Ada L.")
    assert desk_roles.is_sight_due(db, district, married, now=soon)
    desk_roles.note_sight(db, district, married, now=soon)
    assert [one.name for one in desk_roles.administrators_of(db, district)] == ["Ada L."]
