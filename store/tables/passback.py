"""What is written to gradebooks: columns, marks, what is on its way, what may be out of date."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store.tables.columns import Instant, metadata, of, row_id, to

passback_columns = Table(
    "passback_columns",
    metadata,
    row_id(),
    to("courses", "course_id"),
    to("competencies", "competency_id"),
    Column("way", String(32), nullable=False),
    Column("ref", String(512), nullable=False),
    UniqueConstraint("course_id", "competency_id", "way"),
)

passback_marks = Table(
    "passback_marks",
    metadata,
    to("passback_columns", "column_id", primary_key=True),
    to("learners", "learner_id", primary_key=True),
    Column("words", String(255), nullable=False),
    Column("points", Float),
    Column("confirmed_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
"""What Waymark knows to stand in the gradebook because it read it back."""

# In words of its own, not bound: an index of a part is used by who asks for that very part.
OPEN_LETTERS = text("state IN ('wanted', 'sent')")

outbox = Table(
    "outbox",
    metadata,
    row_id(),
    to("courses", "course_id"),
    to("competencies", "competency_id"),
    Column("way", String(32), nullable=False),
    to("learners", "learner_id"),
    Column("words", String(255), nullable=False),
    Column("points", Float),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    to("runs", "run_id"),
    Index("ix_outbox_course_id_state", "course_id", "state"),
    Index("ix_outbox_run_id_state", "run_id", "state"),
    Index(
        "ux_outbox_open",
        *("course_id", "way", "competency_id", "learner_id", "state"),
        unique=True,
        sqlite_where=OPEN_LETTERS,
        postgresql_where=OPEN_LETTERS,
    ),
)
"""Marks to be written, then the record of how it went; of a mark one is wanted and one sent."""

passback_due = Table(
    "passback_due",
    metadata,
    of("course_id", primary_key=True),
    of("learner_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Learners whose marks in a course may be out of date; written with the cause, as a standing is."""

passback_due_courses = Table(
    "passback_due_courses",
    metadata,
    to("courses", "course_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
)
"""As ``passback_due``, where any mark of the course may be out of date."""

passback_totals = Table(
    "passback_totals",
    metadata,
    to("competencies", "competency_id", primary_key=True),
    Column("total", Integer, nullable=False),
)
"""How many competencies of each strand were assessed when its marks were last checked."""
