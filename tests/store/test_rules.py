"""Every version of every scope's rule is kept, with who said it, why and from when it holds."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mapping.evidence.tables import View
from mapping.records import LearnerRef
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.scopes import Scope
from mapping.status import Status
from store import frameworks, rules, waiting
from store.rules import DISTRICT, RuleNote, RulePlace
from store.standings import Basis, Standing
from store.tables import mastery_rules, recompute_pairs, recompute_queue, to_micros
from tests.store.places import (
    NOW,
    competency_ids,
    enrol,
    keep_standings,
    new_course,
    new_tenant,
    publish,
    rule,
    set_rule,
)

DAY = timedelta(days=1)
FRAMEWORK = RulePlace(scope=Scope.FRAMEWORK, target=7)


def save(db, district, definition, *, now=NOW, place=DISTRICT, **note):
    return rules.save_rule(db, district, definition, now=now, place=place, note=RuleNote(**note))


def versions(db, district):
    return [(one.version, dict(one.definition)) for one in rules.rule_versions(db, district)]


def test_a_district_without_a_rule_has_none(db, district):
    assert rules.district_rule(db, district, now=NOW) is None


def test_a_rule_is_read_back_as_it_was_said(db, district):
    save(db, district, {"mastered": 3.5}, author="Ana", reason="agreed in June")

    found = rules.district_rule(db, district, now=NOW)

    assert (found.version, found.definition) == (1, {"mastered": 3.5})
    assert (found.author, found.reason) == ("Ana", "agreed in June")
    assert found.effective_from == found.recorded_at == NOW


def test_the_same_rule_again_changes_nothing(db, district):
    first = set_rule(db, district)

    assert set_rule(db, district) == first
    assert len(db.execute(select(mastery_rules)).all()) == 1


def test_another_rule_is_a_new_version_and_the_former_is_kept(db, district):
    for mastered in (3.0, 3.5, 3.0):
        save(db, district, {"mastered": mastered})

    assert [version for version, _ in versions(db, district)] == [1, 2, 3]
    assert rules.district_rule(db, district, now=NOW).version == 3


def test_a_rule_to_come_holds_from_its_moment_on(db, district):
    save(db, district, {"mastered": 3.0})
    save(db, district, {"mastered": 4.0}, effective_from=NOW + DAY)

    held = [rules.district_rule(db, district, now=NOW + n * DAY) for n in (-1, 0, 1)]

    assert [one and one.version for one in held] == [None, 1, 2]


def test_what_is_said_before_a_rule_to_come_does_not_outlast_it(db, district):
    save(db, district, {"mastered": 4.0}, effective_from=NOW + 2 * DAY)
    save(db, district, {"mastered": 3.5}, now=NOW + DAY)

    assert rules.district_rule(db, district, now=NOW + DAY).definition == {"mastered": 3.5}
    assert rules.district_rule(db, district, now=NOW + 2 * DAY).definition == {"mastered": 4.0}


def test_scopes_are_told_apart_and_numbered_each_for_itself(db, district):
    save(db, district, {"mastered": 3.0})
    save(db, district, {"mastered": 3.5}, place=FRAMEWORK)
    save(db, district, {"mastered": 4.0}, place=FRAMEWORK)

    found = rules.scoped_rules(db, district)

    assert [(one.scope, one.target, one.version) for one in found] == [
        (Scope.DISTRICT, 0, 1),
        (Scope.FRAMEWORK, 7, 1),
        (Scope.FRAMEWORK, 7, 2),
    ]
    assert {one.effective_from for one in found} == {to_micros(NOW)}


def test_what_was_recorded_later_was_not_known(db, district):
    save(db, district, {"mastered": 3.0})
    save(db, district, {"mastered": 4.0}, now=NOW + DAY, effective_from=NOW)

    assert len(rules.scoped_rules(db, district, known_by=NOW)) == 1
    assert len(rules.scoped_rules(db, district, known_by=NOW + DAY)) == 2


def test_a_scope_whose_rule_is_withdrawn_says_nothing(db, district):
    save(db, district, {"mastered": 3.5}, place=FRAMEWORK)

    rules.withdraw_rule(db, district, now=NOW, place=FRAMEWORK)
    rules.withdraw_rule(db, district, now=NOW, place=FRAMEWORK)

    assert versions(db, district) == [(1, {"mastered": 3.5}), (2, {})]


def test_to_withdraw_what_was_never_said_is_nothing(db, district):
    rules.withdraw_rule(db, district, now=NOW, place=FRAMEWORK)

    assert versions(db, district) == []


def test_courses_with_a_rule_are_known(db, district, algebra):
    save(db, district, {"mastered": 3.5}, place=RulePlace(scope=Scope.COURSE, target=algebra))

    assert rules.has_own_rule(db, district, algebra)
    assert not rules.has_own_rule(db, district, algebra + 1)
    assert not rules.has_own_rule(db, new_tenant(db, "Other"), algebra)


@pytest.fixture
def ids(db, district):
    publish(db, district)
    return competency_ids(db, district)


@pytest.fixture
def known(db, district, canvas, algebra, ids):
    """Ada stands in N.1 and is in algebra, Bo stands in L.1 and is in another course."""
    basis = Basis(
        mapping_set=publish(db, district, rule("N.1")), rule=set_rule(db, district), run=None
    )
    found = enrol(db, algebra, "ada") | enrol(db, new_course(db, district, canvas, "c2"), "bo")
    held = Standing(status=Status.MASTERED, estimate=3.5, evidence_count=1, mastered_count=1)
    for ref, code in (("ada", "N.1"), ("bo", "L.1")):
        place = (found[LearnerRef(ref)], ids[code], View.TEACHER)
        keep_standings(db, {place: (None, held)}, basis=basis, now=NOW)
    for table in (recompute_queue, recompute_pairs):
        db.execute(table.delete())
    return {learner: ref for ref, learner in found.items()}


def put_down(db, district, known):
    return {known[one] for one in waiting.waiting_in(db, district, part=0, parts=1).everybody}


def places(algebra, ids):
    return {
        "district": DISTRICT,
        "course": RulePlace(scope=Scope.COURSE, target=algebra),
        "competency": RulePlace(scope=Scope.COMPETENCY, target=ids["L.1"]),
    }


_CONCERNED = [("district", {"ada", "bo"}), ("course", {"ada"}), ("competency", {"bo"})]


@pytest.mark.parametrize(("scope", "concerned"), _CONCERNED)
def test_whom_a_rule_may_concern_is_put_down_at_once(
    db, district, algebra, ids, known, *, scope, concerned
):
    save(db, district, {"mastered": 3.5}, place=places(algebra, ids)[scope])

    assert put_down(db, district, known) == concerned


@pytest.mark.parametrize(("scope", "concerned"), _CONCERNED)
def test_whom_a_rule_to_come_may_concern_is_put_down_once_it_holds(
    db, district, algebra, ids, known, *, scope, concerned
):
    place = places(algebra, ids)[scope]
    save(db, district, {"mastered": 3.5}, place=place, effective_from=NOW + DAY)
    at_once = put_down(db, district, known)

    rules.mark_begun(db, district, since=NOW, now=NOW + DAY)

    assert at_once == set()
    assert put_down(db, district, known) == concerned


def test_a_rule_of_a_framework_concerns_who_stands_in_it(db, district, known):
    number = frameworks.framework_id(db, district, "F")
    place = RulePlace(scope=Scope.FRAMEWORK, target=number)

    save(db, district, {"mastered": 3.5}, place=place)

    assert put_down(db, district, known) == {"ada", "bo"}


def test_a_rule_that_held_before_puts_nobody_down_again(db, district, known):
    rules.mark_begun(db, district, since=NOW, now=NOW + DAY)

    assert put_down(db, district, known) == set()


def test_the_same_rule_has_one_id_for_ever(db, district):
    first = rules.effective_rule(db, district, MasteryRule())

    assert rules.effective_rule(db, district, MasteryRule()) == first
    assert rules.effective_rule(db, district, MasteryRule(mastered=3.5)) != first
    assert rules.effective_rule(db, new_tenant(db, "Other"), MasteryRule()) != first


def test_rules_that_standings_were_judged_by_are_read_back(db, district):
    strict = MasteryRule(mastered=3.5)
    number = rules.effective_rule(db, district, strict)

    assert rules.rules_by_id(db, {number}) == {number: strict}
    assert rules.rules_by_id(db, ()) == {}


def test_rules_of_two_districts_are_apart(db, district):
    other = new_tenant(db, "Other")

    save(db, other, {"mastered": 3.5})

    assert versions(db, district) == []
