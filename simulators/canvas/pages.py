"""The few pages on which a person walks through the simulated Canvas."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulators.canvas.cells import Cell, CellQuery, select_cells
from simulators.canvas.changes import acts
from simulators.canvas.columns import settle_progress
from simulators.canvas.control import grade_as_teacher
from simulators.canvas.launches import login_form
from simulators.canvas.storage import FRAME
from simulators.canvas.submissions import grade_text
from simulators.canvas.tools import tools_at
from simulators.canvas.totals import course_grades
from simulators.canvas.wire import Refused
from simulators.canvas.world import config, db, full_name, now, sortable_name
from simulators.changes import ImpossibleError, change_of
from simulators.placed_links import links_of

blueprint = Blueprint("pages", __name__)

ROLES = ("teacher", "learner", "guardian")


@blueprint.get("/")
def index() -> str:
    """The schools and their courses, and the people of one course."""
    schools = db().execute("SELECT * FROM schools ORDER BY id").fetchall()
    courses = db().execute("SELECT * FROM courses ORDER BY school_id, title, id").fetchall()
    chosen = request.args.get("course", "")
    people = _people(int(chosen)) if chosen.isdigit() else {}
    admins = db().execute("SELECT * FROM people WHERE role = 'administrator' ORDER BY id")
    return render_template(
        "canvas_index.html",
        district=config()["district"],
        full_name=full_name,
        schools=schools,
        courses=courses,
        chosen=int(chosen) if chosen.isdigit() else None,
        people=people,
        admins=admins.fetchall(),
    )


@blueprint.get("/courses/<int:course_id>")
def course(course_id: int) -> str:
    """A course with the tool in its frame, as one person sees it."""
    row = _row("courses", course_id)
    school = _row("schools", row["school_id"])
    return _tool_page(row["title"], row, school)


@blueprint.get("/accounts/<int:school_id>")
def account(school_id: int) -> str:
    """A school's account with the tool in its frame, for its administrator."""
    school = _row("schools", school_id)
    return _tool_page(school["name"], None, school)


@blueprint.get("/gradebook/<int:course_id>")
def gradebook(course_id: int) -> str:
    """A teacher's gradebook."""
    row = _row("courses", course_id)
    settle_progress()
    cells = {
        (cell.learner_id, cell.assignment_id): cell
        for cell in select_cells(db(), CellQuery(course=course_id))
    }
    return render_template(
        "canvas_gradebook.html",
        course=row,
        learners=_people(course_id).get("learner", []),
        assignments=_gradebook_assignments(course_id),
        drafts=_drafts(course_id),
        acts=acts.told,
        columns=_columns(course_id),
        column_data=_column_data(course_id),
        cells=cells,
        totals=course_grades(db(), course_id),
        shown=_shown,
        sortable_name=sortable_name,
        chosen=(request.args.get("learner", ""), request.args.get("assignment", "")),
    )


@blueprint.post("/gradebook/<int:course_id>")
def change_grade(course_id: int) -> AnyResponse:
    """Change one score; EX excuses, nothing clears."""
    text = request.form.get("score", "").strip()
    where = (course_id, _number("assignment"), _number("learner"))
    grade_as_teacher(where, _points(text))
    return redirect(f"/gradebook/{course_id}", code=303)


@blueprint.post("/gradebook/<int:course_id>/change")
def change_anything(course_id: int) -> AnyResponse:
    """Do what the second form says: any act of ``simulators.canvas.changes``."""
    sent = {**request.form, "course": course_id}
    sent["learner"] = request.form.get("other", "").strip() or sent.get("learner")
    try:
        name, wanted = change_of(db(), sent, now=now())
        acts.do(db(), name, wanted)
    except ImpossibleError as error:
        words = f"Nothing was changed: {error}."
        page = render_template("canvas_error.html", error="Not possible", description=words)
        response: Response = make_response(page, 400)
        raise Refused(response) from None
    return redirect(f"/gradebook/{course_id}", code=303)


