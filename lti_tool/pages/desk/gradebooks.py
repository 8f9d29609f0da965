"""How statuses reach gradebooks: the way of each school and course, tried before it holds."""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    require_schools,
    to_page,
)
from lti_tool.pages.desk.mapping_forms import field_text
from mapping.records import CourseId, Mode, PassbackWay, TenantId
from store import courses, modes, ways
from store.desk_roles import Right
from store.modes import SchoolMode
from store.reports import course_lines
from store.session import reading, writing
from store.ways import CourseWay
from workers import way_trials

blueprint = Blueprint("gradebooks", __name__)

MOST_COURSES = 200
AS_SCHOOL = "school"
_MOST_REASON, _MOST_SEARCH = 2_000, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WayTold:
    """A way in plain words: what it is called, what it does on each LMS, and to course grades."""

    way: PassbackWay
    name: str
    canvas: str
    moodle: str
    grade: str

    def on(self, kind: str) -> str:
        """What it does on an LMS of a kind."""
        return self.moodle if kind == "moodle" else self.canvas


# Source: contracts/passback.md.
TOLD = {
    one.way: one
    for one in (
        WayTold(
            way=PassbackWay.WORDS,
            name="In words",
            canvas="A column of its own in the gradebook says the status in words. Teachers see "
            "it, learners do not.",
            moodle="A grade item of weight zero, without a number; the status stands as its "
            "feedback, which learners see, too.",
            grade="unchanged",
        ),
        WayTold(
            way=PassbackWay.MARK_NOT_COUNTED,
            name="A mark that does not count",
            canvas="An assignment that Canvas leaves out of the final grade, with points, and the "
            "status as comment. Where Canvas does not leave it out, nothing is written.",
            moodle="The same as in words: nothing can keep a number out of Moodle's total.",
            grade="unchanged",
        ),
        WayTold(
            way=PassbackWay.MARK_COUNTED,
            name="A mark that counts",
            canvas="An assignment with points that counts like any other, and the status as "
            "comment.",
            moodle="A grade item with points that counts like any other, and the status as "
            "feedback.",
            grade="changes",
        ),
        WayTold(
            way=PassbackWay.COMPETENCY,
            name="As Moodle's own competencies",
            canvas="Not possible on Canvas: nothing is written, and the report says so.",
            moodle="A rating of each of the course's own competencies. A rating cannot be taken "
            "back.",
            grade="unchanged",
        ),
        WayTold(
            way=PassbackWay.NONE,
            name="Not at all",
            canvas="Nothing is written. What stands in the gradebook stays.",
            moodle="Nothing is written. What stands in the gradebook stays.",
            grade="unchanged",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A course whose way is looked at."""

    course: CourseWay
    kind: str
    school: int | None


@blueprint.get("/gradebooks")
def gradebooks(launch_id: str) -> str:
    """Every school's and course's way, and where it comes from."""
    visit = administrator(launch_id)
    called = request.args.get("called", "").strip()[:_MOST_SEARCH]
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        schools = modes.school_modes(connection, tenant)
        known = ways.course_ways(connection, tenant)
    found = [one for one in known if _is_called(one, called)]
    return render_template(
        "desk/gradebooks.html",
        visit=visit,
        told=TOLD,
        schools=schools,
        courses=found[:MOST_COURSES],
        more=max(len(found) - MOST_COURSES, 0),
        has_courses=bool(known),
        called=called,
    )


@blueprint.get("/gradebooks/schools/<row_id:school_id>")
def school(launch_id: str, school_id: int) -> str:
    """One school's way, and which courses go by it."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        return _school_page(connection, visit, _school(connection, visit, school_id))


@blueprint.post("/gradebooks/schools/<row_id:school_id>")
def set_school(launch_id: str, school_id: int) -> Response:
    """Have a school's courses go another way from the next night on."""
    visit = changing_administrator(launch_id, Right.OPERATE)
    way, reason = _way(request.form.get("way", "")), _reason()
    with writing(services().engine) as connection:
        known = _school(connection, visit, school_id)
        require_schools(visit, [known.id])
        if not reason:
            page = _school_page(connection, visit, known, chosen=way, wrong=_WHY)
            return make_response(page, 422)
        ways.set_school_way(
            *(connection, visit.record.tenant, known.name),
            way=way,
            author=author_of(visit, reason),
        )
    return to_page(visit, "gradebooks")


@blueprint.get("/gradebooks/courses/<row_id:course_id>")
def course(launch_id: str, course_id: int) -> str:
    """One course's way, and the others that it could go."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        place = _course(connection, visit, course_id)
    return render_template(
        "desk/gradebook.html", visit=visit, course=place.course, kind=place.kind, told=TOLD
    )


@blueprint.post("/gradebooks/courses/<row_id:course_id>/try")
def try_way(launch_id: str, course_id: int) -> Response:
    """Have a way tried dry by a worker; nothing is written."""
    visit = changing_administrator(launch_id, Right.OPERATE)
    with reading(services().engine) as connection:
        place = _course(connection, visit, course_id)
    require_schools(visit, [place.school])
    chosen = request.form.get("way", "")
    way = _meant(place.course, chosen)
    way_trials.ask(services().container, visit.record.tenant, place.course.id, way=way)
    return to_page(visit, f"gradebooks/courses/{course_id}/{chosen}")


@blueprint.get("/gradebooks/courses/<row_id:course_id>/<chosen>")
def tried(launch_id: str, course_id: int, chosen: str) -> str:
    """How far a dry run is, and what it found."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        place = _course(connection, visit, course_id)
    return _tried(visit, place, chosen)


@blueprint.post("/gradebooks/courses/<row_id:course_id>/<chosen>")
def set_course(launch_id: str, course_id: int, chosen: str) -> Response:
    """Have a course go the way that was tried, from the next night on."""
    visit = changing_administrator(launch_id, Right.OPERATE)
    with writing(services().engine) as connection:
        place = _course(connection, visit, course_id)
        require_schools(visit, [place.school])
        way = _meant(place.course, chosen)
        wrong = _wrong(visit.record.tenant, place.course, chosen)
        if not wrong:
            is_counted = chosen == PassbackWay.MARK_COUNTED.value
            ways.set_course_way(
                *(connection, place.course.id),
                way=None if chosen == AS_SCHOOL else way,
                counted_from=services().now() if is_counted else None,
                author=author_of(visit, _reason()),
            )
    if wrong:
        return make_response(_tried(visit, place, chosen, wrong=wrong), 422)
    return to_page(visit, f"gradebooks/courses/{course_id}")


_WHY = {"reason": "Say why; it is kept in the trail of changes."}


def _wrong(tenant: TenantId, course: CourseWay, chosen: str) -> dict[str, str]:
    """What keeps a way from holding, by the field that says so."""
    wrong = {} if _reason() else dict(_WHY)
    if chosen != PassbackWay.MARK_COUNTED.value:
        return wrong
    found = way_trials.trial(services().container, tenant, course.id, way=PassbackWay.MARK_COUNTED)
    is_seen = found is not None and found.is_whole and course.is_previewed(services().now())
    if not is_seen:
        wrong["way"] = (
            "Marks that count change course grades. See what they would say first; a dry run "
            "holds for a day."
        )
    if request.form.get("title", "").strip() != course.title.strip():
        wrong["title"] = f"Type the course's title as it stands here: {course.title}"
    return wrong


def _tried(visit: Visit, place: _Place, chosen: str, *, wrong: dict[str, str] | None = None) -> str:
    way = _meant(place.course, chosen)
    found = way_trials.trial(services().container, visit.record.tenant, place.course.id, way=way)
    is_part = bool(request.headers.get("HX-Request"))
    return render_template(
        "desk/_gradebook_trial.html" if is_part else "desk/gradebook_trial.html",
        visit=visit,
        course=place.course,
        kind=place.kind,
        chosen=chosen,
        told=TOLD[way],
        trial=found,
        wrong=wrong or {},
        reason=_reason(),
        Mode=Mode,
    )


def _school_page(
    connection: Connection,
    visit: Visit,
    known: SchoolMode,
    *,
    chosen: PassbackWay | None = None,
    wrong: dict[str, str] | None = None,
) -> str:
    found = ways.course_ways(connection, visit.record.tenant)
    theirs = [one for one in found if one.school == known.name]
    return render_template(
        "desk/gradebook_school.html",
        visit=visit,
        school=known,
        told=TOLD,
        following=[one for one in theirs if one.own is None],
        own=[one for one in theirs if one.own is not None],
        chosen=chosen or known.way,
        wrong=wrong or {},
    )


def _school(connection: Connection, visit: Visit, school_id: int) -> SchoolMode:
    found = modes.school_modes(connection, visit.record.tenant)
    for one in found:
        if one.id == school_id:
            return one
    raise NotThere


def _course(connection: Connection, visit: Visit, course_id: int) -> _Place:
    course_key, tenant = CourseId(course_id), visit.record.tenant
    if not course_lines(connection, tenant, course=course_key):
        raise NotThere
    (school_id,) = modes.schools_of(connection, tenant, [course_key])
    return _Place(
        course=ways.course_way(connection, course_key),
        kind=courses.course(connection, course_key).kind,
        school=school_id,
    )


def _is_called(one: CourseWay, called: str) -> bool:
    sought = called.casefold()
    return any(sought in text.casefold() for text in (one.title, one.code, one.school))


def _meant(course: CourseWay, chosen: str) -> PassbackWay:
    return course.of_school if chosen == AS_SCHOOL else _way(chosen)


def _way(text: str) -> PassbackWay:
    known = {one.value: one for one in PassbackWay}
    if text not in known:
        raise NotThere
    return known[text]


def _reason() -> str:
    return field_text("reason", _MOST_REASON)
