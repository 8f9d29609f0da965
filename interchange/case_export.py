"""A framework as a CASE 1.1 package.

The standard wants a UUID for everything. Where an identifier here is another text, as in a
framework that came as CSV, one is made of it, the same each time.

Source: 1EdTech CASE 1.1, CFPackage.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from interchange.assembling import CHILD
from mapping.records import Competency, Framework

VERSION = "1.1"
_PATH = "ims/case/v1p1"


class _Writer:
    """Makes the parts of one package."""

    def __init__(self, framework: Framework, *, changed_at: datetime, base: str) -> None:
        self.framework = framework
        self.base = f"{base.rstrip('/')}/{_PATH}"
        self.changed_at = changed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.document = _uuid(framework.identifier, framework.identifier)
        self.names = {
            one.identifier: (_uuid(framework.identifier, one.identifier), one.code)
            for one in framework.competencies
        }

    def package(self) -> dict[str, Any]:
        return {
            "CFDocument": self._document(),
            "CFItems": [self._item(one) for one in self.framework.competencies],
            "CFAssociations": list(self._associations()),
        }

    def _link(self, kind: str, identifier: str, title: str) -> dict[str, str]:
        return {
            "title": title,
            "identifier": identifier,
            "uri": f"{self.base}/{kind}/{identifier}",
        }

    def _known(self, kind: str, identifier: str) -> dict[str, str]:
        return {
            "identifier": identifier,
            "uri": f"{self.base}/{kind}/{identifier}",
            "lastChangeDateTime": self.changed_at,
        }

    def _document(self) -> dict[str, Any]:
        framework = self.framework
        found: dict[str, Any] = {
            **self._known("CFDocuments", self.document),
            "caseVersion": VERSION,
            "creator": framework.creator,
            "title": framework.title,
            "language": framework.language,
            "CFPackageURI": self._link("CFPackages", self.document, framework.title),
        }
        if framework.attribution:
            found["notes"] = framework.attribution
        if framework.licence:
            found["licenseURI"] = {
                "title": framework.licence,
                "identifier": str(uuid5(NAMESPACE_URL, framework.licence)),
                "uri": framework.licence,
            }
        return found

    def _item(self, one: Competency) -> dict[str, Any]:
        found = {
            **self._known("CFItems", self.names[one.identifier][0]),
            "CFDocumentURI": self._link("CFDocuments", self.document, self.framework.title),
            "fullStatement": one.statement,
            "humanCodingScheme": one.code,
            "CFItemType": "Strand" if one.is_strand else "Competency",
            "language": self.framework.language,
        }
        return {**found, "abbreviatedStatement": one.indicator} if one.indicator else found

    def _associations(self) -> Iterator[dict[str, Any]]:
        title = self.framework.title
        for number, one in enumerate(self.framework.competencies, start=1):
            above = self._node(one.parent) if one.parent is not None else None
            top = self._link("CFDocuments", self.document, title)
            yield self._association(self._node(one.identifier), CHILD, above or top) | {
                "sequenceNumber": number
            }
        for link in self.framework.links:
            origin, destination = self._node(link.origin), self._node(link.destination)
            yield self._association(origin, link.kind.value, destination)

    def _node(self, identifier: str) -> dict[str, str]:
        known, code = self.names[identifier]
        return self._link("CFItems", known, code)

    def _association(
        self, origin: dict[str, str], kind: str, destination: dict[str, str]
    ) -> dict[str, Any]:
        said = f"{origin['identifier']} {kind} {destination['identifier']}"
        return {
            **self._known("CFAssociations", str(uuid5(NAMESPACE_URL, said))),
            "CFDocumentURI": self._link("CFDocuments", self.document, self.framework.title),
            "originNodeURI": origin,
            "associationType": kind,
            "destinationNodeURI": destination,
        }


def write_package(framework: Framework, *, changed_at: datetime, base: str) -> bytes:
    """Write a framework.

    Args:
        framework: What it holds.
        changed_at: When it became what it is.
        base: What the addresses of its parts begin with.

    Returns:
        JSON in UTF-8, which ``case.read_package`` reads as the same.
    """
    return msgspec.json.encode(_Writer(framework, changed_at=changed_at, base=base).package())


def _uuid(framework: str, identifier: str) -> str:
    try:
        return str(UUID(identifier))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"{framework}/{identifier}"))
