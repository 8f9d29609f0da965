"""CASE: competencies and academic standards as one package of JSON.

What real packages do besides the standard is taken as it is meant: addresses that are plain
text, names of fields that nobody knows, associations that are there twice or point elsewhere.

Source: 1EdTech CASE 1.0 and 1.1, CFPackage.
"""

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from interchange.assembling import (
    CHILD,
    LONGEST_CODE,
    LONGEST_LANGUAGE,
    LONGEST_STATEMENT,
    LONGEST_TITLE,
    Entry,
    assembled,
    linked,
)
from interchange.encodings import decoded
from interchange.errors import FileRefused
from interchange.imported import Imported, Notes, OpenLink
from mapping.records import Competency, Framework

_STRAND = "strand"
# PostgreSQL keeps no text with a null character in it.
_KEEPABLE = r"\A[^\x00]*\Z"
_Plain = Annotated[str, msgspec.Meta(pattern=_KEEPABLE)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_STATEMENT, pattern=_KEEPABLE)]
_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CODE, pattern=_KEEPABLE)]


class _Document(msgspec.Struct):
    identifier: _Identifier
    title: _Text
    creator: _Plain | None = ""
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
    uri: str = ""


class _Association(msgspec.Struct):
    associationType: str = ""  # noqa: N815 - the standard's name
    originNodeURI: _Node | str = msgspec.field(default_factory=_Node)  # noqa: N815 - the standard's name
    destinationNodeURI: _Node | str = msgspec.field(default_factory=_Node)  # noqa: N815 - same
    sequenceNumber: Any = None  # noqa: N815 - the standard's name

    def said(self) -> tuple[str, str, str]:
        """Origin, kind and destination."""
        origin, destination = _named(self.originNodeURI), _named(self.destinationNodeURI)
        return (origin, self.associationType, destination)


class _Package(msgspec.Struct):
    CFDocument: _Document
    CFItems: list[Any]
    CFAssociations: list[Any] | None = None
    CFRubrics: list[Any] | None = None


def read_package(data: bytes) -> Imported:
    """Read a CASE package.

    An item with several parents keeps the first. What precedes, equals or replaces what is kept
    between items of the package; associations of other kinds, those that point outside it and
    those that would close a circle are noted.

    Args:
        data: The package, JSON, in UTF-8 with or without a byte order mark, or in UTF-16.

    Returns:
        The framework, and what was not taken over.

    Raises:
        FileRefused: It is no CASE package, or holds no item.
    """
    try:
        package = msgspec.json.decode(_utf_8(data), type=_Package)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileRefused([f"This is not a CASE package: {error}."]) from error
    notes = Notes()
    items = _valid(package.CFItems, _Item, name="item", notes=notes)
    valid = _valid(package.CFAssociations or (), _Association, name="association", notes=notes)
    associations = [one for _, one in valid]
    document = package.CFDocument
    for number, _ in enumerate(package.CFRubrics or (), start=1):
        notes.left_out(f"rubric {number}: rubrics are not kept.")
    known = {item.identifier for _, item in items}
    families = _families(associations, known, document=document.identifier, notes=notes)
    entries = [_entry(number, item, families) for number, item in items]
    competencies = assembled(entries, notes)
    if not competencies:
        raise FileRefused(["The CASE package holds no item that can be used.", *notes.skipped])
    links = linked(_across(document.identifier, associations, notes), competencies, notes)
    return notes.imported(
        Framework(
            identifier=document.identifier,
            title=document.title[:LONGEST_TITLE],
            creator=(document.creator or "")[:LONGEST_TITLE],
            language=(document.language or "en")[:LONGEST_LANGUAGE],
            licence=_licence(document.licenseURI)[:LONGEST_TITLE],
            attribution=document.notes or "",
            competencies=competencies,
            links=links,
        )
    )


def _utf_8(data: bytes) -> bytes:
    """The same JSON in UTF-8 without a mark, which is what the decoder takes."""
    if data[:1] in b"{[" and b"\0" not in data[:4]:
        return data
    return decoded(data).text.encode()


def _valid(
    raw: Sequence[Any], kind: type[Any], *, name: str, notes: Notes
) -> list[tuple[int, Any]]:
    valid = []
    for number, element in enumerate(raw, start=1):
        try:
            valid.append((number, msgspec.convert(element, type=kind)))
        except msgspec.ValidationError as error:
            notes.fault(f"{name} {number}: {error}.")
    return valid


def _named(node: _Node | str) -> str:
    """The identifier of a node; of a bare address, or one without an identifier, its last part."""
    if isinstance(node, str):
        node = _Node(uri=node)
    return node.identifier or node.uri.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """Where an item belongs; no parent is the document itself."""

    parent: str | None
    rank: float


def _families(
    associations: Iterable[_Association], known: Container[str], *, document: str, notes: Notes
) -> dict[str, _Family]:
    families: dict[str, _Family] = {}
    for one in associations:
        child, kind, parent = one.said()
        if kind != CHILD:
            continue
        above = None if parent == document else parent
        before = families.get(child)
        if child not in known or (above is not None and above not in known):
            notes.unresolved[OpenLink(origin=child, kind=kind, destination=parent)] = None
        elif before is None or before.parent is None:
            families[child] = _Family(parent=above, rank=_number(one.sequenceNumber))
        elif above is not None:
            again = "it is there again" if above == before.parent else "it has a parent already"
            notes.left_out(f"{child} {kind} {parent}: {again}.")
    return families


def _number(value: object) -> float:
    """A sequence number, whatever it was written as; infinity for none."""
    try:
        number = float(value)  # type: ignore[arg-type] # what is no number is told by the error
    except (TypeError, ValueError):
        return math.inf
    return number if math.isfinite(number) else math.inf


def _across(
    document: str, associations: Iterable[_Association], notes: Notes
) -> Iterator[tuple[str, str, str]]:
    """Associations between items that make neither a parent."""
    for one in associations:
        said = one.said()
        if said[1] == CHILD:
            continue
        if document in (said[0], said[2]):
            notes.left_out(f"{' '.join(said)}: one of them is the framework itself.")
        else:
            yield said


def _entry(number: int, item: _Item, families: Mapping[str, _Family]) -> Entry:
    family = families.get(item.identifier, _Family(parent=None, rank=math.inf))
    return Entry(
        place=f"item {number}",
        rank=family.rank,
        competency=Competency(
            identifier=item.identifier,
            code=(item.humanCodingScheme or "").strip(),
            statement=item.fullStatement,
            indicator=item.abbreviatedStatement or "",
            parent=family.parent,
            is_strand=(item.CFItemType or "").lower() == _STRAND,
        ),
    )


def _licence(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("uri") or value.get("title")
    return str(value or "").replace("\0", "")
