"""REST: assignments, their rubrics and their groups.

Source: canvas.md 2.2, 2.8 and 4.1 (what an AGS line item makes); which outcome a criterion was
taken from: instructure/canvas-lms, lib/api/v1/assignment.rb.
"""

import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, request

from simulators.canvas.accounts import graded_course
from simulators.canvas.gate import includes
from simulators.canvas.paging import paged
from simulators.canvas.wire import NOT_FOUND, answer, is_true, nested, number, refuse
from simulators.canvas.world import config, db, iso, now

blueprint = Blueprint("assignments", __name__)

LONGEST_NAME = 255
SUBMISSION_TYPES = {
    "assignment": ["online_upload", "online_text_entry"],
    "quiz": ["online_quiz"],
    "manual": ["on_paper"],
}


@blueprint.get("/api/v1/courses/<course_id>/assignments")
def assignments(course_id: str) -> Response:
    """The assignments of a course, unpublished ones too, in gradebook order."""
    course = graded_course(course_id)
    wanted = set(request.args.getlist("assignment_ids[]"))
    words = request.args.get("search_term", "").lower()
    rows = [
        row
        for row in _rows(course["id"])
        if (not wanted or str(row["id"]) in wanted) and words in row["title"].lower()
    ]
    return paged(rows, assignment_payload)


@blueprint.get("/api/v1/courses/<course_id>/assignments/<assignment_id>")
def assignment(course_id: str, assignment_id: str) -> Response:
    """One assignment."""
    course = graded_course(course_id)
    return answer(assignment_payload(find_assignment(course["id"], assignment_id)))


@blueprint.put("/api/v1/courses/<course_id>/assignments/<assignment_id>")
def change_assignment(course_id: str, assignment_id: str) -> Response:
    """Change an assignment; a changed maximum changes no score."""
    course = graded_course(course_id)
    row = find_assignment(course["id"], assignment_id)
    changes = _changes(nested("assignment"))
    for column, value in changes.items():
        db().execute(
            f"UPDATE assignments SET {column} = ?, updated_at = ? WHERE id = ?",  # noqa: S608 - own words
            (value, now(), row["id"]),
        )
    return answer(assignment_payload(find_assignment(course["id"], str(row["id"]))))


@blueprint.get("/api/v1/courses/<course_id>/assignment_groups")
def assignment_groups(course_id: str) -> Response:
    """The groups of a course's assignments, with their weights."""
    course = graded_course(course_id)
    sql = "SELECT * FROM categories WHERE course_id = ? AND NOT is_top ORDER BY position, id"
    rows = db().execute(sql, (course["id"],)).fetchall()
    return paged(rows, _group_payload)


def find_assignment(course_id: int, assignment_id: str) -> sqlite3.Row:
    """An assignment of a course.

    Raises:
        Refused: With 404, where there is none.
    """
    sql = "SELECT * FROM assignments WHERE course_id = ? AND id = ?"
    row = db().execute(sql, (course_id, assignment_id)).fetchone()
    if row is None:
        refuse(404, NOT_FOUND)
    found: sqlite3.Row = row
    return found


def assignment_payload(row: sqlite3.Row) -> dict[str, object]:
    """An assignment as REST shows it."""
    payload: dict[str, object] = {
        "id": row["id"],
        "course_id": row["course_id"],
        "name": row["title"],
        "description": None,
        "points_possible": row["maximum"],
        "grading_type": "points",
        "submission_types": _submission_types(row),
        "assignment_group_id": row["category_id"],
        "position": row["position"],
        "published": bool(row["is_published"]),
        "workflow_state": "published" if row["is_published"] else "unpublished",
        "due_at": iso(row["due_at"]),
        "lock_at": None,
        "unlock_at": None,
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
        "omit_from_final_grade": bool(row["omit_from_final_grade"]),
        "post_manually": not row["is_posted"],
        "muted": not row["is_posted"],
        "anonymous_grading": False,
        "in_closed_grading_period": False,
        "group_category_id": None,
        "grade_group_students_individually": False,
        "has_sub_assignments": False,
        "is_quiz_assignment": row["kind"] == "quiz",
        "is_quiz_lti_assignment": False,
        "html_url": f"{config()['base_url']}/courses/{row['course_id']}/assignments/{row['id']}",
    }
    if row["kind"] == "quiz":
        payload["quiz_id"] = row["id"]
    extra = json.loads(row["extra"])
    if "resource_link_id" in extra:
        payload["external_tool_tag_attributes"] = {
            "url": extra["url"],
            "resource_link_id": extra["resource_link_id"],
            "new_tab": False,
        }
    return payload | _rubric(row)


