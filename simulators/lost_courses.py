"""Courses that a fault deletes, and that are there again when it is over.

Only the course's own row is moved aside: whatever looks a course up finds none, as after a real
deletion, and no gradebook has to be drawn anew.
"""

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from simulators.state import open_state

_NAMED = re.compile(r"(?:course|services\.php/).*", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"\d+")
_BIGGEST_NUMBER = 2**63


def lose(path: Path, course: int | None, asked: str) -> None:
    """Delete a course.

    Args:
        path: The state file.
        course: Which; None for the first that a request names.
        asked: The request: its path, its query and its body.
    """
    wanted = [course] if course is not None else _named(asked)
    with closing(open_state(path)) as connection, connection:
        found = next((one for one in wanted if _is_there(connection, one)), None)
        if found is not None:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS lost_courses AS SELECT * FROM courses WHERE 0"
            )
            _move(connection, "courses", "lost_courses", where="WHERE id = ?", values=(found,))


def restore(path: Path) -> None:
    """Bring back every course that was deleted by ``lose``."""
    with closing(open_state(path)) as connection, connection:
        sql = "SELECT 1 FROM sqlite_master WHERE name = 'lost_courses'"
        if connection.execute(sql).fetchone() is not None:
            _move(connection, "lost_courses", "courses")


def _named(asked: str) -> list[int]:
    """Numbers behind the first word that speaks of a course."""
    found = _NAMED.search(asked)
    numbers = map(int, _NUMBER.findall(found[0])) if found else ()
    return [number for number in numbers if number < _BIGGEST_NUMBER]


def _is_there(connection: sqlite3.Connection, course: int) -> bool:
    found = connection.execute("SELECT 1 FROM courses WHERE id = ?", (course,)).fetchone()
    return found is not None


def _move(
    connection: sqlite3.Connection,
    source: str,
    target: str,
    *,
    where: str = "",
    values: Sequence[int] = (),
) -> None:
    connection.execute(f"INSERT INTO {target} SELECT * FROM {source} {where}", values)  # noqa: S608 - own words
    connection.execute(f"DELETE FROM {source} {where}", values)  # noqa: S608 - own words
