"""CASE: competencies and academic standards as one package of JSON.

Source: 1EdTech CASE 1.0 and 1.1, CFPackage.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from interchange.errors import FileRefused
from mapping.progressions.graph import acyclic
from mapping.records import Competency, CompetencyLink, Framework, LinkKind

_CHILD = "isChildOf"
_KINDS = frozenset(kind.value for kind in LinkKind)
_STRAND = "strand"
_LONGEST_CODE, _LONGEST_TITLE, _LONGEST_LANGUAGE = 64, 512, 16
# PostgreSQL keeps no text with a null character in it.
_KEEPABLE = r"\A[^\x00]*\Z"
_Plain = Annotated[str, msgspec.Meta(pattern=_KEEPABLE)]
_Text = Annotated[str, msgspec.Meta(min_length=1, pattern=_KEEPABLE)]
_Identifier = Annotated[
    str, msgspec.Meta(min_length=1, max_length=_LONGEST_CODE, pattern=_KEEPABLE)
]


class _Document(msgspec.Struct):
    identifier: _Identifier
    title: _Text
    creator: _Plain = ""
    language: _Plain | None = None
    licenseURI: Any = None  # noqa: N815 - the standard's name
    notes: _Plain | None = None


class _Item(msgspec.Struct):
    identifier: _Identifier
    fullStatement: _Text  # noqa: N815 - the standard's name
    humanCodingScheme: _Plain | None = None  # noqa: N815 - the standard's name
    abbreviatedStatement: _Plain | None = None  # noqa: N815 - the standard's name
    CFItemType: str | None = None


class _Node(msgspec.Struct):
    identifier: str = ""


class _Association(msgspec.Struct):
    associationType: str = ""  # noqa: N815 - the standard's name
    originNodeURI: _Node = msgspec.field(default_factory=_Node)  # noqa: N815 - the standard's name
    destinationNodeURI: _Node = msgspec.field(default_factory=_Node)  # noqa: N815 - same


class _Package(msgspec.Struct):
    CFDocument: _Document
    CFItems: list[Any]
    CFAssociations: list[Any] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFramework:
    """A framework read from a file, and each record left out with the reason."""

    framework: Framework
    skipped: Sequence[str]


def read_package(data: bytes) -> ReadFramework:
    """Read a CASE package.

    An item with several parents keeps the first. What precedes, equals or replaces what is kept
    between items of the package; associations of other kinds, those that point outside it and
    those that would close a circle are listed as skipped.

    Args:
        data: The package, JSON in UTF-8.

    Returns:
        The framework, parents before children, and what was left out.

    Raises:
        FileRefused: It is no CASE package, holds no item, or its items are their own ancestors.
    """
    try:
        package = msgspec.json.decode(data, type=_Package)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefused([f"This is not a CASE package: {error}."]) from error
    skipped: list[str] = []
    items = _valid(package.CFItems, _Item, name="item", skipped=skipped)
    found = _once(items, skipped=skipped)
    associations = _valid(package.CFAssociations, _Association, name="association", skipped=skipped)
    parents = _parents(package.CFDocument.identifier, found, associations, skipped=skipped)
    if not found:
        raise FileRefused(["The CASE package holds no item that can be used.", *skipped])
    ordered = _parents_first(list(found), parents)
    codes = _codes(found)
    document, strands = package.CFDocument, set(parents.values())
    links = _links(found, associations, skipped=skipped)
    framework = Framework(
        identifier=document.identifier,
        title=document.title[:_LONGEST_TITLE],
        creator=document.creator[:_LONGEST_TITLE],
        language=(document.language or "en")[:_LONGEST_LANGUAGE],
        licence=_licence(document.licenseURI)[:_LONGEST_TITLE],
        attribution=document.notes or "",
        competencies=tuple(
            Competency(
                identifier=identifier,
                code=codes[identifier],
                statement=found[identifier].fullStatement,
                indicator=found[identifier].abbreviatedStatement or "",
                parent=parents.get(identifier),
                position=position,
                is_strand=(found[identifier].CFItemType or "").lower() == _STRAND
                or identifier in strands,
            )
            for position, identifier in enumerate(ordered)
        ),
        links=links,
    )
    return ReadFramework(framework=framework, skipped=tuple(skipped))


def _valid(raw: Sequence[Any], kind: type[Any], *, name: str, skipped: list[str]) -> list[Any]:
    valid = []
    for number, element in enumerate(raw, start=1):
        try:
            valid.append(msgspec.convert(element, type=kind))
        except msgspec.ValidationError as error:
            skipped.append(f"{name} {number}: {error}.")
    return valid


def _once(items: Sequence[_Item], *, skipped: list[str]) -> dict[str, _Item]:
    found: dict[str, _Item] = {}
    again = [x.identifier for x in items if found.setdefault(x.identifier, x) is not x]
    skipped.extend(f"{identifier} is there again; the first one is kept." for identifier in again)
    return found


def _parents(
    document: str,
    found: Mapping[str, _Item],
    associations: Sequence[_Association],
    *,
    skipped: list[str],
) -> dict[str, str]:
    parents: dict[str, str] = {}
    for link in associations:
        child, parent = link.originNodeURI.identifier, link.destinationNodeURI.identifier
        if link.associationType != _CHILD or (parent == document and child in found):
            continue
        if child not in found or parent not in found:
            skipped.append(f"{child} {_CHILD} {parent}: one of them is not in the package.")
        elif child in parents:
            skipped.append(f"{child} {_CHILD} {parent}: it has a parent already.")
        else:
            parents[child] = parent
    return parents


def _links(
    found: Mapping[str, _Item], associations: Sequence[_Association], *, skipped: list[str]
) -> tuple[CompetencyLink, ...]:
    listed: dict[CompetencyLink, None] = {}
    for association in associations:
        if association.associationType == _CHILD:
            continue
        link = _link(association)
        reason = _left_out(link, found, listed)
        if link is None or reason:
            skipped.append(f"{_told(association)}: {reason}")
        else:
            listed[link] = None
    circular = _circular(listed)
    skipped.extend(
        f"{link.origin} {link.kind.value} {link.destination}: it would close a circle."
        for link in listed
        if link in circular
    )
    return tuple(link for link in listed if link not in circular)


def _link(association: _Association) -> CompetencyLink | None:
    if association.associationType not in _KINDS:
        return None
    return CompetencyLink(
        origin=association.originNodeURI.identifier,
        kind=LinkKind(association.associationType),
        destination=association.destinationNodeURI.identifier,
    )


def _left_out(
    link: CompetencyLink | None, found: Mapping[str, _Item], listed: Container[CompetencyLink]
) -> str:
    """Why a link is not kept, empty where it is."""
    if link is None:
        return "links of this kind are not kept."
    if link.origin not in found or link.destination not in found:
        return "one of them is not in the package."
    if link.origin == link.destination:
        return "it points to itself."
    return "it is there again." if link in listed else ""


def _told(association: _Association) -> str:
    origin, destination = association.originNodeURI, association.destinationNodeURI
    return f"{origin.identifier} {association.associationType} {destination.identifier}"


def _circular(links: Iterable[CompetencyLink]) -> frozenset[CompetencyLink]:
    """Links that would make a competency precede or replace itself."""
    listed = tuple(links)
    circular = {
        CompetencyLink(origin=origin, kind=kind, destination=destination)
        for kind in (LinkKind.PRECEDES, LinkKind.REPLACED_BY)
        for origin, destination in acyclic(
            (link.origin, link.destination) for link in listed if link.kind is kind
        )[1]
    }
    return frozenset(circular)


def _parents_first(identifiers: Sequence[str], parents: Mapping[str, str]) -> list[str]:
    ordered: dict[str, None] = {}
    for identifier in identifiers:
        line = [identifier]
        while (above := parents.get(line[-1])) is not None and above not in ordered:
            if above in line:
                raise FileRefused([f"Item {above} is among its own ancestors."])
            line.append(above)
        ordered.update(dict.fromkeys(reversed(line)))
    return list(ordered)


def _codes(found: Mapping[str, _Item]) -> dict[str, str]:
    """The human coding scheme where it tells items apart, else the identifier."""
    schemes = Counter(item.humanCodingScheme for item in found.values())
    return {
        identifier: item.humanCodingScheme
        if item.humanCodingScheme
        and schemes[item.humanCodingScheme] == 1
        and len(item.humanCodingScheme) <= _LONGEST_CODE
        and item.humanCodingScheme not in found
        else identifier
        for identifier, item in found.items()
    }


def _licence(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("uri") or value.get("title")
    return str(value or "").replace("\0", "")
