"""Web service functions about rubrics: their rows, and what was chosen in them.

Rubrics stand on assignments only. Levels are whole points from 0 to a criterion's maximum; what
a learner got is the level of those points. The fillings need a capability that a connector's
role does not have.

Source: moodle.md, section 2.3; shapes from Moodle's public source.
"""

import html
import sqlite3
from typing import Any

from simulators.moodle.functions import INT
from simulators.moodle.grading_functions import own_grade_id
from simulators.moodle.parameters import Many, Scalar
from simulators.moodle.rest import function, missing_record, no_permission
from simulators.moodle.site import Site

MANAGE = "moodle/grade:managegradingforms"
_ACTIVE = 1
_READY = 20


@function(
    "core_grading_get_definitions",
    {
        "cmids": Many(INT),
        "areaname": Scalar("text"),
        "activeonly": Scalar("bool", default=False),
    },
)
def get_definitions(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """Grading areas of activities, with the rubric of each that has one."""
    areas, warnings = [], []
    for cmid in arguments["cmids"]:
        row = site.row("SELECT * FROM assignments WHERE cmid = ? AND kind = 'assignment'", cmid)
        if row is None or row["course_id"] in site.closed or site.lacks("mod/assign:view"):
            warnings.append(_no_access(cmid))
        else:
            areas.append(_area(site, row))
    return {"areas": areas, "warnings": warnings}


def _no_access(cmid: int) -> dict[str, Any]:
    return {
        "item": "module",
        "itemid": cmid,
        "message": "No access rights in module context",
        "warningcode": "1",
    }


def _area(site: Site, row: sqlite3.Row) -> dict[str, Any]:
    criteria = _criteria(site, row["id"])
    return {
        "cmid": row["cmid"],
        "contextid": 5000 + row["cmid"],
        "component": "mod_assign",
        "areaname": "submissions",
        "activemethod": "rubric" if criteria else None,
        "definitions": [_definition(row, criteria)] if criteria else [],
    }


def _criteria(site: Site, assignment: int) -> list[sqlite3.Row]:
    return site.rows("SELECT * FROM criteria WHERE assignment_id = ? ORDER BY position", assignment)


def _definition(row: sqlite3.Row, criteria: list[sqlite3.Row]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "method": "rubric",
        "name": html.escape(row["title"], quote=False),
        "description": "",
        "descriptionformat": 1,
        "status": _READY,
        "copiedfromid": None,
        "timecreated": row["created_at"],
        "usercreated": 2,
        "timemodified": row["updated_at"],
        "usermodified": 2,
        "timecopied": 0,
        "rubric": {"rubric_criteria": [_criterion(one) for one in criteria]},
    }


def _criterion(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": _criterion_id(row),
        "sortorder": row["position"],
        "description": f"<p>{html.escape(row['title'], quote=False)}</p>",
        "descriptionformat": 1,
        "levels": [
            {
                "id": _level_id(row, points),
                "score": points,
                "definition": f"{points} points",
                "definitionformat": 1,
            }
            for points in range(int(row["maximum"]) + 1)
        ],
    }


def _criterion_id(row: sqlite3.Row) -> int:
    return int(10 * row["assignment_id"] + row["position"])


def _level_id(row: sqlite3.Row, points: float) -> int:
    return 1000 * _criterion_id(row) + round(points)


@function(
    "core_grading_get_gradingform_instances",
    {"definitionid": INT, "since": Scalar("int", default=0)},
)
def get_instances(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """What was chosen in a rubric, for each grade of its assignment."""
    found = site.row("SELECT * FROM assignments WHERE id = ?", arguments["definitionid"])
    if found is None:
        raise missing_record("grading_definitions")
    if MANAGE not in site.granted:
        raise no_permission("Manage advanced grading methods")
    criteria = _criteria(site, found["id"])
    grades = site.rows(
        "SELECT * FROM grades WHERE assignment_id = ? AND graded_at IS NOT NULL "
        "AND updated_at >= ? ORDER BY learner_id",
        *(found["id"], arguments["since"]),
    )
    instances = [_instance(site, row, criteria) for row in grades]
    return {"instances": [one for one in instances if one["rubric"]["criteria"]], "warnings": []}


def _instance(site: Site, row: sqlite3.Row, criteria: list[sqlite3.Row]) -> dict[str, Any]:
    chosen = {
        one["criterion_id"]: one["points"]
        for one in site.rows(
            "SELECT * FROM criterion_points WHERE assignment_id = ? AND learner_id = ?",
            *(row["assignment_id"], row["learner_id"]),
        )
    }
    grade = own_grade_id(row)
    fillings = [
        {
            "id": 10 * grade + one["position"],
            "criterionid": _criterion_id(one),
            "levelid": _level_id(one, chosen[one["id"]]),
            "remark": "",
            "remarkformat": 0,
        }
        for one in criteria
        if one["id"] in chosen
    ]
    return {
        "id": grade,
        "raterid": row["grader_id"] or 2,
        "itemid": grade,
        "rawgrade": f"{sum(chosen.values()):.5f}",
        "status": _ACTIVE,
        "feedback": "",
        "feedbackformat": 1,
        "timemodified": row["updated_at"],
        "rubric": {"criteria": fillings},
    }
