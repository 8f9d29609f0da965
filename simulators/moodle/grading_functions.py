"""Web service functions about grades and graded activities.

Source: moodle.md, section 2.3; shapes as recorded from Moodle 4.5.6.
"""

import html
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from simulators.moodle.functions import INT, INTS, TEXT, enter, full_name, require
from simulators.moodle.gradebook import MODULES, read_gradebook
from simulators.moodle.parameters import Many, Scalar
from simulators.moodle.report import Reader, Report, number
from simulators.moodle.rest import function
from simulators.moodle.site import Site

SCALE_ID = 3
"""The one scale of the site; an assignment marked with it says ``grade: -3``."""


@function(
    "gradereport_user_get_grade_items",
    {"courseid": INT, "userid": Scalar("int", default=0), "groupid": Scalar("int", default=0)},
)
def get_grade_items(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """The user report: of all active learners, or of any one user who is asked for."""
    course = enter(site, arguments["courseid"])
    require(site, "gradereport/user:view", "View own grade report")
    require(site, "moodle/grade:viewall", "View grades of other users")
    learner = arguments["userid"] or None
    people = _reported(site, course["id"], learner)
    book = read_gradebook(site, course["id"], learner=learner)
    reader = Reader(
        may_see_hidden=not site.lacks("moodle/grade:viewhidden"),
        may_see_hidden_activities=not site.lacks("moodle/course:viewhiddenactivities"),
        unseen_modules=unseen_modules(site),
    )
    report = Report(book, reader)
    return {
        "usergrades": [_user_grades(course, person, report) for person in people],
        "warnings": [],
    }


def unseen_modules(site: Site) -> frozenset[str]:
    """Kinds of activities that the service may not open: they vanish from every list."""
    kinds = MODULES.values()
    return frozenset(kind for kind in kinds if site.lacks(f"mod/{kind}:view"))


def _reported(site: Site, course: int, learner: int | None) -> Sequence[sqlite3.Row]:
    """All active learners; a single user is reported even if suspended or never enrolled."""
    if learner is not None:
        return site.rows("SELECT * FROM people WHERE id = ?", learner)
    return site.rows(
        "SELECT p.* FROM people p JOIN enrolments e ON e.person_id = p.id WHERE e.course_id = ? "
        "AND e.role = 'learner' AND e.state = 'active' ORDER BY p.family_name, p.id",
        course,
    )


def _user_grades(course: sqlite3.Row, person: sqlite3.Row, report: Report) -> dict[str, Any]:
    return {
        "courseid": course["id"],
        "courseidnumber": course["sis_id"],
        "userid": person["id"],
        "userfullname": full_name(person),
        "useridnumber": person["sis_id"],
        "maxdepth": 2 + (len(report.book.categories) > 1),
        "gradeitems": report.rows(person["id"]),
    }


@function("core_grades_get_gradeitems", {"courseid": INT})
def get_gradeitems(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """Names of a course's grade items, with the names of their categories."""
    course = enter(site, arguments["courseid"])
    book = read_gradebook(site, course["id"], learner=0)
    names = {category.id: category.title or course["title"] for category in book.categories}
    return {
        "gradeItems": [
            {
                "id": str(item.id),
                "itemname": html.escape(item.title, quote=False),
                "category": html.escape(names[item.category_id], quote=False),
            }
            for item in book.items
        ],
        "warnings": [],
    }


@function(
    "mod_assign_get_assignments",
    {
        "courseids": INTS,
        "capabilities": Many(TEXT, default=()),
        "includenotenrolledcourses": Scalar("bool", default=False),
    },
)
def get_assignments(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """Assignments of courses; a service that is not enrolled must say that it knows it."""
    if not arguments["includenotenrolledcourses"]:
        return {"courses": [], "warnings": [_not_enrolled(c) for c in arguments["courseids"]]}
    courses = []
    warnings = []
    for number_ in arguments["courseids"]:
        row = site.row("SELECT * FROM courses WHERE id = ?", number_)
        if row is None or number_ in site.closed:
            warnings.append(_not_enrolled(number_))
        else:
            courses.append(_with_assignments(site, row))
    return {"courses": courses, "warnings": warnings}


def _not_enrolled(course: int) -> dict[str, Any]:
    return {
        "item": "course",
        "itemid": course,
        "warningcode": "2",
        "message": "User is not enrolled or does not have requested capability",
    }


def _with_assignments(site: Site, course: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": course["id"],
        "fullname": html.escape(course["title"], quote=False),
        "shortname": course["code"],
        "timemodified": course["created_at"],
        "assignments": [_assignment(row) for row in _activities(site, course["id"], "assignment")],
    }


def _activities(site: Site, course: int, kind: str) -> list[sqlite3.Row]:
    rows = site.rows(
        "SELECT a.*, EXISTS (SELECT 1 FROM grades g WHERE g.assignment_id = a.id "
        "AND g.attempt > 1) AS is_reopened FROM assignments a "
        "WHERE course_id = ? AND kind = ? ORDER BY position",
        *(course, kind),
    )
    if MODULES[kind] in unseen_modules(site):
        return []
    if site.lacks("moodle/course:viewhiddenactivities"):
        return [row for row in rows if row["is_published"]]
    return rows


def _assignment(row: sqlite3.Row) -> dict[str, Any]:
    is_scale = bool(json.loads(row["scale"]))
    return {
        "id": row["module_id"],
        "cmid": row["cmid"],
        "course": row["course_id"],
        "name": html.escape(row["title"], quote=False),
        "nosubmissions": 0,
        "submissiondrafts": 0,
        "duedate": row["due_at"] or 0,
        "allowsubmissionsfromdate": 0,
        "grade": -SCALE_ID if is_scale else number(row["maximum"]),
        "timemodified": row["updated_at"],
        "cutoffdate": 0,
        "gradingduedate": 0,
        "teamsubmission": 0,
        "blindmarking": 0,
        "attemptreopenmethod": "untilpass",
        "maxattempts": -1 if row["is_reopened"] else 1,
        "markingworkflow": 0,
        "configs": [],
        "intro": "",
        "introformat": 1,
        "introfiles": [],
        "introattachments": [],
        "timelimit": 0,
        "submissionattachments": 0,
    }


@function("mod_assign_get_grades", {"assignmentids": Many(INT), "since": Scalar("int", default=0)})
def get_assign_grades(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """The assignments' own grades: no override, no exclusion; ``since`` is inclusive."""
    found = []
    warnings = []
    may_read = not (site.lacks("mod/assign:viewgrades") and site.lacks("mod/assign:grade"))
    for assign in arguments["assignmentids"]:
        if not may_read or site.lacks("mod/assign:view"):
            warnings.append(_no_access(assign))
            continue
        rows = _own_grades(site, assign, arguments["since"])
        if rows:
            found.append({"assignmentid": assign, "grades": [_own_grade(row) for row in rows]})
        else:
            warnings.append(_no_grades(assign))
    return {"assignments": found, "warnings": warnings}


def _own_grades(site: Site, assign: int, since: int) -> list[sqlite3.Row]:
    return site.rows(
        "SELECT g.* FROM grades g JOIN assignments a ON a.id = g.assignment_id "
        "WHERE a.kind = 'assignment' AND a.module_id = ? AND g.graded_at IS NOT NULL "
        "AND g.updated_at >= ? ORDER BY g.learner_id",
        *(assign, since),
    )


def own_grade_id(row: sqlite3.Row) -> int:
    """The id of an assignment's own grade, which rubric fillings refer to."""
    return int(1000 * row["assignment_id"] + row["learner_id"])


def _own_grade(row: sqlite3.Row) -> dict[str, Any]:
    points = -1.0 if row["points"] is None else row["points"]
    return {
        "id": own_grade_id(row),
        "userid": row["learner_id"],
        "attemptnumber": max(0, row["attempt"] - 1),
        "timecreated": row["submitted_at"] or row["graded_at"],
        "timemodified": row["updated_at"],
        "grader": row["grader_id"] or -1,
        "grade": f"{points:.5f}",
    }


def _no_access(assign: int) -> dict[str, Any]:
    return {
        "item": "assignment",
        "itemid": assign,
        "warningcode": "1",
        "message": "No access rights in module context",
    }


def _no_grades(assign: int) -> dict[str, Any]:
    return {
        "item": "assignment",
        "itemid": assign,
        "warningcode": "3",
        "message": "No grades found",
    }


@function("mod_quiz_get_quizzes_by_courses", {"courseids": INTS})
def get_quizzes(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """Quizzes of courses; no enrolment is needed."""
    rows = [
        row
        for course in arguments["courseids"]
        if course not in site.closed
        for row in _activities(site, course, "quiz")
    ]
    return {"quizzes": [_quiz(row) for row in rows], "warnings": []}


def _quiz(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["module_id"],
        "coursemodule": row["cmid"],
        "course": row["course_id"],
        "name": html.escape(row["title"], quote=False),
        "intro": "",
        "introformat": 1,
        "introfiles": [],
        "section": 0,
        "visible": bool(row["is_published"]),
        "groupmode": 0,
        "groupingid": 0,
        "lang": "",
        "timeopen": 0,
        "timeclose": row["due_at"] or 0,
        "timelimit": 0,
        "attempts": 0,
        "grademethod": 4,
        "decimalpoints": 2,
        "sumgrades": number(row["maximum"]),
        "grade": number(row["maximum"]),
        "hasfeedback": 0,
        "hasquestions": 1,
    }
