"""Links between competencies come with their framework, and evidence follows equivalents."""

from dataclasses import replace

import pytest

from mapping.evidence.tables import NOT_BRIDGED
from mapping.progressions.graph import HierarchyRefused
from mapping.records import CompetencyLink, LinkKind
from store import frameworks, gradebook, links
from store.grounds import policy_of
from tests.store.places import (
    FRAMEWORK,
    NOW,
    align,
    column,
    competency_ids,
    new_tenant,
    publish,
    rule,
    set_rule,
)


def link(origin, kind, destination):
    return CompetencyLink(origin=origin, kind=kind, destination=destination)


def save(db, tenant, *found):
    return frameworks.save_framework(db, tenant, replace(FRAMEWORK, links=found))


def test_links_are_kept_with_their_framework(db, district):
    save(db, district, link("n1", LinkKind.PRECEDES, "n2"))

    ids, found = competency_ids(db, district), links.links_of(db, district)

    assert found.prerequisites_of(ids["N.2"]) == (ids["N.1"],)


def test_links_that_an_edition_has_no_longer_are_gone(db, district):
    save(db, district, link("n1", LinkKind.PRECEDES, "n2"))

    save(db, district, link("n2", LinkKind.PRECEDES, "l1"))

    ids, found = competency_ids(db, district), links.links_of(db, district)
    assert found.prerequisites_of(ids["N.2"]) == ()
    assert found.prerequisites_of(ids["L.1"]) == (ids["N.2"],)


def test_links_of_competencies_that_are_not_there_are_passed_over(db, district):
    save(db, district, link("n1", LinkKind.PRECEDES, "elsewhere"))

    assert links.links_of(db, district).first.size == 0


def test_links_of_another_district_are_not_here(db, district):
    other = new_tenant(db, "Other")

    save(db, other, link("n1", LinkKind.PRECEDES, "n2"))

    assert links.links_of(db, district).first.size == 0


def test_links_in_a_circle_are_refused(db, district):
    circle = (link("n1", LinkKind.PRECEDES, "n2"), link("n2", LinkKind.PRECEDES, "n1"))

    with pytest.raises(HierarchyRefused):
        save(db, district, *circle)


def test_line_items_speak_for_the_equivalents_of_what_they_are_aligned_to(db, district, algebra):
    publish(db, district)
    save(db, district, link("n1", LinkKind.EXACT_MATCH_OF, "l1"))
    set_rule(db, district)
    gradebook.save_line_items(db, algebra, [column("quiz")])
    align(db, district, algebra, rule("N.1"))
    ids = competency_ids(db, district)

    found = policy_of(db, district, now=NOW).alignments

    told = dict(zip(found.competency.tolist(), found.via.tolist(), strict=True))
    assert told == {ids["N.1"]: NOT_BRIDGED, ids["L.1"]: ids["N.1"]}
