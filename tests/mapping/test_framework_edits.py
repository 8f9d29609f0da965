import pytest

from mapping.framework_edits import EditRefused, with_competency, without_competency
from mapping.records import Competency, CompetencyLink, Framework, LinkKind

A, B = (Competency(identifier=one.lower(), code=one, statement="Does") for one in "AB")


def framework(*competencies, links=()):
    return Framework(
        identifier="f", title="F", creator="", competencies=competencies, links=tuple(links)
    )


def precedes(origin, destination):
    return CompetencyLink(origin=origin, kind=LinkKind.PRECEDES, destination=destination)


def refused(found, one, after=()):
    with pytest.raises(EditRefused) as told:
        with_competency(found, one, after=after)
    return set(told.value.problems)


def test_a_new_competency_becomes_the_last_of_its_family():
    new = Competency(identifier="c", code="C", statement="Does", parent="a")

    found = with_competency(framework(A, B), new, after=())

    assert [(c.code, c.position, c.is_strand) for c in found.competencies] == [
        ("A", 0, True),
        ("C", 1, False),
        ("B", 2, False),
    ]


def test_what_it_comes_after_takes_the_place_of_what_it_came_after():
    before = framework(A, B, links=[precedes("a", "b"), precedes("b", "a")])

    found = with_competency(framework(A, B, links=[precedes("a", "b")]), B, after=())

    assert found.links == ()
    assert with_competency(found, B, after=("A", "A")).links == (precedes("a", "b"),)
    assert refused(before, B, after=("A",)) == {"after"}


@pytest.mark.parametrize(
    ("one", "after", "fields"),
    [
        (Competency(identifier="c", code="A", statement="x"), (), {"code"}),
        (Competency(identifier="c", code="a", statement="x"), (), {"code"}),
        (Competency(identifier="a", code="A", statement="x", parent="a"), (), {"parent"}),
        (Competency(identifier="a", code="A", statement="x", parent="z"), (), {"parent"}),
        (A, ("Z",), {"after"}),
        (A, ("A",), {"after"}),
        (Competency(identifier="c", code="B", statement="x", parent="z"), ("Z",), None),
    ],
)
def test_what_cannot_be_is_told_by_its_field(one, after, fields):
    assert refused(framework(A, B), one, after) == (fields or {"code", "parent", "after"})


def test_one_that_goes_takes_its_links_along_and_leaves_those_it_groups_in_peace():
    found = without_competency(framework(A, B, links=[precedes("a", "b")]), "a")

    assert [(c.code, c.position) for c in found.competencies] == [("B", 0)]
    assert found.links == ()
    with pytest.raises(EditRefused, match="It groups 1 others"):
        without_competency(
            framework(A, Competency(identifier="c", code="C", statement="x", parent="a")), "a"
        )
