"""Who is who in the drawn district, asked of what the LMSs and Waymark hold."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from mapping.status import Status
from tests.stories.stage import Stage


@dataclass(frozen=True)
class Place:
    """A person of an LMS in one of its courses, by the LMS's ids."""

    course: int
    person: int


@dataclass(frozen=True)
class Known:
    """What Waymark holds of one learner and competency; ``link`` is their ids in an address."""

    learner: int
    competency: int
    status: Status
    evidence_count: int
    sentence: str


def in_lms(stage: Stage, lms: str, query: str, **values) -> list[tuple]:
    with closing(sqlite3.connect(stage.folder / "district" / f"{lms}.db")) as connection:
        return connection.execute(query, values).fetchall()


def teacher(stage: Stage, lms: str) -> Place:
    return _enrolled(stage, lms, "teacher")


def learner(stage: Stage, lms: str) -> Place:
    return _enrolled(stage, lms, "learner")


def _enrolled(stage: Stage, lms: str, role: str) -> Place:
    rows = in_lms(
        stage,
        lms,
        "SELECT e.course_id, e.person_id FROM enrolments e JOIN courses c ON c.id = e.course_id "
        "WHERE e.role = :role AND e.state = 'active' AND c.title LIKE 'Mathematics 6%' "
        "ORDER BY e.course_id, e.person_id",
        role=role,
    )
    return Place(*rows[0])


def canvas_parent(stage: Stage) -> tuple[Place, list[str]]:
    """A parent who follows two learners in one course, and the names of these."""
    rows = in_lms(
        stage,
        "canvas",
        "SELECT e.course_id, g.guardian_id, group_concat(p.given_name || ' ' || p.family_name, '|')"
        " FROM guardians g JOIN enrolments e ON e.person_id = g.child_id AND e.state = 'active' "
        "AND e.role = 'learner' JOIN courses c ON c.id = e.course_id AND c.state = 'active' "
        "JOIN people p ON p.id = g.child_id JOIN enrolments o ON o.course_id = e.course_id "
        "AND o.person_id = g.guardian_id "
        "GROUP BY e.course_id, g.guardian_id ORDER BY count(DISTINCT g.child_id) DESC, 1, 2",
    )
    course, guardian, names = rows[0]
    return Place(course, guardian), sorted(set(names.split("|")))


def moodle_parent(stage: Stage) -> Place:
    rows = in_lms(
        stage,
        "moodle",
        "SELECT e.course_id, g.guardian_id FROM guardians g JOIN enrolments e "
        "ON e.person_id = g.child_id AND e.state = 'active' ORDER BY 1, 2",
    )
    return Place(*rows[0])


def administrator(stage: Stage) -> int:
    return in_lms(stage, "canvas", "SELECT id FROM people WHERE role = 'administrator'")[0][0]


def school(stage: Stage) -> int:
    return in_lms(stage, "canvas", "SELECT min(id) FROM schools")[0][0]


def learners_of(stage: Stage, lms: str, course: int) -> int:
    """How many are active in a course today."""
    return in_lms(
        stage,
        lms,
        "SELECT count(DISTINCT person_id) FROM enrolments WHERE course_id = :course "
        "AND role = 'learner' AND state = 'active'",
        course=course,
    )[0][0]


def standings_of(stage: Stage, lms: str, place: Place, *, view: int) -> list[Known]:
    """Where a learner stands in all that has evidence, but for strands."""
    rows = stage.rows(
        "SELECT s.learner_id, s.competency_id, s.status, s.evidence_count, "
        "coalesce(nullif(k.indicator, ''), k.statement) FROM standings s "
        "JOIN competencies k ON k.id = s.competency_id "
        "JOIN learner_accounts a ON a.learner_id = s.learner_id "
        "JOIN platforms p ON p.id = a.platform_id WHERE p.kind = :lms AND a.ref = :person "
        "AND s.view = :view AND s.evidence_count > 0 AND NOT k.is_strand ORDER BY 1, 2",
        lms=lms,
        person=str(place.person),
        view=view,
    )
    return [
        Known(
            learner=learner_id,
            competency=competency,
            status=Status(status),
            evidence_count=count,
            sentence=sentence,
        )
        for learner_id, competency, status, count, sentence in rows
    ]


def hidden_from(stage: Stage) -> tuple[Place, int, str]:
    """A Canvas learner, their id in Waymark, and the title of a score hidden from them."""
    rows = stage.rows(
        "SELECT c.ref, a.ref, s.learner_id, i.title FROM scores s "
        "JOIN line_items i ON i.id = s.line_item_id JOIN courses c ON c.id = i.course_id "
        "JOIN alignments m ON m.line_item_id = i.id "
        "JOIN learner_accounts a ON a.learner_id = s.learner_id "
        "AND a.platform_id = c.platform_id JOIN platforms p ON p.id = c.platform_id "
        "JOIN enrolments e ON e.course_id = c.id AND e.learner_id = s.learner_id "
        "WHERE p.kind = 'canvas' AND e.state = 'active' AND s.flags & 8 = 0 "
        "AND s.points IS NOT NULL ORDER BY 1, 2, 4"
    )
    course, person, learner_id, title = rows[0]
    return Place(int(course), int(person)), learner_id, title
