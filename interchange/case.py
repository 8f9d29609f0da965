"""CASE: competencies and academic standards as one package of JSON.

Source: 1EdTech CASE 1.0 and 1.1, CFPackage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from interchange.errors import FileRefused
from mapping.records import Competency, Framework

_CHILD = "isChildOf"
_STRAND = "strand"
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Document(msgspec.Struct):
    identifier: _Text
    title: _Text
    creator: str = ""
    language: str | None = None
    licenseURI: Any = None  # noqa: N815 - the standard's name
    notes: str | None = None


class _Item(msgspec.Struct):
    identifier: _Text
    fullStatement: _Text  # noqa: N815 - the standard's name
    humanCodingScheme: str | None = None  # noqa: N815 - the standard's name
    abbreviatedStatement: str | None = None  # noqa: N815 - the standard's name
    CFItemType: str | None = None


class _Node(msgspec.Struct):
    identifier: str = ""


class _Association(msgspec.Struct):
    associationType: str = ""  # noqa: N815 - the standard's name
    originNodeURI: _Node = msgspec.field(default_factory=_Node)  # noqa: N815 - the standard's name
    destinationNodeURI: _Node = msgspec.field(default_factory=_Node)  # noqa: N815 - same
    sequenceNumber: int | None = None  # noqa: N815 - the standard's name


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

    An item with several parents keeps the first; associations other than ``isChildOf`` and
    those that point outside the package are listed as skipped.

    Args:
        data: The package, JSON in UTF-8.

    Returns:
        The framework, parents before children, and what was left out.

    Raises:
        FileRefused: It is no CASE package, holds no item, or its items are their own ancestors.
    """
    try:
        package = msgspec.json.decode(data, type=_Package)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileRefused([f"This is not a CASE package: {error}."]) from error
    skipped: list[str] = []
    items = _valid(package.CFItems, _Item, name="item", skipped=skipped)
    found = {item.identifier: item for item in items}
    associations = _valid(package.CFAssociations, _Association, name="association", skipped=skipped)
    parents = _parents(package.CFDocument.identifier, found, associations, skipped=skipped)
    if not found:
        raise FileRefused(["The CASE package holds no item that can be used.", *skipped])
    ordered = _parents_first(list(found), parents)
    codes = _codes(found)
    document = package.CFDocument
    framework = Framework(
        identifier=document.identifier,
        title=document.title,
        creator=document.creator,
        language=document.language or "en",
        licence=_licence(document.licenseURI),
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
                or identifier in parents.values(),
            )
            for position, identifier in enumerate(ordered)
        ),
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
        if link.associationType != _CHILD:
            skipped.append(f"{child} {link.associationType} {parent}: not kept yet.")
        elif parent == document and child in found:
            continue
        elif child not in found or parent not in found:
            skipped.append(f"{child} {_CHILD} {parent}: one of them is not in the package.")
        elif child in parents:
            skipped.append(f"{child} {_CHILD} {parent}: it has a parent already.")
        else:
            parents[child] = parent
    return parents


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
    schemes = [item.humanCodingScheme for item in found.values()]
    return {
        identifier: item.humanCodingScheme
        if item.humanCodingScheme and schemes.count(item.humanCodingScheme) == 1
        else identifier
        for identifier, item in found.items()
    }


def _licence(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("uri") or value.get("title") or "")
    return str(value or "")
