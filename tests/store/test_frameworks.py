"""Frameworks are brought up to date and never lose a competency."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from mapping.records import Competency, CompetencyLink, LinkKind
from store import frameworks
from store.frameworks import SavedFramework
from store.tables import competencies
from tests.store.places import FRAMEWORK, new_tenant


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

    assert again == SavedFramework(added=4, changed=0, archived=4, is_restructured=True)
    assert codes(db, district) == ["N", "N.1", "N.2", "L.1"]


@pytest.mark.usefixtures("saved")
def test_two_districts_may_have_one_framework_each_for_itself(db, district):
    other = new_tenant(db, "Other")

    again = frameworks.save_framework(db, other, edition(l1=None))

    assert again.added == 3
    assert len(codes(db, district)) == 4


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    ("changes", "is_restructured"),
    [
        ({}, False),
        ({"statement": "Count well"}, False),
        ({"parent": None}, True),
        ({"code": "N.9"}, True),
    ],
)
def test_an_edition_tells_whether_standings_may_be_others_by_it(
    db, district, changes, is_restructured
):
    parts = [
        replace(one, **changes) if one.identifier == "n1" else one for one in FRAMEWORK.competencies
    ]

    found = frameworks.save_framework(db, district, replace(FRAMEWORK, competencies=parts))

    assert found.is_restructured is is_restructured


@pytest.mark.usefixtures("saved")
def test_an_edition_with_other_links_may_change_standings(db, district):
    precedes = CompetencyLink(origin="n1", kind=LinkKind.PRECEDES, destination="n2")
    linked = replace(FRAMEWORK, links=(precedes,))

    assert frameworks.save_framework(db, district, linked).is_restructured
    assert not frameworks.save_framework(db, district, linked).is_restructured
