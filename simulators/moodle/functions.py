"""Web service functions about the site, its courses and its people.

Source: moodle.md, section 2.3; shapes as recorded from Moodle 4.5.6.
"""

import html
import sqlite3
from typing import Any

from simulators.faults import is_struck
from simulators.moodle.groups import groups_of
from simulators.moodle.parameters import Many, Scalar, Struct
from simulators.moodle.rest import (
    FUNCTIONS,
    MoodleError,
    function,
    missing_record,
    no_permission,
)
from simulators.moodle.site import RELEASE, TOP_COURSE, VERSION, Site

INT = Scalar("int")
TEXT = Scalar("text")
INTS = Many(INT, default=())

_ROLES = {
    "learner": {"roleid": 5, "name": "", "shortname": "student", "sortorder": 0},
    "teacher": {"roleid": 3, "name": "", "shortname": "editingteacher", "sortorder": 0},
}
_SORTS = {
    "id": lambda row: row["id"],
    "firstname": lambda row: (row["given_name"], row["id"]),
    "lastname": lambda row: (row["family_name"], row["id"]),
    "email": lambda row: (row["email"], row["id"]),
}


def full_name(person: sqlite3.Row) -> str:
    """A person's name as Moodle shows it."""
    return f"{person['given_name']} {person['family_name']}".strip()


def enter(site: Site, course: int) -> sqlite3.Row:
    """A course that the service may enter.

    Raises:
        MoodleError: It is not there, or it may not be entered.
    """
    row = site.row("SELECT * FROM courses WHERE id = ?", course)
    if row is None:
        raise missing_record("course")
    if course in site.closed:
        raise MoodleError(
            "core\\exception\\require_login_exception",
            "requireloginerror",
            "Course or activity not accessible.",
        )
    return row


def require(site: Site, capability: str, title: str) -> None:
    """Refuse what the service's role has no capability for.

    Raises:
        MoodleError: It names the capability's title, not its name.
    """
    if site.lacks(capability):
        raise no_permission(title)


@function("core_webservice_get_site_info", {"serviceshortnames": Many(TEXT, default=())})
def get_site_info(site: Site, _arguments: dict[str, Any]) -> dict[str, Any]:
    """Who the token is, and which functions it may call."""
    return {
        "sitename": site.config["district"],
        "username": "wsuser",
        "firstname": "Service",
        "lastname": "wsuser",
        "fullname": "Service wsuser",
        "lang": "en",
        "userid": 2,
        "siteurl": site.url,
        "userpictureurl": f"{site.url}/theme/image.php/boost/core/1/u/f1",
        "functions": [
            {"name": name, "version": VERSION} for name in sorted(FUNCTIONS.keys() - site.without)
        ],
        "downloadfiles": 1,
        "uploadfiles": 0,
        "release": RELEASE,
        "version": VERSION,
        "mobilecssurl": "",
        "usercanmanageownfiles": True,
        "userquota": 104857600,
        "siteid": TOP_COURSE,
        "userissiteadmin": False,
        "theme": "boost",
    }


