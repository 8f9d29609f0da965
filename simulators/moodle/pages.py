"""The pages to click through: courses and people, a course with the tool, the gradebook.

Nobody logs in: the person is chosen. Moodle has no observer role, so a parent is shown only
by a child's course, and is a Learner to the tool.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from simulators.changes import ImpossibleError, change_of
from simulators.moodle.changes import acts
from simulators.moodle.functions import full_name
from simulators.moodle.gradebook import Gradebook, Item, read_gradebook
from simulators.moodle.report import number
from simulators.moodle.site import Site, site
from simulators.moodle.teacher import EXCUSED, UnknownCellError, enter_score
from simulators.moodle.tools import ACTIVE, all_tools
from simulators.placed_links import links_of

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    """All courses by school."""
    rows = site().rows(
        "SELECT c.*, s.name AS school, (SELECT count(*) FROM enrolments e "
        "WHERE e.course_id = c.id AND e.role = 'learner') AS learners "
        "FROM courses c JOIN schools s ON s.id = c.school_id ORDER BY s.id, c.id"
    )
    return render_template("moodle_index.html", courses=rows, title=site().config["district"])


@blueprint.get("/course/<int:course>")
def course_page(course: int) -> str:
    """A course: choose who you are, then the tool opens in a frame."""
    here = site()
    found = _course(here, course)
    user = request.args.get("user", 0, type=int)
    person = here.row("SELECT * FROM people WHERE id = ?", user)
    return render_template(
        "moodle_course.html",
        title=found["title"],
        course=found,
        groups=_people(here, course),
        person=person,
        name=full_name(person) if person else "",
        is_guardian=person is not None and person["role"] == "guardian",
        is_editor=person is not None and _may_edit(here, course, user),
        links=links_of(here.connection, course),
        frame=_frame(course, user),
        tools=[tool for tool in all_tools(here.connection, here.config) if tool.state == ACTIVE],
    )


def _frame(course: int, user: int) -> str:
    """What stands in the page's frame: the course's own link, a placed one, or the picker."""
    asked: dict[str, object] = {"course": course, "user": user}
    if "choose" in request.args:
        return "/mod/lti/contentitem.php?" + urlencode(asked)
    if "link" in request.args:
        return "/mod/lti/view.php?" + urlencode(asked | {"link": request.args["link"]})
    if "type" in request.args:
        asked["type"] = request.args["type"]
    return "/mod/lti/launch.php?" + urlencode(asked)


def _may_edit(here: Site, course: int, user: int) -> bool:
    sql = (
        "SELECT 1 FROM people p LEFT JOIN enrolments e ON e.person_id = p.id AND e.course_id = ? "
        "WHERE p.id = ? AND (p.role = 'administrator' OR e.role = 'teacher')"
    )
    return here.row(sql, course, user) is not None


def _course(here: Site, course: int) -> sqlite3.Row:
    found = here.row("SELECT * FROM courses WHERE id = ?", course)
    if found is None:
        abort(404)
    return found


def _people(here: Site, course: int) -> dict[str, list[tuple[int, str]]]:
    """Who may open the course, by kind: id and name."""
    enrolled = (
        "SELECT p.* FROM people p JOIN enrolments e ON e.person_id = p.id "
        "WHERE e.course_id = ? AND e.state = 'active' AND e.role = ? ORDER BY p.given_name, p.id"
    )
    parents = (
        "SELECT DISTINCT p.* FROM people p JOIN guardians g ON g.guardian_id = p.id "
        "JOIN enrolments e ON e.person_id = g.child_id "
        "WHERE e.course_id = ? AND e.state = 'active' ORDER BY p.given_name, p.id"
    )
    found = {
        "Teachers": here.rows(enrolled, course, "teacher"),
        "Learners": here.rows(enrolled, course, "learner"),
        "Parents": here.rows(parents, course),
        "Administrators": here.rows("SELECT * FROM people WHERE role = 'administrator'"),
    }
    return {kind: [(row["id"], full_name(row)) for row in rows] for kind, rows in found.items()}


@blueprint.get("/gradebook/<int:course>")
def gradebook_page(course: int) -> str:
    """The teacher's gradebook: totals, the tool's columns, then everything else."""
    here = site()
    found = _course(here, course)
    book = read_gradebook(here, course)
    rows = here.rows(
        "SELECT p.* FROM people p JOIN enrolments e ON e.person_id = p.id "
        "WHERE e.course_id = ? AND e.role = 'learner' ORDER BY p.given_name, p.id",
        course,
    )
    items = sorted(book.items, key=lambda item: not item.is_tool)
    return render_template(
        "moodle_gradebook.html",
        title=f"Gradebook: {found['title']}",
        course=found,
        items=items,
        lines=[_line(book, items, row) for row in rows],
        refused=request.args.get("refused", ""),
        acts=acts.told,
    )


def _line(book: Gradebook, items: list[Item], person: sqlite3.Row) -> Mapping[str, Any]:
    total = book.course_total(person["id"])
    share = "-" if total.points is None else f"{100 * total.points / total.maximum:.2f} %"
    return {
        "id": person["id"],
        "name": full_name(person),
        "total": share,
        "cells": [_shown(book, item, person["id"]) for item in items],
    }


def _shown(book: Gradebook, item: Item, learner: int) -> str:
    cell = book.cells.get((item.id, learner))
    if cell is None:
        return ""
    if item.maximum <= 0 or cell.points is None:
        return cell.feedback
    text = item.scale[int(cell.points) - 1] if item.scale else str(number(cell.points))
    notes = [
        note
        for note, is_so in (
            ("excluded", cell.is_excluded),
            ("overridden", cell.is_overridden),
            ("hidden", cell.is_hidden),
            ("locked", cell.is_locked),
        )
        if is_so
    ]
    return " ".join([text, *notes, cell.feedback]).strip()


@blueprint.post("/gradebook/<int:course>")
def change_score(course: int) -> Response:
    """Enter a score from the form; an empty one clears, the word excused excludes."""
    sent = request.form
    try:
        cell = (course, int(sent["learner"]), int(sent["item"]))
        points = _points(sent["points"].strip())
        enter_score(site().connection, cell, points, now=site().now)
    except (ValueError, UnknownCellError) as error:
        return redirect(url_for("pages.gradebook_page", course=course, refused=str(error)))
    return redirect(url_for("pages.gradebook_page", course=course))


@blueprint.post("/gradebook/<int:course>/change")
def change_anything(course: int) -> Response:
    """Do what the second form says: any act of ``simulators.moodle.changes``."""
    here = site()
    sent = {**request.form, "course": course}
    sent["learner"] = request.form.get("other", "").strip() or sent.get("learner")
    try:
        name, wanted = change_of(here.connection, sent, now=here.now)
        acts.do(here.connection, name, wanted)
    except ImpossibleError as error:
        here.connection.rollback()
        return redirect(url_for("pages.gradebook_page", course=course, refused=str(error)))
    return redirect(url_for("pages.gradebook_page", course=course))


def _points(text: str) -> float | str | None:
    if not text:
        return None
    return EXCUSED if text.lower() == EXCUSED else float(text.replace(",", "."))
