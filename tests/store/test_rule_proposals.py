"""Changes of rules that wait for a second person's yes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store import rule_proposals, rules
from store.mapping_drafts import Editor
from store.policy_changes import Author, changes_of
from store.rule_proposals import ProposalRefused, Published, RuleChange
from store.rule_trail import SecondPersonNeeded, keep_rule
from store.rules import DISTRICT, RuleNote
from store.second_person import set_needs_second
from tests.store.places import NOW, new_tenant

DAY = timedelta(days=1)
VERA = Editor(author=Author(by="Vera", at=NOW, reason="Fairer."), key="1/vera")
OMAR = Editor(author=Author(by="Omar", at=NOW + DAY, reason="I agree."), key="1/omar")
STRICTER = RuleChange(place=DISTRICT, definition={"mastered": 3.5})


@pytest.fixture
def careful(db, district):
    """A district that wants a second person."""
    set_needs_second(db, district, is_needed=True, author=VERA.author)
    return district


def said(db, tenant, moment):
    found = rules.district_rule(db, tenant, now=moment)
    return None if found is None else dict(found.definition)


def proposed(db, tenant, change=STRICTER):
    assert rule_proposals.publish(db, tenant, change, editor=VERA) is Published.WAITS
    return rule_proposals.waiting(db, tenant)[-1].id


def test_where_nobody_asks_for_a_second_person_a_change_holds_at_once(db, district):
    assert rule_proposals.publish(db, district, STRICTER, editor=VERA) is Published.HOLDS
    assert rule_proposals.publish(db, district, STRICTER, editor=VERA) is Published.NO_NEWS
    assert said(db, district, NOW) == {"mastered": 3.5}


def test_a_proposed_change_holds_with_somebody_elses_yes_and_the_trail_tells_both(db, careful):
    number = proposed(db, careful)
    assert said(db, careful, NOW + DAY) is None

    rule_proposals.approve(db, careful, number, editor=OMAR)

    assert said(db, careful, NOW + DAY) == {"mastered": 3.5}
    yes, asked = changes_of(db, careful)[:2]
    assert (asked.by, asked.reason, asked.after) == ("Vera", "Fairer.", '{"mastered": 3.5}')
    assert (yes.by, yes.after) == ("Omar", '{"mastered": 3.5}')
    assert yes.reason == "Proposed by Vera: Fairer. Approved: I agree."
    assert rule_proposals.waiting(db, careful) == ()


def test_nobody_approves_what_they_proposed_themselves_whatever_they_are_called(db, careful):
    number = proposed(db, careful)
    herself = replace(OMAR, key=VERA.key)

    with pytest.raises(ProposalRefused, match="proposed this change yourself"):
        rule_proposals.approve(db, careful, number, editor=herself)

    assert said(db, careful, NOW + DAY) is None


@pytest.mark.parametrize(("editor", "told"), [(OMAR, "declined"), (VERA, "taken back")])
def test_a_change_that_is_declined_or_taken_back_never_holds(db, careful, editor, told):
    number = proposed(db, careful)

    rule_proposals.decline(db, careful, number, editor=editor)

    assert changes_of(db, careful)[0].after == told
    assert said(db, careful, NOW + DAY) is None
    with pytest.raises(ProposalRefused, match="waits no longer"):
        rule_proposals.approve(db, careful, number, editor=OMAR)


def test_no_other_way_goes_around_the_second_person(db, careful):
    with pytest.raises(SecondPersonNeeded):
        keep_rule(db, careful, DISTRICT, definition={"mastered": 2.0}, note=RuleNote(), now=NOW)

    assert said(db, careful, NOW) is None


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        (NOW + DAY / 2, NOW + DAY),  # to come when it was proposed, and over by now
        (NOW + 3 * DAY, NOW + 3 * DAY),
        (NOW - DAY, NOW - DAY),
    ],
)
def test_the_day_is_kept_unless_it_came_while_the_change_waited(db, careful, day, begins):
    number = proposed(db, careful, replace(STRICTER, begins=day))

    rule_proposals.approve(db, careful, number, editor=OMAR)

    assert rules.rule_versions(db, careful)[-1].effective_from == begins


def test_what_makes_no_rule_any_more_is_not_approved(db, careful):
    number = proposed(db, careful, replace(STRICTER, definition={"mastered": 99.0}))

    with pytest.raises(ProposalRefused, match="makes no rule"):
        rule_proposals.approve(db, careful, number, editor=OMAR)

    assert [one.id for one in rule_proposals.waiting(db, careful)] == [number]


def test_a_change_for_a_past_day_is_not_approved_beside_a_later_one(db, careful):
    number = proposed(db, careful, replace(STRICTER, begins=NOW - DAY))
    agreed = RuleNote(is_agreed=True)
    keep_rule(db, careful, DISTRICT, definition={"mastered": 2.0}, note=agreed, now=NOW)

    with pytest.raises(ProposalRefused, match="go on holding"):
        rule_proposals.approve(db, careful, number, editor=OMAR)


def test_another_district_sees_and_decides_nothing(db, careful):
    number = proposed(db, careful)
    other = new_tenant(db, "Elsewhere")

    assert rule_proposals.waiting(db, other) == ()
    assert rule_proposals.find_waiting(db, other, number) is None
    with pytest.raises(ProposalRefused):
        rule_proposals.approve(db, other, number, editor=OMAR)