def _rows(course_id: int) -> list[sqlite3.Row]:
    sql = "SELECT * FROM assignments WHERE course_id = ? ORDER BY category_id, position, id"
    return db().execute(sql, (course_id,)).fetchall()


def _submission_types(row: sqlite3.Row) -> list[str]:
    if row["kind"] == "tool":
        return [json.loads(row["extra"]).get("submission_type", "none")]
    return SUBMISSION_TYPES[row["kind"]]


def _rubric(row: sqlite3.Row) -> dict[str, object]:
    sql = (
        "SELECT c.*, MIN(a.outcome_id) AS outcome_id, g.vendor_guid FROM criteria c "
        "LEFT JOIN outcome_alignments a ON a.assignment_id = c.assignment_id "
        "AND a.criterion_id = c.id LEFT JOIN outcome_guids g ON g.outcome_id = a.outcome_id "
        "WHERE c.assignment_id = ? GROUP BY c.id ORDER BY c.position"
    )
    criteria = db().execute(sql, (row["id"],)).fetchall()
    if not criteria:
        return {}
    return {
        "use_rubric_for_grading": True,
        "free_form_criterion_comments": False,
        "rubric": [_criterion(criterion) for criterion in criteria],
        "rubric_settings": {
            "id": row["id"],
            "title": f"{row['title']} rubric",
            "points_possible": sum(criterion["maximum"] for criterion in criteria),
            "free_form_criterion_comments": False,
            "hide_score_total": False,
            "hide_points": False,
        },
    }


def _criterion(row: sqlite3.Row) -> dict[str, object]:
    words = ("Full marks", "Partly", "No marks")
    points = (row["maximum"], row["maximum"] / 2, 0.0)
    # Only a row taken from an outcome has these; the second is null where the outcome has none.
    taken = {"outcome_id": row["outcome_id"], "vendor_guid": row["vendor_guid"]}
    return {
        "id": row["id"],
        "description": row["title"],
        "long_description": "",
        "points": row["maximum"],
        "criterion_use_range": True,
        "ignore_for_scoring": False,
        "ratings": [
            {
                "id": f"{row['id']}_{place}",
                "criterion_id": row["id"],
                "description": word,
                "long_description": "",
                "points": value,
            }
            for place, (word, value) in enumerate(zip(words, points, strict=True))
        ],
        **(taken if row["outcome_id"] is not None else {}),
    }


def _group_payload(row: sqlite3.Row) -> dict[str, object]:
    payload: dict[str, object] = {
        "id": row["id"],
        "name": row["title"],
        "position": row["position"] + 1,
        "group_weight": row["weight"],
        "sis_source_id": None,
        "integration_data": {},
        "rules": {},
    }
    if "assignments" in includes():
        inside = [item for item in _rows(row["course_id"]) if item["category_id"] == row["id"]]
        payload["assignments"] = [assignment_payload(item) for item in inside]
    return payload


def _changes(asked: dict[str, Any]) -> dict[str, object]:
    changes: dict[str, object] = {}
    if "name" in asked:
        changes["title"] = _name(str(asked["name"]))
    if "points_possible" in asked:
        changes["maximum"] = number(asked["points_possible"], "points_possible")
    if "post_manually" in asked:
        changes["is_posted"] = not is_true(asked["post_manually"])
    if "published" in asked:
        changes["is_published"] = is_true(asked["published"])
    if "omit_from_final_grade" in asked:
        changes["omit_from_final_grade"] = is_true(asked["omit_from_final_grade"])
    return changes


def _name(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME:
        error = {"attribute": "name", "type": "too_long", "message": "is too long"}
        refuse(400, {"errors": {"name": [error]}})
    return text
