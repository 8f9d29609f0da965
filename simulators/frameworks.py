"""The district's two frameworks, as CASE 1.0 packages.

One is a slice of Brazil's Base Nacional Comum Curricular, from the package ``bncc`` (data
CC BY 4.0, named in the document); the other, transferable skills, was written for the demo
and is dedicated to the public domain (CC0). Identifiers are UUIDv5, so they never change.

Source: 1EdTech Competencies and Academic Standards Exchange (CASE) Service 1.0, information
model: CFPackage, CFDocument, CFItem, CFAssociation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import bncc

from simulators.catalogue import SYLLABI

NAMESPACE = UUID("5b0d6b5e-3c53-5b52-9a35-0d1a6d9c7b10")
CHANGED_AT = "2026-07-01T00:00:00+00:00"

_LICENCES = {
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A competency on its way into a package; ``indicator`` is what a learner reads."""

    strand: str
    code: str
    statement: str
    indicator: str = ""
    years: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a package says of itself; ``slug`` names it in identifiers and file names."""

    slug: str
    title: str
    creator: str
    language: str
    licence: str
    notes: str


BNCC = Document(
    slug="bncc",
    title="BNCC: Matemática e Ciências, 6º a 8º ano (recorte)",
    creator="Ministério da Educação, Brasil",
    language="pt-BR",
    licence="CC BY 4.0",
    notes=(
        "Base Nacional Comum Curricular (Ministério da Educação, Brasil, 2018), nos dados do "
        "projeto bncc.dev, mantido pela Profy, CC BY 4.0. Recorte: habilidades escolhidas de "
        "Matemática e Ciências; os textos não foram alterados."
    ),
)
TRANSFERABLE = Document(
    slug="transferable-skills",
    title="Transferable skills",
    creator="Ipê Valley School District",
    language="en",
    licence="CC0 1.0",
    notes="Written for Ipê Valley School District and dedicated to the public domain (CC0 1.0).",
)

_TRANSFERABLE_ROWS = """
# Communication
COM1 | Presents ideas clearly in a form that suits the audience.
| I can present my ideas so that others understand them.
COM2 | Listens to others and builds on what they say.
| I can listen to others and build on their ideas.
# Critical thinking
CRT1 | Asks questions that lead an inquiry further.
| I can ask questions that help me find out more.
CRT2 | Judges sources and evidence before relying on them.
| I can tell good evidence from weak evidence.
CRT3 | Gives reasons for a conclusion and weighs other views.
| I can explain why I think so and consider other views.
# Creative engagement
CRE1 | Expresses ideas in sketches, models, words or sound.
| I can show my ideas in many ways.
CRE2 | Finds approaches of one's own to open tasks.
| I can find my own way to solve an open task.
CRE3 | Uses mistakes as material for the next attempt.
| I can learn from mistakes and try again.
# Innovation and design thinking
INN1 | Understands the needs of the people a design is for.
| I can find out what people need.
INN2 | Builds prototypes that make an idea testable.
| I can build a prototype of my idea.
INN3 | Improves a design step by step by testing it.
| I can test my design and make it better.
# Mindfulness
MIN1 | Notices how one works and feels, and adjusts.
| I can notice how I am doing and adjust.
MIN2 | Acts with care for others and the environment.
| I can act with care for others and for nature.
"""
"""A line with # begins a strand; each competency has two lines, the second for learners."""


def identifier_of(document: Document) -> str:
    """The CFDocument's GUID."""
    return str(uuid5(NAMESPACE, document.slug))


def bncc_package() -> dict[str, Any]:
    """The BNCC slice: the competencies that the catalogue teaches, in the BNCC's order."""
    taught = {topic.code for syllabus in SYLLABI.values() for topic in syllabus.topics}
    skills = [
        Skill(
            strand=ability["organizacao"]["nomes"]["unidade_tematica"],
            code=ability["codigo"],
            statement=ability["texto"],
            years=[f"{year:02d}" for year in ability["anos"]],
        )
        for ability in bncc.habilidades_ef()
        if ability["codigo"] in taught
    ]
    return package(BNCC, skills)


