"""What a teacher typed when they judge for themselves, read and found good or not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from lti_tool.launch.form import is_plain
from mapping.judgement.overrides import OVERRIDABLE
from mapping.status import Status
from mapping.wording import ENGLISH, Translator, marked

LONGEST_REASON = 1000
_EARLIEST, _LATEST = date(1990, 1, 1), date(2100, 1, 1)
_NOON = time(12)
_HOW_DATES_ARE_WRITTEN = marked("Write the date as year, month and day, such as 2027-06-30.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A form as it was sent; ``problems`` say by field what is wrong with it.

    ``status``, ``until`` and ``on`` are None where they are absent or wrong.
    """

    fields: Mapping[str, str]
    reason: str = ""
    status: Status | None = None
    until: datetime | None = None
    on: datetime | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


def typed_status(
    fields: Mapping[str, str], *, now: datetime, zone: ZoneInfo, words: Translator = ENGLISH
) -> Typed:
    """Read the form that gives a status.

    Args:
        fields: ``status``, ``reason`` and, optional, ``until``, the last day.
        now: The moment.
        zone: Of the district, whose days they are.
        words: The language of the problems.
    """
    status, problem = _status(fields.get("status", ""), words)
    reason, unsaid = _reason(fields, words)
    until, odd_until = _last_moment(fields.get("until", ""), now=now, zone=zone, words=words)
    return Typed(
        fields=fields,
        status=status,
        reason=reason,
        until=until,
        problems=_named(status=problem, reason=unsaid, until=odd_until),
    )


def typed_reason(fields: Mapping[str, str], *, words: Translator = ENGLISH) -> Typed:
    """Read a form that has only a reason."""
    reason, problem = _reason(fields, words)
    return Typed(fields=fields, reason=reason, problems=_named(reason=problem))


def typed_date(
    fields: Mapping[str, str], *, now: datetime, zone: ZoneInfo, words: Translator = ENGLISH
) -> Typed:
    """Read the form that gives a piece of evidence its date.

    Args:
        fields: ``on``, a day that is not in the future.
        now: The moment.
        zone: Of the district, whose days they are.
        words: The language of the problems.
    """
    day, problem = _day(fields.get("on", ""), words)
    if day is not None and day > now.astimezone(zone).date():
        day = None
        problem = words.say("This day is still to come. Choose today or an earlier one.")
    if day is None:
        return Typed(
            fields=fields, problems=_named(on=problem or words.say(_HOW_DATES_ARE_WRITTEN))
        )
    # Today's noon may still be to come, and what is to come does not count.
    return Typed(fields=fields, on=min(datetime.combine(day, _NOON, zone), now))


def _named(**problems: str) -> dict[str, str]:
    return {name: problem for name, problem in problems.items() if problem}


def _status(text: str, words: Translator) -> tuple[Status | None, str]:
    for status in OVERRIDABLE:
        if text == str(status.value):
            return status, ""
    return None, words.say("Choose the status that you give.")


def _reason(fields: Mapping[str, str], words: Translator) -> tuple[str, str]:
    reason = " ".join(fields.get("reason", "").split())
    if not reason:
        return "", words.say("Say why, in a sentence: the learner and their family read it.")
    if len(reason) > LONGEST_REASON:
        return "", words.say(
            "Say it in at most {most} characters; these are {length}.",
            most=LONGEST_REASON,
            length=len(reason),
        )
    if not is_plain(reason):
        return "", words.say("The reason holds signs that are no text. Type it anew.")
    return reason, ""


def _day(text: str, words: Translator) -> tuple[date | None, str]:
    if not text.strip():
        return None, ""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None, words.say(_HOW_DATES_ARE_WRITTEN)
    if not _EARLIEST <= day <= _LATEST:
        return None, words.say(
            "Choose a day between {first} and {last}.", first=_EARLIEST, last=_LATEST
        )
    return day, ""


def _last_moment(
    text: str, *, now: datetime, zone: ZoneInfo, words: Translator
) -> tuple[datetime | None, str]:
    day, problem = _day(text, words)
    if day is None:
        return None, problem
    end = datetime.combine(day, time.max, zone)
    if end <= now:
        return None, words.say("This day is over. Choose a later one, or none for no end.")
    return end, ""
