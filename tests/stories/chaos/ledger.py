"""What was written into an LMS's cells, by whom, in order: kept by the LMS's own database.

Triggers in the simulator's file note every write past all of its interfaces. A tool inserts, a
person updates; that is how the simulators keep them apart.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulators.state import open_state

_LEDGER = """
CREATE TABLE chaos_writes (
    id INTEGER PRIMARY KEY, place TEXT NOT NULL, by_tool INTEGER NOT NULL, says TEXT NOT NULL
);
CREATE TRIGGER chaos_score AFTER INSERT ON ags_scores BEGIN
    INSERT INTO chaos_writes (place, by_tool, says) VALUES (
        'line item ' || NEW.line_item_id || ' ' || NEW.user_id, 1,
        COALESCE(NEW.score, '') || '|' || NEW.comment);
END;
"""
_CANVAS = """
CREATE TRIGGER chaos_words AFTER INSERT ON column_data BEGIN
    INSERT INTO chaos_writes (place, by_tool, says) VALUES (
        'column ' || NEW.column_id || ' ' || NEW.user_id, 1, NEW.content);
END;
CREATE TRIGGER chaos_emptied AFTER DELETE ON column_data BEGIN
    INSERT INTO chaos_writes (place, by_tool, says) VALUES (
        'column ' || OLD.column_id || ' ' || OLD.user_id, 1, '');
END;
CREATE TRIGGER chaos_words_by_hand AFTER UPDATE ON column_data BEGIN
    INSERT INTO chaos_writes (place, by_tool, says) VALUES (
        'column ' || NEW.column_id || ' ' || NEW.user_id, 0, NEW.content);
END;
CREATE TRIGGER chaos_mark_by_hand AFTER UPDATE OF points ON grades
WHEN NEW.grader_id > 0
    AND EXISTS (SELECT 1 FROM line_items WHERE assignment_id = NEW.assignment_id)
BEGIN
    INSERT INTO chaos_writes (place, by_tool, says)
    SELECT 'line item ' || id || ' ' || NEW.learner_id, 0, COALESCE(NEW.points, '')
    FROM line_items WHERE assignment_id = NEW.assignment_id;
END;
"""
_MOODLE = """
CREATE TRIGGER chaos_mark_by_hand AFTER UPDATE OF comment ON ags_scores BEGIN
    INSERT INTO chaos_writes (place, by_tool, says) VALUES (
        'line item ' || NEW.line_item_id || ' ' || NEW.user_id, 0, NEW.comment);
END;
"""
# Canvas adds a comment to those there are; one that says nothing takes none away.
_CELLS = {
    "canvas": """
        SELECT 'column ' || column_id || ' ' || user_id AS place, content AS words, NULL AS points
        FROM column_data UNION ALL
        SELECT 'line item ' || l.id || ' ' || s.user_id,
            (SELECT substr(says, instr(says, '|') + 1) FROM chaos_writes w
             WHERE w.place = 'line item ' || l.id || ' ' || s.user_id
                AND by_tool AND says NOT LIKE '%|' ORDER BY w.id DESC LIMIT 1),
            g.points
        FROM ags_scores s JOIN line_items l ON l.id = s.line_item_id
        JOIN grades g ON g.assignment_id = l.assignment_id AND g.learner_id = s.user_id
    """,
    "moodle": """
        SELECT 'line item ' || line_item_id || ' ' || user_id AS place, comment AS words,
            NULL AS points
        FROM ags_scores
    """,
}
_COLUMNS = (
    "SELECT (SELECT count(*) FROM columns WHERE state = 'active')"
    " + (SELECT count(*) FROM line_items)"
)


@dataclass(frozen=True)
class Write:
    """One write into a cell; ``says`` is its words, or points and words with a bar between."""

    place: str
    by_tool: bool
    says: str


@dataclass
class Ledger:
    """The writes of one LMS."""

    path: Path
    lms: str

    @classmethod
    def opened(cls, path: Path, lms: str) -> "Ledger":
        """Begin to note, before the LMS is served."""
        with closing(open_state(path)) as db, db:
            db.executescript(_LEDGER + (_CANVAS if lms == "canvas" else _MOODLE))
        return cls(path, lms)

    def writes(self) -> Sequence[Write]:
        """Every write, oldest first."""
        with self._reading() as db:
            rows = db.execute("SELECT place, by_tool, says FROM chaos_writes ORDER BY id")
            return [Write(row[0], bool(row[1]), row[2]) for row in rows]

    def cells(self) -> dict[str, tuple[str, float | None]]:
        """What stands in the cells of tools' columns now: words, and points where there are."""
        with self._reading() as db:
            return {row[0]: (row[1], row[2]) for row in db.execute(_CELLS[self.lms])}

    def columns(self) -> int:
        """How many columns tools have made."""
        with self._reading() as db:
            return int(db.execute(_COLUMNS).fetchone()[0])

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(open_state(self.path)) as db:
            yield db


def written_twice(writes: Sequence[Write]) -> list[str]:
    """Cells into which a tool wrote what it had written there last, nobody else in between."""
    return [
        f"{now.place} was told {now.says!r} twice"
        for before, now in _pairs(writes)
        if now.by_tool and before.by_tool and now.says == before.says
    ]


def overwritten(writes: Sequence[Write]) -> list[str]:
    """Cells in which a tool wrote over what a person had written."""
    return [
        f"{now.place} said {before.says!r} by hand and was told {now.says!r}"
        for before, now in _pairs(writes)
        if now.by_tool and not before.by_tool
    ]


def by_hand(writes: Sequence[Write]) -> dict[str, str]:
    """What people wrote last, by cell."""
    return {one.place: one.says for one in writes if not one.by_tool}


def _pairs(writes: Sequence[Write]) -> Iterator[tuple[Write, Write]]:
    last: dict[str, Write] = {}
    for write in writes:
        if write.place in last:
            yield last[write.place], write
        last[write.place] = write
