"""What can be chosen of a tenant's frameworks, and what a placed link is about."""

import pytest

from mapping.records import Competency, Framework
from store import frameworks
from store.competencies import choice_trees, focus_of
from store.registrations import save_tenant


def framework(identifier, *competencies):
    return Framework(
        identifier=identifier,
        title=f"Framework {identifier}",
        creator="",
        competencies=[
            Competency(
                identifier=name,
                code=f"{identifier}/{name}",
                statement=f"About {name}",
                parent=parent,
                position=position,
                is_strand=parent is None,
            )
            for position, (name, parent) in enumerate(competencies)
        ],
    )


DEEP = framework("f", ("A", None), ("A.1", "A"), ("A.1.a", "A.1"), ("B", None))


@pytest.fixture
def tenant(db):
    found = save_tenant(db, "One", "UTC")
    frameworks.save_framework(db, found, DEEP)
    return found


def test_a_tree_has_its_competencies_in_order_under_what_groups_them(db, tenant):
    (tree,) = choice_trees(db, tenant)

    assert tree.title == "Framework f"
    assert [top.identifier for top in tree.tops] == ["A", "B"]
    assert [part.identifier for part in tree.tops[0].parts] == ["A.1"]
    assert [part.identifier for part in tree.tops[0].parts[0].parts] == ["A.1.a"]


def test_what_is_archived_cannot_be_chosen(db, tenant):
    frameworks.save_framework(db, tenant, framework("f", ("A", None), ("A.1", "A")))

    (tree,) = choice_trees(db, tenant)

    assert [top.identifier for top in tree.tops] == ["A"]
    assert focus_of(db, tenant, ["B"]).within == frozenset()


def test_a_focus_has_all_that_its_competencies_group(db, tenant):
    found = focus_of(db, tenant, ["A"])

    assert len(found.named) == 1
    assert len(found.within) == 3
    assert found.statements == ("About A",)
    assert found.unknown == 0


def test_what_is_not_there_is_counted(db, tenant):
    found = focus_of(db, tenant, ["B", "x", "y"])

    assert found.within == found.named
    assert found.unknown == 2


def test_another_tenant_has_none_of_it(db, tenant):
    other = save_tenant(db, "Two", "UTC")

    assert choice_trees(db, other) == ()
    assert focus_of(db, other, ["A"]).unknown == 1
    assert choice_trees(db, tenant) != ()


def test_an_identifier_in_two_frameworks_is_both(db, tenant):
    frameworks.save_framework(db, tenant, framework("g", ("B", None)))

    assert len(focus_of(db, tenant, ["B"]).named) == 2
