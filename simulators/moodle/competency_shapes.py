"""Competencies, ratings and their evidence as Moodle's web services write them.

Source: moodle.md, section 2.3; shapes as recorded from Moodle 4.5.6. The shape of evidence is
from Moodle's public source.
"""

import html
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from simulators.moodle.competency_book import PROFICIENT, SCALE_ID, SCALES
from simulators.moodle.site import Site

SYSTEM_CONTEXT = 1
CONFIGURATION = json.dumps(
    [
        {"scaleid": str(SCALE_ID)},
        *(
            {"id": value, "scaledefault": int(value == min(PROFICIENT)), "proficient": 1}
            for value in sorted(PROFICIENT)
        ),
    ],
    separators=(",", ":"),
)
STAMPS = {"timecreated": 1785542400, "timemodified": 1785542400, "usermodified": 2}
"""Frameworks were made before the term and never changed."""
_OVERRIDE = 3


def framework(site: Site, row: sqlite3.Row) -> dict[str, Any]:
    """A framework, with how many competencies it holds."""
    counted = site.row("SELECT count(*) AS n FROM competencies WHERE framework_id = ?", row["id"])
    return {
        "shortname": html.escape(row["shortname"], quote=False),
        "idnumber": row["idnumber"],
        "description": row["description"],
        "descriptionformat": 1,
        "visible": True,
        "scaleid": SCALE_ID,
        "scaleconfiguration": CONFIGURATION,
        "contextid": SYSTEM_CONTEXT,
        "taxonomies": "competency,skill,,",
        "id": row["id"],
        **STAMPS,
        "canmanage": False,
        "competenciescount": counted["n"] if counted else 0,
        "contextname": "System",
        "contextnamenoprefix": "System",
    }


def competency(row: sqlite3.Row) -> dict[str, Any]:
    """A competency; a scale of its own it has none."""
    return {
        "shortname": html.escape(row["shortname"], quote=False),
        "idnumber": row["idnumber"],
        "description": row["description"],
        "descriptionformat": 1,
        "sortorder": row["sortorder"],
        "parentid": row["parent_id"],
        "path": f"/0/{row['parent_id']}/" if row["parent_id"] else "/0/",
        "ruleoutcome": 0,
        "ruletype": None,
        "ruleconfig": None,
        "scaleid": None,
        "scaleconfiguration": None,
        "competencyframeworkid": row["framework_id"],
        "id": row["id"],
        **STAMPS,
    }


def course_competency(row: sqlite3.Row) -> dict[str, Any]:
    """A competency with its place in a course."""
    return {
        "competency": competency(row),
        "coursecompetency": {
            "courseid": row["course_id"],
            "competencyid": row["id"],
            "sortorder": row["place"],
            "ruleoutcome": 1,
            "id": row["link_id"],
            **STAMPS,
        },
    }


def rating(row: sqlite3.Row) -> dict[str, Any]:
    """A rating: ``proficiency`` is null where there is none."""
    proficiency = None if row["proficiency"] is None else bool(row["proficiency"])
    return {
        "userid": row["user_id"],
        "courseid": row["course_id"],
        "competencyid": row["competency_id"],
        "proficiency": proficiency,
        "grade": row["grade"],
        "id": row["id"],
        "timecreated": row["created_at"],
        "timemodified": row["updated_at"],
        "usermodified": row["updated_by"],
        "gradename": word(row["grade"]),
        "proficiencyname": "Yes" if proficiency else "No",
    }


def word(grade: int | None) -> str:
    """A rating's word, a dash where there is none."""
    return "-" if grade is None else SCALES[SCALE_ID][grade - 1]


def evidence(site: Site, row: sqlite3.Row) -> dict[str, Any]:
    """A piece of evidence; ``actionuserid`` is who rated."""
    course = site.row(
        "SELECT c.title FROM courses c JOIN competency_ratings r ON r.course_id = c.id "
        "WHERE r.id = ?",
        row["rating_id"],
    )
    title = html.escape(course["title"], quote=False) if course else ""
    return {
        "usercompetencyid": row["rating_id"],
        "contextid": 1000 + row["rating_id"],
        "action": _OVERRIDE,
        "actionuserid": row["actor_id"],
        "descidentifier": "evidence_manualoverrideincourse",
        "desccomponent": "core_competency",
        "desca": json.dumps(title),
        "url": None,
        "grade": row["grade"],
        "note": row["note"],
        "id": row["id"],
        "timecreated": row["created_at"],
        "timemodified": row["created_at"],
        "usermodified": row["actor_id"],
        "actionuser": user(site, row["actor_id"]),
        "description": f"The competency rating was manually set in the course '{title}'.",
        "gradename": word(row["grade"]),
        "userdate": str(row["created_at"]),
        "candelete": False,
    }


def user(site: Site, number: int) -> dict[str, Any]:
    """A person as summaries name one."""
    row = site.row("SELECT * FROM people WHERE id = ?", number)
    name = f"{row['given_name']} {row['family_name']}" if row else ""
    return {
        "id": number,
        "email": row["email"] if row else "",
        "idnumber": row["sis_id"] if row else "",
        "phone1": "",
        "phone2": "",
        "department": "",
        "institution": "",
        "fullname": name,
        "identity": row["email"] if row else "",
        "profileurl": f"{site.url}/user/profile.php?id={number}",
        "profileimageurl": f"{site.url}/theme/image.php/boost/core/1/u/f1",
        "profileimageurlsmall": f"{site.url}/theme/image.php/boost/core/1/u/f2",
    }


def course(site: Site, row: sqlite3.Row) -> dict[str, Any]:
    """A course as summaries name one."""
    title = html.escape(row["title"], quote=False)
    return {
        "id": row["id"],
        "fullname": title,
        "shortname": row["code"],
        "idnumber": row["sis_id"],
        "summary": "",
        "summaryformat": 1,
        "startdate": row["starts_at"],
        "enddate": row["ends_at"],
        "visible": row["state"] != "unpublished",
        "fullnamedisplay": title,
        "viewurl": f"{site.url}/course/view.php?id={row['id']}",
    }


def summary(site: Site, row: sqlite3.Row, ancestors: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A competency with its framework and its way up, as reports wrap it."""
    found = site.row("SELECT * FROM competency_frameworks WHERE id = ?", row["framework_id"])
    return {
        "linkedcourses": [],
        "relatedcompetencies": [],
        "competency": competency(row),
        "framework": framework(site, found) if found else None,
        "hascourses": False,
        "hasrelatedcompetencies": False,
        "scaleid": SCALE_ID,
        "scaleconfiguration": CONFIGURATION,
        "taxonomyterm": "Competency",
        "comppath": {
            "ancestors": list(ancestors),
            "pluginbaseurl": f"{site.url}/admin/tool/lp",
            "pagecontextid": SYSTEM_CONTEXT,
            "showlinks": True,
        },
        "pluginbaseurl": f"{site.url}/admin/tool/lp",
    }
