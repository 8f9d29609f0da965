"""How an explanation speaks to a person: their language and their calendar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from mapping.columns import NO_MOMENT
from mapping.records import EvidenceKind
from mapping.wording import ENGLISH, Plural, Translator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def plain_day(moment: datetime) -> str:
    """A day, such as "3 Mar 2026", as it was in UTC."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _unnamed(_line_item: int) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How words and days are said.

    ``words`` says templates in a language; ``day`` says the day of a moment in the reader's own
    time zone; ``activity`` what a line item is called, empty where that is not known.
    """

    words: Translator = ENGLISH
    day: Callable[[datetime], str] = plain_day
    activity: Callable[[int], str] = _unnamed

    def on(self, micros: int) -> str:
        """The day of a moment in microseconds since 1970 in UTC."""
        found = moment_of(micros)
        return self.words.say("an unknown date") if found is None else self.day(found)

    def listed(self, parts: Sequence[str]) -> str:
        """Parts of a sentence with "and" before the last one."""
        if len(parts) <= 1:
            return "".join(parts)
        return self.words.say("{listed} and {last}", listed=", ".join(parts[:-1]), last=parts[-1])


PLAIN = Voice()
"""English, with days in UTC."""


def moment_of(micros: int) -> datetime | None:
    """A column's moment as a date and time, None for ``NO_MOMENT`` and what no calendar holds."""
    if micros == NO_MOMENT:
        return None
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None


KIND_PIECES: Mapping[EvidenceKind, Plural] = MappingProxyType(
    {
        EvidenceKind.RECALL: Plural("{count} recall task", "{count} recall tasks"),
        EvidenceKind.SKILL: Plural("{count} skill task", "{count} skill tasks"),
        EvidenceKind.APPLICATION: Plural("{count} application task", "{count} application tasks"),
        EvidenceKind.OBSERVATION: Plural(
            "{count} observation by a teacher", "{count} observations by a teacher"
        ),
        EvidenceKind.SELF: Plural("{count} self-assessment", "{count} self-assessments"),
        EvidenceKind.EXTERNAL: Plural(
            "{count} confirmed piece from outside the school",
            "{count} confirmed pieces from outside the school",
        ),
    }
)
"""So many pieces of a kind."""
