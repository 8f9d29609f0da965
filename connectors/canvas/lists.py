"""The lists of a Canvas course in one digest: columns, people, sections, groups, categories.

GraphQL has no "changed since" for them. So a completed read keeps a digest of what they held,
and the next night compares: the same digest means that there is nothing to read again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from connectors.canvas.payloads import Connection, Id


def columns_field(after: str = "") -> str:
    """The columns of a course: the first page, or the one behind a variable's cursor."""
    return f"""assignmentsConnection(first: 100{after}, filter: {{gradingPeriodId: null}}) {{
    nodes {{ _id updatedAt dueAt state }} pageInfo {{ hasNextPage endCursor }}
  }}"""


def people_field(after: str = "") -> str:
    """The people of a course, as ``columns_field``."""
    return f"""enrollmentsConnection(first: 100{after}, filter: {{
    types: [StudentEnrollment, TeacherEnrollment, ObserverEnrollment]
    states: [active, invited, inactive, completed]
  }}) {{
    nodes {{ _id updatedAt state user {{ _id name }} }} pageInfo {{ hasNextPage endCursor }}
  }}"""


FRAGMENT = f"""
fragment Lists on Course {{
  {columns_field()}
  {people_field()}
  sectionsConnection(first: 100) {{ nodes {{ _id name }} pageInfo {{ hasNextPage }} }}
  groupsConnection(first: 100) {{ nodes {{ _id name membersCount }} pageInfo {{ hasNextPage }} }}
  assignmentGroupsConnection(first: 100) {{ nodes {{ _id name }} pageInfo {{ hasNextPage }} }}
}}
"""
"""``gradingPeriodId: null`` or Canvas lists the present grading period's assignments only.

Source: Canvas GraphQL schema, Course and the connections named here.
"""


class AssignmentRow(msgspec.Struct, rename="camel"):
    """An assignment, as far as it tells that it changed."""

    id: Id = msgspec.field(name="_id")
    updated_at: datetime | None = None
    due_at: datetime | None = None
    state: str = ""


class PersonRow(msgspec.Struct, rename="camel"):
    """The person of an enrolment: who is renamed keeps an untouched enrolment."""

    id: Id = msgspec.field(name="_id")
    name: str | None = None


class EnrolmentRow(msgspec.Struct, rename="camel"):
    """An enrolment; Canvas hides who it is where graders must not know."""

    id: Id | None = msgspec.field(name="_id", default=None)
    updated_at: datetime | None = None
    state: str = ""
    user: PersonRow | None = None


class NamedRow(msgspec.Struct, rename="camel"):
    """A section, a group or an assignment group."""

    id: Id = msgspec.field(name="_id")
    name: str | None = None
    members_count: int | None = None


class Lists(msgspec.Struct, rename="camel"):
    """The lists of a course; one that the service user may not see is None."""

    assignments_connection: Connection[AssignmentRow] | None = None
    enrollments_connection: Connection[EnrolmentRow] | None = None
    sections_connection: Connection[NamedRow] | None = None
    groups_connection: Connection[NamedRow] | None = None
    assignment_groups_connection: Connection[NamedRow] | None = None


def digest_of(lists: Lists) -> str:
    """The lists in 32 characters.

    Args:
        lists: What Canvas sent.

    Returns:
        The same text for the same rows in any order; empty where the lists are not whole: one
        goes on behind its first hundred rows, or columns or people may not be seen.
    """
    found = _connections(lists)
    if lists.assignments_connection is None or lists.enrollments_connection is None:
        return ""
    if any(one is not None and one.page_info.has_next_page for one in found):
        return ""
    rows = [None if one is None else sorted(map(_row, one.rows())) for one in found]
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()[:32]


def touched_after(lists: Lists, moment: datetime) -> bool:
    """Whether a column or an enrolment was changed after a moment, which is aware."""
    return any(stamp is not None and stamp > moment for stamp in _stamps(lists))


def falls_due(lists: Lists, after: datetime, until: datetime) -> bool:
    """Whether a column's due date lies behind one moment and not behind another, both aware."""
    rows = [] if lists.assignments_connection is None else lists.assignments_connection.rows()
    return any(row.due_at is not None and after < row.due_at <= until for row in rows)


def ids_of(lists: Lists) -> tuple[set[str], set[str]]:
    """The ids of the columns and of the enrolments."""
    columns, people = lists.assignments_connection, lists.enrollments_connection
    return (
        set() if columns is None else {str(row.id) for row in columns.rows()},
        set() if people is None else {str(row.id) for row in people.rows()},
    )


def _connections(lists: Lists) -> Sequence[Connection[msgspec.Struct] | None]:
    names = Lists.__struct_fields__
    return [getattr(lists, name) for name in names]


def _row(row: msgspec.Struct) -> str:
    return msgspec.json.encode(row).decode()


def _stamps(lists: Lists) -> Iterator[datetime | None]:
    if lists.assignments_connection is not None:
        yield from (row.updated_at for row in lists.assignments_connection.rows())
    if lists.enrollments_connection is not None:
        yield from (row.updated_at for row in lists.enrollments_connection.rows())
