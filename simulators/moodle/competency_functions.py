"""Web service functions about competencies.

Source: moodle.md, section 2.3; shapes as recorded from Moodle 4.5.6.
"""

import sqlite3
from typing import Any

from simulators.moodle import competency_shapes as shapes
from simulators.moodle.competency_book import (
    SCALE_ID,
    SCALES,
    SERVICE_USER,
    Given,
    Place,
    competencies_in,
    rate,
    rating_of,
)
from simulators.moodle.functions import INT, TEXT, enter, require
from simulators.moodle.parameters import Many, Scalar, Struct
from simulators.moodle.rest import MoodleError, function, missing_record
from simulators.moodle.site import Site

_START = Scalar("int", default=0)
_SORT = Scalar("text", default="")
_COLUMNS = frozenset({"id", "shortname", "idnumber", "sortorder", "parentid", "path"})
_FILTERS = {"competencyframeworkid": "framework_id", "parentid": "parent_id"}
_FILTERS |= {"id": "id", "idnumber": "idnumber", "shortname": "shortname"}
_CONTEXT = Struct(
    {
        "contextid": Scalar("int", default=0),
        "contextlevel": Scalar("text", default=""),
        "instanceid": Scalar("int", default=0),
    }
)


@function(
    "core_competency_list_competency_frameworks",
    {
        "sort": _SORT,
        "order": _SORT,
        "skip": _START,
        "limit": _START,
        "context": _CONTEXT,
        "includes": Scalar("text", default="children"),
        "onlyvisible": Scalar("bool", default=False),
        "query": Scalar("text", default=""),
    },
)
def list_frameworks(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All frameworks; no right is needed."""
    rows = site.rows("SELECT * FROM competency_frameworks ORDER BY id")
    return [shapes.framework(site, row) for row in _page(rows, arguments)]


@function(
    "core_competency_list_competencies",
    {
        "filters": Many(Struct({"column": TEXT, "value": TEXT})),
        "sort": _SORT,
        "order": _SORT,
        "skip": _START,
        "limit": _START,
    },
)
def list_competencies(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Competencies that meet all filters, sorted by one column."""
    require(site, "moodle/competency:competencyview", "View competency frameworks")
    rows = site.rows("SELECT * FROM competencies ORDER BY id")
    for wanted in arguments["filters"]:
        column = _FILTERS.get(wanted["column"])
        if column is None:
            raise _coding_error("Invalid column name")
        rows = [row for row in rows if str(row[column]) == wanted["value"]]
    return [shapes.competency(row) for row in _page(rows, arguments)]


def _page(rows: list[sqlite3.Row], arguments: dict[str, Any]) -> list[sqlite3.Row]:
    sort, start, size = arguments["sort"], arguments["skip"], arguments["limit"]
    if sort and sort not in _COLUMNS:
        raise MoodleError("dml_read_exception", "dmlreadexception", "Error reading from database")
    column = {"parentid": "parent_id", "path": "parent_id"}.get(sort, sort or "id")
    ordered = sorted(
        rows, key=lambda row: (row[column], row["id"]), reverse=arguments["order"] == "DESC"
    )
    return ordered[start : start + size] if size else ordered[start:]


@function("core_competency_list_course_competencies", {"id": INT})
def list_course_competencies(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The competencies of a course, in its order."""
    course = enter(site, arguments["id"])
    require(site, "moodle/competency:coursecompetencyview", "View course competencies")
    return [shapes.course_competency(row) for row in competencies_in(site.connection, course["id"])]


@function("core_competency_get_scale_values", {"scaleid": INT})
def get_scale_values(_site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The words of a scale, from 1 for the lowest."""
    words = SCALES.get(arguments["scaleid"])
    if words is None:
        raise missing_record("scale")
    return [{"id": number, "name": word} for number, word in enumerate(words, 1)]


@function(
    "core_competency_grade_competency_in_course",
    {
        "courseid": INT,
        "userid": INT,
        "competencyid": INT,
        "grade": INT,
        "note": Scalar("text", default=None),
    },
)
def grade_in_course(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """Rate a learner; answers with the evidence. Suspended learners may be rated."""
    course = enter(site, arguments["courseid"])
    require(site, "moodle/competency:competencygrade", "Set competency rating")
    place = _place(arguments)
    if not _is_learner(site, place):
        raise _coding_error("The competency may not be rated at this time.")
    if place.competency not in {
        row["id"] for row in competencies_in(site.connection, course["id"])
    }:
        raise _coding_error("The competency does not belong to this course")
    if not 1 <= arguments["grade"] <= len(SCALES[SCALE_ID]):
        raise MoodleError(
            "core\\invalid_persistent_exception",
            "invalidpersistenterror",
            "Invalid persistent error",
        )
    given = Given(grade=arguments["grade"], actor=SERVICE_USER, note=arguments["note"])
    made = rate(site.connection, place, given, now=site.now)
    row = site.row("SELECT * FROM competency_evidence WHERE id = ?", made)
    assert row is not None  # noqa: S101 - it was made above
    return shapes.evidence(site, row)


@function("report_competency_data_for_report", {"courseid": INT, "userid": INT, "moduleid": INT})
def data_for_report(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """All ratings of one person in a course; empty ones are made where there were none."""
    course = enter(site, arguments["courseid"])
    require(site, "moodle/competency:usercompetencyview", "View a user competency")
    user = arguments["userid"]
    return {
        "courseid": course["id"],
        "user": shapes.user(site, user),
        "course": shapes.course(site, course),
        "usercompetencies": [
            {
                "usercompetencycourse": shapes.rating(
                    rating_of(
                        site.connection,
                        Place(course=course["id"], user=user, competency=row["id"]),
                        now=site.now,
                    )
                ),
                "competency": shapes.summary(site, row, _ancestors(site, row)),
            }
            for row in competencies_in(site.connection, course["id"])
        ],
        "pushratingstouserplans": True,
    }


@function(
    "tool_lp_data_for_user_competency_summary_in_course",
    {"userid": INT, "competencyid": INT, "courseid": INT},
)
def summary_in_course(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """One rating with its evidence, newest first; looking at it makes the rating's row."""
    course = enter(site, arguments["courseid"])
    require(site, "moodle/competency:usercompetencyview", "View a user competency")
    place = _place(arguments)
    rows = {row["id"]: row for row in competencies_in(site.connection, course["id"])}
    if place.competency not in rows:
        raise _coding_error("The competency does not belong to this course")
    row, rating = rows[place.competency], rating_of(site.connection, place, now=site.now)
    found = site.rows(
        "SELECT * FROM competency_evidence WHERE rating_id = ? ORDER BY created_at DESC, id DESC",
        rating["id"],
    )
    return {
        "usercompetencysummary": {
            "showrelatedcompetencies": True,
            "cangrade": not site.lacks("moodle/competency:competencygrade"),
            "competency": shapes.summary(site, row, _ancestors(site, row)),
            "user": shapes.user(site, place.user),
            "usercompetencycourse": shapes.rating(rating),
            "evidence": [shapes.evidence(site, one) for one in found],
        },
        "course": shapes.course(site, course),
        "coursemodules": [],
        "plans": [],
        "pluginbaseurl": f"{site.url}/admin/tool/lp",
    }


def _place(arguments: dict[str, Any]) -> Place:
    return Place(
        course=arguments["courseid"],
        user=arguments["userid"],
        competency=arguments["competencyid"],
    )


def _ancestors(site: Site, row: sqlite3.Row) -> list[dict[str, Any]]:
    above = site.row("SELECT * FROM competencies WHERE id = ?", row["parent_id"])
    return [{"id": above["id"], "name": above["shortname"]}] if above else []


def _is_learner(site: Site, place: Place) -> bool:
    found = site.row(
        "SELECT 1 FROM enrolments WHERE course_id = ? AND person_id = ? AND role = 'learner'",
        *(place.course, place.user),
    )
    return found is not None


def _coding_error(message: str) -> MoodleError:
    return MoodleError(
        "core\\exception\\coding_exception",
        "codingerror",
        f"Coding error detected, it must be fixed by a programmer: {message}",
    )
