import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from interchange.case import read_package
from interchange.case_export import write_package
from mapping.records import Competency, CompetencyLink, Framework, LinkKind

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
ONE, TWO, DOC = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
FRAMEWORK = Framework(
    identifier=DOC,
    title="Numbers",
    creator="A ministry",
    language="pt-BR",
    licence="https://example.org/by",
    attribution="By courtesy",
    competencies=(
        Competency(identifier=ONE, code="N", statement="=1+1", is_strand=True),
        Competency(
            identifier=TWO, code="N.1", statement="Counts", parent=ONE, position=1, indicator="I"
        ),
    ),
    links=(CompetencyLink(origin=ONE, kind=LinkKind.PRECEDES, destination=TWO),),
)


def written(framework):
    return write_package(framework, changed_at=AT, base="https://waymark.example/")


def test_what_is_written_is_read_back():
    found = read_package(written(FRAMEWORK))

    assert found.framework == FRAMEWORK
    assert (found.skipped, found.unresolved, found.warnings) == ((), (), ())


def test_all_that_the_standard_wants_is_there():
    package = json.loads(written(FRAMEWORK))

    document = package["CFDocument"]
    assert document["caseVersion"] == "1.1"
    assert document["lastChangeDateTime"] == "2026-11-20T08:00:00Z"
    for part in (document, *package["CFItems"], *package["CFAssociations"]):
        assert UUID(part["identifier"])
        assert part["uri"].startswith("https://waymark.example/ims/case/v1p1/")
        assert part["lastChangeDateTime"]


def test_identifiers_that_are_no_uuid_become_one_the_same_each_time():
    local = replace(
        FRAMEWORK,
        identifier="local",
        competencies=(Competency(identifier="N", code="N", statement="Counts"),),
        links=(),
    )

    found = read_package(written(local)).framework

    assert UUID(found.identifier)
    assert UUID(found.competencies[0].identifier)
    assert found.competencies[0].code == "N"
    assert read_package(written(local)).framework == found
