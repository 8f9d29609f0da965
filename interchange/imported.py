"""What reading a framework from a file comes to, with everything that was not taken over."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from interchange.errors import FileRefused
from mapping.records import Framework


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a person says of a framework whose file does not: CSV knows no title and no language."""

    identifier: str
    title: str
    language: str = "en"
    creator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink:
    """An association with an end that is not in the file, by identifiers and kind (CASE)."""

    origin: str
    kind: str
    destination: str

    def __str__(self) -> str:
        return f"{self.origin} {self.kind} {self.destination}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A framework read from a file.

    Attributes:
        framework: With parents before children, and codes that tell competencies apart.
        skipped: Every record that was left out or is not kept, a sentence each, with its place.
        faults: Those of ``skipped`` that are mistakes of the file.
        unresolved: Links that point outside the file.
        warnings: What is taken over, but should be looked at.
    """

    framework: Framework
    skipped: Sequence[str] = ()
    faults: Sequence[str] = ()
    unresolved: Sequence[OpenLink] = ()
    warnings: Sequence[str] = ()

    def whole(self) -> "Imported":
        """Itself, where all of the file can be used.

        Raises:
            FileRefused: With every mistake.
        """
        if self.faults:
            raise FileRefused(self.faults)
        return self


@dataclass(slots=True)
class Notes:
    """What is noted while a file is read."""

    skipped: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unresolved: dict[OpenLink, None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def fault(self, sentence: str) -> None:
        """Note a mistake of the file, which costs a record."""
        self.skipped.append(sentence)
        self.faults.append(sentence)

    def left_out(self, sentence: str) -> None:
        """Note a record that is fine, and that Waymark keeps nothing of."""
        self.skipped.append(sentence)

    def imported(self, framework: Framework) -> Imported:
        """The end of the reading."""
        return Imported(
            framework=framework,
            skipped=tuple(self.skipped),
            faults=tuple(self.faults),
            unresolved=tuple(self.unresolved),
            warnings=tuple(self.warnings),
        )