def transferable_package() -> dict[str, Any]:
    """The district's own framework of transferable skills."""
    skills = [
        Skill(strand=strand, code=code, statement=statement, indicator=indicator)
        for strand, code, statement, indicator in _transferable_rows()
    ]
    return package(TRANSFERABLE, skills)


def _transferable_rows() -> Iterator[tuple[str, str, str, str]]:
    for block in _TRANSFERABLE_ROWS.split("# ")[1:]:
        strand, _, rows = block.partition("\n")
        for row in rows.replace("\n|", " |").strip().splitlines():
            code, statement, indicator = (part.strip() for part in row.split("|"))
            yield strand, code, statement, indicator


def package(document: Document, skills: Sequence[Skill]) -> dict[str, Any]:
    """Make a CASE 1.0 package: strands first, then competencies, each child of its strand."""
    strands = list(dict.fromkeys(skill.strand for skill in skills))
    items = [_strand(document, title) for title in strands]
    items += [_competency(document, skill) for skill in skills]
    parents = {strand: _guid(document, strand) for strand in strands}
    links = [(parents[strand], identifier_of(document)) for strand in strands]
    links += [(_guid(document, skill.code), parents[skill.strand]) for skill in skills]
    return {
        "CFDocument": _cf_document(document),
        "CFItems": items,
        "CFAssociations": list(_associations(document, links)),
    }


def _guid(document: Document, name: str) -> str:
    return str(uuid5(NAMESPACE, f"{document.slug}/{name}"))


def _uri(kind: str, identifier: str) -> str:
    return f"https://frameworks.ipe-valley.example/ims/case/v1p0/{kind}/{identifier}"


def _cf_document(document: Document) -> dict[str, Any]:
    identifier = identifier_of(document)
    return {
        "identifier": identifier,
        "uri": _uri("CFDocuments", identifier),
        "creator": document.creator,
        "title": document.title,
        "lastChangeDateTime": CHANGED_AT,
        "adoptionStatus": "Adopted",
        "language": document.language,
        "licenseURI": {
            "title": document.licence,
            "identifier": str(uuid5(NAMESPACE, document.licence)),
            "uri": _LICENCES[document.licence],
        },
        "notes": document.notes,
        "CFPackageURI": {
            "title": document.title,
            "identifier": identifier,
            "uri": _uri("CFPackages", identifier),
        },
    }


def _strand(document: Document, title: str) -> dict[str, Any]:
    return _item(document, title, statement=title) | {"CFItemType": "Strand"}


def _competency(document: Document, skill: Skill) -> dict[str, Any]:
    item = _item(document, skill.code, statement=skill.statement)
    item |= {"CFItemType": "Competency", "humanCodingScheme": skill.code}
    if skill.indicator:
        item["abbreviatedStatement"] = skill.indicator
    if skill.years:
        item["educationLevel"] = list(skill.years)
    return item


def _item(document: Document, name: str, *, statement: str) -> dict[str, Any]:
    identifier = _guid(document, name)
    return {
        "identifier": identifier,
        "uri": _uri("CFItems", identifier),
        "fullStatement": statement,
        "language": document.language,
        "lastChangeDateTime": CHANGED_AT,
    }


def _associations(document: Document, links: Sequence[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    for number, (child, parent) in enumerate(links, 1):
        identifier = _guid(document, f"{child} isChildOf {parent}")
        yield {
            "identifier": identifier,
            "uri": _uri("CFAssociations", identifier),
            "associationType": "isChildOf",
            "sequenceNumber": number,
            "originNodeURI": _node(document, child),
            "destinationNodeURI": _node(document, parent),
            "lastChangeDateTime": CHANGED_AT,
        }


def _node(document: Document, identifier: str) -> dict[str, str]:
    kind = "CFDocuments" if identifier == identifier_of(document) else "CFItems"
    return {"title": identifier, "identifier": identifier, "uri": _uri(kind, identifier)}