def _tool_page(title: str, course: sqlite3.Row | None, school: sqlite3.Row) -> str:
    user = request.args.get("user", "")
    person = _row("people", int(user) if user.isdigit() else 0)
    tools = tools_at(school["id"], "course_navigation" if course else "account_navigation")
    chosen = request.args.get("client_id", "")
    tool = next((tool for tool in tools if tool.client_id == chosen), tools[0])
    return render_template(
        "canvas_course.html",
        title=title,
        full_name=full_name,
        course=course,
        person=person,
        form=login_form(person, course, school, tool=tool),
        tools=tools,
        tool=tool,
        storage_frame=FRAME,
        links=links_of(db(), course["id"]) if course else [],
        is_teacher=course is not None and _teaches(person["id"], course["id"]),
    )


def _teaches(person_id: int, course_id: int) -> bool:
    sql = "SELECT 1 FROM enrolments WHERE person_id = ? AND course_id = ? AND role = 'teacher'"
    return db().execute(sql, (person_id, course_id)).fetchone() is not None


def _people(course_id: int) -> Mapping[str, list[sqlite3.Row]]:
    rows = db().execute(
        "SELECT DISTINCT p.*, e.role AS place, e.state FROM enrolments e "
        "JOIN people p ON p.id = e.person_id WHERE e.course_id = ? "
        "ORDER BY COALESCE(NULLIF(p.family_name, ''), p.given_name), p.given_name, p.id",
        (course_id,),
    )
    found: dict[str, list[sqlite3.Row]] = {role: [] for role in ROLES}
    for row in rows:
        found[row["place"]].append(row)
    return found


def _gradebook_assignments(course_id: int) -> list[sqlite3.Row]:
    sql = (
        "SELECT * FROM assignments WHERE course_id = ? AND is_published "
        "ORDER BY category_id, position, id"
    )
    return db().execute(sql, (course_id,)).fetchall()


def _drafts(course_id: int) -> list[sqlite3.Row]:
    sql = "SELECT * FROM assignments WHERE course_id = ? AND NOT is_published ORDER BY id"
    return db().execute(sql, (course_id,)).fetchall()


def _columns(course_id: int) -> list[sqlite3.Row]:
    sql = (
        "SELECT * FROM columns WHERE course_id = ? AND state = 'active' AND NOT hidden "
        "ORDER BY position, id"
    )
    return db().execute(sql, (course_id,)).fetchall()


def _column_data(course_id: int) -> dict[tuple[int, int], str]:
    rows = db().execute(
        "SELECT d.* FROM column_data d JOIN columns c ON c.id = d.column_id WHERE c.course_id = ?",
        (course_id,),
    )
    return {(row["column_id"], row["user_id"]): row["content"] for row in rows}


def _row(table: str, number: int) -> Any:  # noqa: ANN401 - a row of any table
    row = db().execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()  # noqa: S608 - own words
    if row is None:
        words = "There is no such page here. Go back to the list and choose again."
        page = render_template("canvas_error.html", error="Not found", description=words)
        raise Refused(make_response(page, 404))
    return row


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isdigit() else 0


def _points(text: str) -> object:
    if not text:
        return None
    if text.upper() == "EX":
        return "excused"
    try:
        return float(text)
    except ValueError:
        words = f"{text!r} is no score. Write a number, EX to excuse, or nothing to clear."
        page = render_template("canvas_error.html", error="Not a score", description=words)
        response: Response = make_response(page, 400)
        raise Refused(response) from None


def _shown(cell: Cell) -> str:
    """A cell as a teacher sees it: the score, then what else there is to say of it."""
    facts = {
        "EX": cell.excused,
        grade_text(cell.score): cell.score is not None and not cell.excused,
        "○": cell.workflow_state in {"submitted", "pending_review"},
        "late": cell.is_late,
        "missing": cell.is_missing(now()),
        "hidden": cell.score is not None and cell.posted_at is None,
        "new attempt": cell.matches_submission is False,
    }
    return " ".join(words for words, is_so in facts.items() if words and is_so)
