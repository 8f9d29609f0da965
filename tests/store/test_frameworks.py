"""Frameworks are brought up to date and never lose a competency; rules have versions."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from mapping.records import Competency
from mapping.rules import MasteryRule
from store import frameworks
from store.frameworks import SavedFramework
from store.tables import competencies, mastery_rules
from tests.store.places import FRAMEWORK, NOW, new_tenant, set_rule


@pytest.fixture
def saved(db, district):
    return frameworks.save_framework(db, district, FRAMEWORK)


def edition(**codes):
    """The framework with some competencies known by other codes; None leaves one out."""
    return replace(
        FRAMEWORK,
        competencies=tuple(
            replace(one, code=codes.get(one.identifier, one.code))
            for one in FRAMEWORK.competencies
            if codes.get(one.identifier, "") is not None
        ),
    )


def codes(connection, tenant):
    return [one.code for one in frameworks.competencies_of(connection, tenant)]


def all_codes(connection):
    rows = connection.execute(select(competencies.c.identifier, competencies.c.code))
    return dict(rows.all())


def test_a_framework_comes_with_its_competencies_in_order(db, district, saved):
    assert saved == SavedFramework(added=4, changed=0, archived=0)
    assert codes(db, district) == ["N", "N.1", "N.2", "L.1"]


@pytest.mark.usefixtures("saved")
def test_a_competency_knows_its_strand(db, district):
    found = {one.code: one for one in frameworks.competencies_of(db, district)}

    assert found["N.1"].parent == found["N"].id
    assert found["N"].is_strand
    assert found["N"].parent is None
    assert found["N.1"].framework == "F"


@pytest.mark.usefixtures("saved")
def test_the_same_framework_again_changes_nothing(db, district):
    again = frameworks.save_framework(db, district, FRAMEWORK)

    assert again == SavedFramework(added=0, changed=0, archived=0)


@pytest.mark.usefixtures("saved")
def test_a_changed_statement_keeps_the_competency(db, district):
    before = {one.code: one.id for one in frameworks.competencies_of(db, district)}
    reworded = [replace(one, statement="Anew") for one in FRAMEWORK.competencies]

    again = frameworks.save_framework(db, district, replace(FRAMEWORK, competencies=reworded))

    assert again == SavedFramework(added=0, changed=4, archived=0)
    assert {one.code: one.id for one in frameworks.competencies_of(db, district)} == before


@pytest.mark.usefixtures("saved")
def test_a_competency_the_framework_no_longer_holds_is_archived_and_kept(db, district):
    again = frameworks.save_framework(db, district, edition(l1=None))

    assert again.archived == 1
    assert codes(db, district) == ["N", "N.1", "N.2"]
    assert all_codes(db)["l1"] == "L.1"


@pytest.mark.usefixtures("saved")
def test_an_archived_competency_that_came_back_is_the_same(db, district):
    before = frameworks.competencies_of(db, district)
    frameworks.save_framework(db, district, edition(l1=None))

    frameworks.save_framework(db, district, FRAMEWORK)

    assert frameworks.competencies_of(db, district) == before


@pytest.mark.usefixtures("saved")
def test_codes_may_be_exchanged_between_competencies(db, district):
    frameworks.save_framework(db, district, edition(n1="N.2", n2="N.1"))

    assert all_codes(db) == {"n": "N", "n1": "N.2", "n2": "N.1", "l1": "L.1"}


@pytest.mark.usefixtures("saved")
def test_a_new_edition_may_give_old_codes_to_new_items(db, district):
    fresh = tuple(
        Competency(identifier=f"new {one.code}", code=one.code, statement=one.statement)
        for one in FRAMEWORK.competencies
    )

    again = frameworks.save_framework(db, district, replace(FRAMEWORK, competencies=fresh))

    assert again == SavedFramework(added=4, changed=0, archived=4)
    assert codes(db, district) == ["N", "N.1", "N.2", "L.1"]


@pytest.mark.usefixtures("saved")
def test_two_districts_may_have_one_framework_each_for_itself(db, district):
    other = new_tenant(db, "Other")

    again = frameworks.save_framework(db, other, edition(l1=None))

    assert again.added == 3
    assert len(codes(db, district)) == 4


def test_a_district_without_a_rule_has_none(db, district):
    assert frameworks.current_rule(db, district) is None


def test_a_rule_is_read_back_as_it_was_defined(db, district):
    set_rule(db, district, mastered=3.5)

    found = frameworks.current_rule(db, district)

    assert found.version == 1
    assert found.definition == MasteryRule(minimum_evidence=1, mastered=3.5).definition()


def test_the_same_rule_again_changes_nothing(db, district):
    first = set_rule(db, district)

    assert set_rule(db, district) == first
    assert len(db.execute(select(mastery_rules)).all()) == 1


def test_another_rule_is_a_new_version_and_the_former_is_kept(db, district):
    set_rule(db, district)

    set_rule(db, district, mastered=3.5, now=NOW + timedelta(days=1))

    assert frameworks.current_rule(db, district).version == 2
    assert len(db.execute(select(mastery_rules)).all()) == 2


def test_a_rule_that_came_back_is_the_newest_version(db, district):
    for mastered in (3.0, 3.5, 3.0):
        set_rule(db, district, mastered=mastered)

    assert frameworks.current_rule(db, district).version == 3
