"""The trail of changes is searched by kind, person, text and time."""

from datetime import timedelta

import pytest

from store.policy_changes import Author, PolicyChange, PolicyKind, record_change
from store.trail import TrailWish, people_of_trail, trail, trail_behind, trail_length, whole_trail
from tests.store.places import NOW, new_course, new_tenant

DAY = timedelta(days=1)


@pytest.fixture
def told(db, district, canvas):
    """Three changes on three days, and one of another tenant."""
    course = new_course(db, district, canvas)
    for number, (kind, by, reason) in enumerate(
        (
            (PolicyKind.MODE, "Vera", "The pilot is over."),
            (PolicyKind.RULE, "Ben", "100% is too much"),
            (PolicyKind.WAY, "Vera", ""),
        )
    ):
        author = Author(by=by, at=NOW + number * DAY, reason=reason)
        if kind is PolicyKind.RULE:
            change = author.change_of(kind, "Mathematics_6", before="{}", after='{"a": 1}')
        else:
            change = author.change(kind, "before", f"after {number}", course=course)
        record_change(db, district, change)
    other = Author(by="Mallory", at=NOW).change(PolicyKind.MODE, "a", "b")
    record_change(db, new_tenant(db, "Other"), other)


def found(db, district, **wish):
    return [one.change.kind for one in trail(db, district, TrailWish(**wish), most=10)]


@pytest.mark.usefixtures("told")
def test_the_newest_is_first_and_nothing_is_anothers(db, district):
    assert found(db, district) == [PolicyKind.WAY, PolicyKind.RULE, PolicyKind.MODE]
    assert people_of_trail(db, district) == ("Ben", "Vera")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("wish", "kinds"),
    [
        ({"kind": PolicyKind.MODE}, [PolicyKind.MODE]),
        ({"by": "Vera"}, [PolicyKind.WAY, PolicyKind.MODE]),
        ({"text": "PILOT"}, [PolicyKind.MODE]),
        ({"text": "mathematics_"}, [PolicyKind.RULE]),
        ({"text": "100%"}, [PolicyKind.RULE]),
        ({"text": "0% i_"}, []),
        ({"since": NOW + DAY}, [PolicyKind.WAY, PolicyKind.RULE]),
        ({"until": NOW + DAY}, [PolicyKind.MODE]),
        ({"by": "Ben", "kind": PolicyKind.MODE}, []),
    ],
)
def test_each_filter_leaves_what_is_meant(db, district, wish, kinds):
    assert found(db, district, **wish) == kinds
    assert trail_length(db, district, TrailWish(**wish)) == len(kinds)


@pytest.mark.usefixtures("told")
def test_a_course_is_found_by_its_title(db, district):
    title = trail(db, district, TrailWish(), most=1)[0].course

    assert title
    assert len(found(db, district, text=title[:4])) == 2


@pytest.mark.usefixtures("told")
def test_a_page_begins_where_the_one_before_ended(db, district):
    pages = [trail(db, district, TrailWish(), most=2, passed_over=n) for n in (0, 2)]

    assert [len(one) for one in pages] == [2, 1]
    assert (*pages[0], *pages[1]) == tuple(whole_trail(db, district, TrailWish()))


def test_a_long_trail_is_told_whole_also_where_moments_are_the_same(db, district):
    for number in range(1100):
        moment = NOW + timedelta(seconds=number // 700)
        change = PolicyChange(
            kind=PolicyKind.MODE, before="", after=f"{number}", by="Vera", at=moment
        )
        record_change(db, district, change)

    told = [int(one.change.after) for one in whole_trail(db, district, TrailWish())]

    assert told == sorted(range(1100), reverse=True)


@pytest.mark.usefixtures("told")
def test_parts_of_the_trail_follow_one_another_by_id(db, district):
    wish = TrailWish(by="Vera")

    ((newest, first),) = trail_behind(db, district, wish, before=None, most=1)
    ((oldest, second),) = trail_behind(db, district, wish, before=newest, most=1)

    assert [first.change.kind, second.change.kind] == [PolicyKind.WAY, PolicyKind.MODE]
    assert trail_behind(db, district, wish, before=oldest, most=1) == ()
