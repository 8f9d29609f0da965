"""Schools: which accounts and categories of the LMSs each of them is, and what it is called."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.school_names import LONGEST_NAME, NAME_WRONG, can_be_kept, school_name, tidy
from mapping.records import Mode, PassbackWay, PlatformId, SchoolId, SchoolRef
from store import modes, schools
from store.desk_roles import Right
from store.school_moves import Marks, Moves, moves
from store.schools import NameRefused, Place
from store.session import reading, writing

blueprint = Blueprint("schools", __name__)

_Key = tuple[PlatformId, SchoolRef]
_MOST_COURSES = 200
_WORDS: dict[Enum, str] = {
    **{one: one.value for one in Mode},
    **{one: one.value.replace("_", " ") for one in PassbackWay},
    Marks.WRITTEN: "written as before",
    Marks.WAITING: "wait for a first yes",
    Marks.NOT_WRITTEN: "not written",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """The form: which school each place is to be, and what it was when the form was shown."""

    wanted: Mapping[_Key, str]
    was: Mapping[_Key, str]

    @property
    def changed(self) -> dict[_Key, str]:
        """What the person changed; the rest may have been changed by somebody else meanwhile."""
        return {key: name for key, name in self.wanted.items() if name != self.was[key]}


@blueprint.get("/schools")
def page(launch_id: str) -> str:
    """The schools, and whatever the LMSs file courses under."""
    return _page(administrator(launch_id))


@blueprint.post("/schools")
def fill(launch_id: str) -> Response:
    """Say which school each account and category is, once it was seen which courses move."""
    visit = changing_administrator(launch_id, Right.CONNECT)
    typed = _typed()
    if request.form.get("act") == "back":
        return make_response(_page(visit, typed=typed))
    if not all(map(can_be_kept, typed.changed.values())):
        return _refused(_page(visit, typed=typed, problem=NAME_WRONG))
    tenant = visit.record.tenant
    with writing(services().engine) as connection:
        found = moves(connection, tenant, typed.changed)
        problem = _not_yet(found)
        if problem is None:
            done = schools.fill(connection, tenant, typed.changed, author=author_of(visit))
    if problem is not None:
        return _preview(visit, typed, found, problem=problem)
    told = f"made={len(done.made)}&places={done.places}&courses={done.courses}"
    return to_page(visit, f"schools?{told}")


def _not_yet(found: Moves) -> str | None:
    """Why what moves is shown before it is saved, empty where it was not yet; None where it was."""
    seen = request.form.get("seen")
    if not found.courses or (seen == found.digest and (_is_sure() or not found.begin)):
        return None
    if seen is None:
        return ""
    if seen != found.digest:
        return "Something else would move by now than you saw. Look once more."
    return "Marks would come to be written. Say that you want that, or go back."


def _is_sure() -> bool:
    return request.form.get("sure") == "yes"


def _preview(visit: Visit, typed: _Typed, found: Moves, *, problem: str) -> Response:
    page = render_template(
        "desk/school_moves.html",
        visit=visit,
        typed=typed,
        moves=found,
        words=_WORDS,
        problem=problem,
        most=_MOST_COURSES,
    )
    return _refused(page) if problem else make_response(page)


@blueprint.post("/schools/<row_id:school_id>/name")
def rename(launch_id: str, school_id: int) -> Response:
    """Call a school something else.

    Raises:
        NotThere: The district has no such school.
    """
    visit = changing_administrator(launch_id, Right.CONNECT)
    typed = request.form.get("name", "")
    try:
        name = school_name(typed)
        with writing(services().engine) as connection:
            is_known = schools.rename(
                connection,
                visit.record.tenant,
                SchoolId(school_id),
                name=name,
                author=author_of(visit),
            )
    except NameRefused as error:
        return _refused(_page(visit, renamed=(school_id, typed, str(error))))
    if not is_known:
        raise NotThere
    address = f"/l/{visit.launch_id}/schools?named=yes#school-{school_id}"
    return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))


def _page(
    visit: Visit,
    *,
    typed: _Typed | None = None,
    problem: str = "",
    renamed: tuple[int, str, str] | None = None,
) -> str:
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        found = modes.school_modes(connection, tenant)
        places = schools.places(connection, tenant)
    done = {name: request.args.get(name, "")[:9] for name in ("made", "places", "courses")}
    return render_template(
        "desk/schools.html",
        visit=visit,
        schools=found,
        counts=_counts(places),
        lmss=_by_lms(places),
        may_change=visit.may(Right.CONNECT),
        typed={} if typed is None else typed.wanted,
        typed_was={} if typed is None else typed.was,
        can_be_kept=can_be_kept,
        problem=problem,
        renamed=renamed,
        done={name: int(text) for name, text in done.items() if text.isdecimal()},
        is_named=request.args.get("named") == "yes",
        most=LONGEST_NAME,
    )


def _refused(page: str) -> Response:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _counts(places: tuple[Place, ...]) -> Counter[str]:
    """How many courses each school has, by its name."""
    found: Counter[str] = Counter()
    for one in places:
        found[one.school] += one.courses
    return found


def _by_lms(places: tuple[Place, ...]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for one in places:
        found.setdefault(one.lms, []).append(one)
    return found


def _typed() -> _Typed:
    """What the form says, row by row.

    Raises:
        NotThere: It is no form of ours: its rows do not fit together.
    """
    columns = [request.form.getlist(name) for name in ("platform", "ref", "was", "school")]
    if len({len(one) for one in columns}) != 1 or not all(map(str.isdecimal, columns[0])):
        raise NotThere
    keys = [
        (PlatformId(int(platform[:18])), SchoolRef(ref))
        for platform, ref in zip(columns[0], columns[1], strict=True)
    ]
    was, wanted = (list(map(tidy, column)) for column in columns[2:])
    return _Typed(
        wanted=dict(zip(keys, wanted, strict=True)), was=dict(zip(keys, was, strict=True))
    )