@function("core_course_get_courses", {"options": Struct({"ids": INTS}, default={})})
def get_courses(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """All courses, the site itself among them; fails as a whole if one may not be viewed."""
    wanted = arguments["options"].get("ids", ())
    if site.closed.intersection(wanted) if wanted else site.closed:
        raise MoodleError(
            "core\\exception\\moodle_exception",
            "errorcoursecontextnotvalid",
            "You cannot execute functions in the course context.",
        )
    rows = site.rows("SELECT * FROM courses ORDER BY id")
    courses = [_course(row) for row in rows]
    courses.insert(len(courses) // 2, _site_course(site))
    return [course for course in courses if not wanted or course["id"] in wanted]


def _course(row: sqlite3.Row) -> dict[str, Any]:
    name = html.escape(row["title"], quote=False)
    return {
        "id": row["id"],
        "shortname": html.escape(row["code"], quote=False),
        "categoryid": row["school_id"],
        "fullname": name,
        "displayname": name,
        "summary": f"<p>{name}</p>",
        "summaryformat": 1,
        "format": "topics",
        "startdate": row["starts_at"],
        "enddate": row["ends_at"],
        "showactivitydates": False,
        "showcompletionconditions": True,
    }


def _site_course(site: Site) -> dict[str, Any]:
    name = html.escape(site.config["district"], quote=False)
    return {
        "id": TOP_COURSE,
        "shortname": "moodle",
        "categoryid": 0,
        "fullname": name,
        "displayname": name,
        "summary": "",
        "summaryformat": 0,
        "format": "site",
        "startdate": 0,
        "enddate": 0,
        "showactivitydates": False,
        "showcompletionconditions": True,
    }


@function(
    "core_course_get_courses_by_field",
    {"field": Scalar("text", default=""), "value": Scalar("text", default="")},
)
def get_courses_by_field(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    """Courses by one of their fields; without moodle/course:update no idnumber comes."""
    columns = {"": None, "id": "id", "shortname": "code", "idnumber": "sis_id"}
    columns["category"] = "school_id"
    if arguments["field"] not in columns:
        raise MoodleError(
            "core\\exception\\invalid_parameter_exception",
            "invalidparameter",
            "Invalid parameter value detected",
        )
    column = columns[arguments["field"]]
    rows = site.rows("SELECT * FROM courses ORDER BY id")
    found = [row for row in rows if column is None or str(row[column]) == arguments["value"]]
    return {"courses": [_listed_course(site, row) for row in found], "warnings": []}


def _listed_course(site: Site, row: sqlite3.Row) -> dict[str, Any]:
    school = site.row("SELECT name FROM schools WHERE id = ?", row["school_id"])
    name = html.escape(school["name"], quote=False) if school else ""
    return _course(row) | {
        "categoryname": name,
        "sortorder": 10000 + row["id"],
        "visible": int(row["state"] != "unpublished"),
        "showgrades": 1,
        "contacts": [],
        "enrollmentmethods": ["manual"],
    }


@function(
    "core_course_get_categories",
    {
        "criteria": Many(Struct({"key": TEXT, "value": TEXT}), default=()),
        "addsubcategories": Scalar("bool", default=True),
    },
)
def get_categories(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Course categories; here each is a school."""
    ids = {row["value"] for row in arguments["criteria"] if row["key"] == "id"}
    rows = site.rows(
        "SELECT s.*, (SELECT count(*) FROM courses c WHERE c.school_id = s.id) AS courses "
        "FROM schools s ORDER BY s.id"
    )
    return [_category(row) for row in rows if not ids or str(row["id"]) in ids]


def _category(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": html.escape(row["name"], quote=False),
        "description": "",
        "descriptionformat": 1,
        "parent": 0,
        "sortorder": 10000 * row["id"],
        "coursecount": row["courses"],
        "depth": 1,
        "path": f"/{row['id']}",
    }


@function(
    "core_enrol_get_enrolled_users",
    {"courseid": INT, "options": Many(Struct({"name": TEXT, "value": TEXT}), default=())},
)
def get_enrolled_users(site: Site, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Everybody in a course; the suspended are among them, unmarked."""
    course = enter(site, arguments["courseid"])
    options = {option["name"]: option["value"] for option in arguments["options"]}
    if site.lacks("moodle/user:viewdetails"):
        return []
    if {"onlyactive", "onlysuspended"} & {name for name, on in options.items() if on == "1"}:
        require(site, "moodle/course:enrolreview", "Review course enrolments")
    rows = _page(_sorted(_enrolled(site, course["id"], options), options), options)
    wanted = {name for name in options.get("userfields", "").split(",") if name}
    return [_user(site, row, wanted, course=course["id"]) for row in rows]


def _enrolled(site: Site, course: int, options: dict[str, str]) -> list[sqlite3.Row]:
    states = {"active", "suspended"}
    if options.get("onlyactive") == "1":
        states = {"active"}
    if options.get("onlysuspended") == "1":
        states = {"suspended"}
    rows = site.rows(
        "SELECT p.*, e.role AS place, e.state FROM enrolments e "
        "JOIN people p ON p.id = e.person_id WHERE e.course_id = ? ORDER BY p.id",
        course,
    )
    return [row for row in rows if row["state"] in states]


def _sorted(rows: list[sqlite3.Row], options: dict[str, str]) -> list[sqlite3.Row]:
    is_descending = options.get("sortdirection", "ASC").upper() == "DESC"
    return sorted(rows, key=_SORTS[_sort_name(options)], reverse=is_descending)


def _sort_name(options: dict[str, str]) -> str:
    name = options.get("sortby", "id")
    if name not in _SORTS:
        raise MoodleError(
            "core\\exception\\invalid_parameter_exception",
            "invalidparameter",
            "Invalid parameter value detected",
        )
    return name


def _page(rows: list[sqlite3.Row], options: dict[str, str]) -> list[sqlite3.Row]:
    # In a loop: whatever page is asked for, the first one comes.
    start = 0 if is_struck("page_loop") else int(options.get("limitfrom") or 0)
    size = int(options.get("limitnumber") or 0)
    return rows[start : start + size] if size else rows[start:]


def _user(site: Site, row: sqlite3.Row, wanted: set[str], *, course: int) -> dict[str, Any]:
    everything = {
        "id": row["id"],
        "username": row["email"].partition("@")[0],
        "firstname": row["given_name"],
        "lastname": row["family_name"],
        "fullname": full_name(row),
        "email": row["email"],
        "idnumber": row["sis_id"],
        "description": "",
        "descriptionformat": 1,
        "groups": groups_of(site, course, row["id"]),
        "roles": [_ROLES[row["place"]]],
    }
    for name in _unseen(site):
        del everything[name]
    if not wanted:
        return everything | {"enrolledcourses": _courses_of(site, row["id"])}
    kept = wanted | {"id", "fullname"}
    return {name: value for name, value in everything.items() if name in kept and value != ""}


def _unseen(site: Site) -> set[str]:
    """The fields of a person that the service may not read: their keys are left out."""
    sees_identity = not site.lacks("moodle/site:viewuseridentity")
    sees_details = not site.lacks("moodle/user:viewalldetails")
    fields = set() if sees_identity and sees_details else {"idnumber"}
    if not sees_identity or site.lacks("moodle/course:useremail"):
        fields.add("email")
    return fields | ({"groups"} if site.lacks("moodle/site:accessallgroups") else set())


def _courses_of(site: Site, person: int) -> list[dict[str, Any]]:
    rows = site.rows(
        "SELECT DISTINCT c.* FROM courses c JOIN enrolments e ON e.course_id = c.id "
        "WHERE e.person_id = ? ORDER BY c.id",
        person,
    )
    return [
        {
            "id": row["id"],
            "fullname": html.escape(row["title"], quote=False),
            "shortname": row["code"],
        }
        for row in rows
    ]
