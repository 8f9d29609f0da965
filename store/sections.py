"""Sections and groups of courses, and who is in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType

from sqlalchemy import Connection, delete, insert, select

from mapping.records import (
    CourseId,
    Enrolment,
    LearnerId,
    LearnerRef,
    Role,
    Section,
    SectionRef,
)
from store.columns import one_of
from store.session import upsert
from store.tables import section_members
from store.tables import sections as sections_table

SectionId = NewType("SectionId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionLine:
    """A section or a group of a course."""

    id: SectionId
    title: str
    is_group: bool


def sections_of(connection: Connection, course_id: CourseId) -> tuple[SectionLine, ...]:
    """A course's sections, then its groups, each by title."""
    rows = connection.execute(
        select(sections_table)
        .where(sections_table.c.course_id == course_id)
        .order_by(sections_table.c.is_group, sections_table.c.title, sections_table.c.id)
    )
    return tuple(
        SectionLine(id=SectionId(row.id), title=row.title, is_group=row.is_group) for row in rows
    )


def members_of(connection: Connection, section: SectionId) -> frozenset[LearnerId]:
    """Who is in a section."""
    rows = connection.execute(
        select(section_members.c.learner_id).where(section_members.c.section_id == section)
    )
    return frozenset(LearnerId(row[0]) for row in rows)


def section_refs(connection: Connection, course_id: CourseId) -> frozenset[SectionRef]:
    """The sections that are known of a course."""
    return frozenset(_ids(connection, course_id))


def save_sections(connection: Connection, course_id: CourseId, found: Sequence[Section]) -> None:
    """Keep a course's sections as they are now; those that are gone lose their members."""
    gone = [
        number
        for ref, number in _ids(connection, course_id).items()
        if ref not in {one.ref for one in found}
    ]
    connection.execute(delete(section_members).where(section_members.c.section_id.in_(gone)))
    connection.execute(delete(sections_table).where(sections_table.c.id.in_(gone)))
    rows = [
        {
            "course_id": course_id,
            "ref": one.ref,
            "title": one.title,
            "sis_id": one.sis_id,
            "is_group": one.is_group,
        }
        for one in found
    ]
    upsert(connection, sections_table, rows, keys=("course_id", "ref"))


def save_members(
    connection: Connection,
    course_id: CourseId,
    found: Sequence[Enrolment],
    *,
    learners: Mapping[LearnerRef, LearnerId],
) -> None:
    """Keep who is in which of a course's sections now.

    Args:
        connection: A writing transaction.
        course_id: The course, its sections saved; others are passed over.
        found: Everybody in it.
        learners: The learner behind each account of its roster.
    """
    ids = _ids(connection, course_id)
    now = {
        (ids[ref], learners[one.person.ref])
        for one in found
        if one.role is Role.LEARNER and one.person.ref in learners
        for ref in one.sections
        if ref in ids
    }
    rows = connection.execute(
        select(section_members).where(
            one_of(connection, section_members.c.section_id, ids.values())
        )
    )
    before = {(row.section_id, row.learner_id) for row in rows}
    for section, learner in sorted(before - now):
        connection.execute(
            delete(section_members).where(
                section_members.c.section_id == section, section_members.c.learner_id == learner
            )
        )
    if new := sorted(now - before):
        connection.execute(
            insert(section_members),
            [{"section_id": section, "learner_id": learner} for section, learner in new],
        )


def _ids(connection: Connection, course_id: CourseId) -> dict[SectionRef, int]:
    rows = connection.execute(
        select(sections_table.c.ref, sections_table.c.id).where(
            sections_table.c.course_id == course_id
        )
    )
    return {SectionRef(row[0]): row[1] for row in rows}
