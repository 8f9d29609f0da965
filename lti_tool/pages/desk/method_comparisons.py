"""Methods side by side on a real class, before one is put into a rule. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import administrator
from lti_tool.pages.desk import compared
from lti_tool.pages.desk.mapping_forms import typed_number
from lti_tool.pages.desk.rule_forms import methods, typed_parameters
from mapping.comparisons import MOST_METHODS, MethodChoice, MethodsRefused, check_methods
from mapping.estimators import METHODS
from mapping.records import CourseId
from store.compared_classes import MOST_COURSES, mapped_courses
from store.reports import course_lines
from store.session import reading
from workers.comparisons import MOST_LEARNERS, ComparedClass, TooLarge, compare

blueprint = Blueprint("method_comparisons", __name__)

_FIRST_GUESS = ("latest", "decaying_average")
"""What most districts ask about first; only put into the form, not compared by itself."""
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedMethods:
    """Methods as the form says them, row by row, and what is wrong by the row; -1 for all."""

    rows: Sequence[tuple[str, str]]
    chosen: Sequence[MethodChoice] = ()
    wrong: Mapping[int, str] = field(default_factory=dict)


@blueprint.get("/rules/compare")
def page(launch_id: str) -> Response:
    """Choose a class and methods, and see where learners would stand by each.

    Raises:
        NotThere: The district has no such course.
    """
    visit = administrator(launch_id)
    if not request.args.get("course"):
        return make_response(_courses(visit))
    course = CourseId(typed_number(request.args["course"]))
    form, found, problem = _typed(), None, ""
    with reading(services().engine) as connection:
        lines = course_lines(connection, visit.record.tenant, course=course)
        if not lines:
            raise NotThere
        if form.chosen and not form.wrong:
            try:
                found = compare(
                    *(connection, visit.record.tenant, course),
                    methods=form.chosen,
                    now=services().now(),
                )
            except TooLarge:
                problem = f"This course has more than {MOST_LEARNERS:,} learners. Choose a smaller."
    is_refused = bool(form.wrong or problem)
    return make_response(
        render_template(
            "desk/methods.html",
            visit=visit,
            course=lines[0],
            form=form,
            problem=problem,
            choices=methods(),
            tuned=[one for one in METHODS.values() if one.parameters],
            **(_shown(found) if found else {"found": None}),
        ),
        HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK,
    )


def _courses(visit: Visit) -> str:
    sought = request.args.get("called", "").strip()[:_MOST_TEXT]
    with reading(services().engine) as connection:
        found = mapped_courses(connection, visit.record.tenant, sought)
    return render_template(
        "desk/methods_course.html", visit=visit, found=found, sought=sought, most=MOST_COURSES
    )


def _shown(found: ComparedClass) -> dict[str, object]:
    """What the template tells of a comparison, one page of learners."""
    is_whole = request.args.get("show") == "all"
    everybody = compared.learners_of(found, is_whole=is_whole)
    last = max(1, -(-len(everybody) // compared.LEARNERS_A_PAGE))
    at = min(max(_whole(request.args.get("page", "")), 1), last)
    start = (at - 1) * compared.LEARNERS_A_PAGE
    some = everybody[start : start + compared.LEARNERS_A_PAGE]
    ways = compared.ways(found)
    kept = [(name, text) for name, text in request.args.items(multi=True) if name in _KEPT]
    return {
        "found": found,
        "ways": ways,
        "statuses": compared.statuses(ways),
        "learners": compared.compared_learners(found, some, is_whole=is_whole),
        "has_given": bool(found.comparison.is_given.any()),
        "disputed": len(found.comparison.disputes()),
        "is_whole": is_whole,
        "page": at,
        "last": last,
        "query": urlencode(kept),
        "uses": [
            urlencode({"method": one.name, "parameters": numbers_of(one)}) for one in found.methods
        ],
    }


_KEPT = ("course", "method", "numbers")


def numbers_of(method: MethodChoice) -> str:
    """The parameters as they are typed."""
    return ", ".join(f"{name}={value:g}" for name, value in method.parameters.items())


def _typed() -> TypedMethods:
    """What the form says; nothing is chosen where it was not sent yet."""
    names = [one.strip()[:_MOST_TEXT] for one in request.args.getlist("method")]
    numbers = [one.strip()[:_MOST_TEXT] for one in request.args.getlist("numbers")]
    if not names:
        first = [(name, "") for name in _FIRST_GUESS]
        return TypedMethods(rows=_filled_up(first))
    numbers += [""] * (len(names) - len(numbers))
    rows = list(zip(names, numbers, strict=False))
    return _checked(rows)


def _checked(rows: Sequence[tuple[str, str]]) -> TypedMethods:
    meant = [at for at, (name, _) in enumerate(rows) if name]
    read = {at: typed_parameters(rows[at][1]) for at in meant}
    wrong = {
        at: "Write name=number, with commas between: n=3, w=0.65."
        for at, found in read.items()
        if found is None
    }
    chosen = [MethodChoice(name=rows[at][0], parameters=read[at] or {}) for at in meant]
    try:
        check_methods(chosen)
    except MethodsRefused as error:
        told = {meant[at] if at >= 0 else at: words for at, words in error.problems.items()}
        wrong = {**told, **wrong}
    return TypedMethods(rows=_filled_up(rows), chosen=chosen, wrong=wrong)


def _filled_up(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*rows[:MOST_METHODS], *[("", "")] * (MOST_METHODS - len(rows))]


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= len("1000000") else 1
