"""What people do to a gradebook: a registry of acts by name, and how one is asked for.

An act is one deed of one person at the LMS: a teacher clears a grade, a school takes a learner
out of a course. Each LMS has a registry of its own, filled with the acts that exist there; the
control API and the gradebook pages offer what the registry holds.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class ImpossibleError(Exception):
    """Nobody at the LMS could do this; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who or what is changed, and to what. Numbers that were not given are 0, texts empty.

    Attributes:
        course: Course id.
        learner: Person id.
        item: Assignment or grade item id.
        value: What it becomes: points, a title, a date, another id; each act says which.
        criterion: Rubric row id.
        now: Seconds since 1970.
    """

    course: int
    learner: int = 0
    item: int = 0
    value: str = ""
    criterion: str = ""
    now: int

    @property
    def number(self) -> float:
        """The value as a number.

        Raises:
            ImpossibleError: It is none.
        """
        try:
            return float(self.value)
        except ValueError:
            raise ImpossibleError(f"the value {self.value!r} is no number") from None

    @property
    def whole_number(self) -> int:
        """The value as an id.

        Raises:
            ImpossibleError: It is none.
        """
        return int(self.number)

    @property
    def moment(self) -> int:
        """The value as a moment, in seconds since 1970.

        Raises:
            ImpossibleError: It is neither a number nor an ISO date.
        """
        if self.value.isdigit():
            return int(self.value)
        try:
            return int(datetime.fromisoformat(self.value).timestamp())
        except ValueError:
            raise ImpossibleError(f"the value {self.value!r} is no moment") from None


Act = Callable[[sqlite3.Connection, Change], Mapping[str, object] | None]


class Acts:
    """The acts of one LMS, by name."""

    def __init__(self, *others: "Acts") -> None:
        self.known: dict[str, Act] = {}
        for other in others:
            self.known.update(other.known)

    def __call__(self, act: Act) -> Act:
        """Register a function under its own name; its docstring tells people what it does."""
        self.known[act.__name__] = act
        return act

    @property
    def told(self) -> Mapping[str, str]:
        """What each act is, by name."""
        return {
            name: (act.__doc__ or "").strip().partition("\n")[0]
            for name, act in sorted(self.known.items())
        }

    def do(self, connection: sqlite3.Connection, name: str, change: Change) -> dict[str, object]:
        """Do something in a transaction of the caller's.

        Returns:
            What the one who asked may need to know, such as the id of a new column.

        Raises:
            ImpossibleError: There is no such act, or nobody could do it there.
        """
        if name not in self.known:
            raise ImpossibleError(f"there is no {name!r} here; there is {', '.join(self.told)}")
        return dict(self.known[name](connection, change) or {})


def change_of(
    connection: sqlite3.Connection, sent: Mapping[str, Any], *, now: float
) -> tuple[str, Change]:
    """What was asked for, as the control API and the pages send it.

    Args:
        connection: The state.
        sent: ``kind`` and ``course``; ``learner`` (the LMS's own id or the district's),
            ``item``, ``value`` and ``criterion`` where the act needs them.
        now: Seconds since 1970.

    Returns:
        The name of the act and the change.

    Raises:
        ImpossibleError: Something is missing or no number.
    """
    try:
        change = Change(
            course=int(sent["course"]),
            learner=person_named(connection, str(sent.get("learner") or 0)),
            item=int(sent.get("item") or 0),
            value=_text(sent.get("value")),
            criterion=_text(sent.get("criterion")),
            now=int(now),
        )
        return str(sent["kind"]), change
    except KeyError as error:
        raise ImpossibleError(f"{error.args[0]} is missing") from None
    except ValueError as error:
        raise ImpossibleError(str(error)) from None


def person_named(connection: sqlite3.Connection, text: str) -> int:
    """The id of somebody named by it or by the district's id.

    Raises:
        ValueError: It is neither.
    """
    row = connection.execute("SELECT id FROM people WHERE sis_id = ?", (text,)).fetchone()
    return int(row["id"]) if row else int(text)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
