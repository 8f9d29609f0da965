"""Schools: which accounts and categories of the LMSs each of them is, and what it is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.form import is_plain
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from mapping.records import PlatformId, SchoolId, SchoolRef
from store import schools
from store.desk_roles import Right
from store.schools import LONGEST_NAME, NameInUse, NameTaken, Place
from store.session import reading, writing

blueprint = Blueprint("schools", __name__)

_NAME_WRONG = f"A name has at most {LONGEST_NAME} characters, in one line."
_Key = tuple[PlatformId, SchoolRef]


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
    """Say which school each account and category is."""
    visit = changing_administrator(launch_id, Right.CONNECT)
    typed = _typed()
    if any(not _is_name(name) for name in typed.changed.values()):
        return _refused(visit, typed=typed)
    with writing(services().engine) as connection:
        done = schools.fill(connection, visit.record.tenant, typed.changed, author=author_of(visit))
    told = f"made={len(done.made)}&places={done.places}&courses={done.courses}"
    return to_page(visit, f"schools?{told}")


@blueprint.post("/schools/<row_id:school_id>/name")
def rename(launch_id: str, school_id: int) -> Response:
    """Call a school something else.

    Raises:
        NotThere: The district has no such school.
    """
    visit = changing_administrator(launch_id, Right.CONNECT)
    name = " ".join(request.form.get("name", "").split())
    if not name or not _is_name(name):
        return _refused(visit, renamed=(school_id, name, _NAME_WRONG))
    try:
        with writing(services().engine) as connection:
            is_known = schools.rename(
                connection,
                visit.record.tenant,
                SchoolId(school_id),
                name=name,
                author=author_of(visit),
            )
    except NameTaken:
        return _refused(visit, renamed=(school_id, name, "Another school is called so."))
    except NameInUse as error:
        problem = (
            f"Mapping rules go by the name “{error}” and would no longer find this school. "
            "Change them first so that they find both names."
        )
        return _refused(visit, renamed=(school_id, name, problem))
    if not is_known:
        raise NotThere
    address = f"/l/{visit.launch_id}/schools?named=yes#school-{school_id}"
    return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))


def _page(
    visit: Visit, *, typed: _Typed | None = None, renamed: tuple[int, str, str] | None = None
) -> str:
    tenant = visit.record.tenant
    with reading(services().engine) as connection:
        found = schools.all_schools(connection, tenant)
        places = schools.places(connection, tenant)
    counts = {name: request.args.get(name, "")[:9] for name in ("made", "places", "courses")}
    return render_template(
        "desk/schools.html",
        visit=visit,
        schools=found,
        lmss=_by_lms(places),
        may_change=visit.may(Right.CONNECT),
        typed={} if typed is None else typed.wanted,
        is_wrong=lambda name: not _is_name(name),
        problem=_NAME_WRONG if typed is not None else "",
        renamed=renamed,
        done={name: int(text) for name, text in counts.items() if text.isdecimal()},
        is_named=request.args.get("named") == "yes",
        most=LONGEST_NAME,
    )


def _refused(visit: Visit, **shown: object) -> Response:
    return make_response(_page(visit, **shown), HTTPStatus.UNPROCESSABLE_ENTITY)  # type: ignore[arg-type] # what _page takes


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
    was, wanted = ([" ".join(name.split()) for name in column] for column in columns[2:])
    return _Typed(
        wanted=dict(zip(keys, wanted, strict=True)), was=dict(zip(keys, was, strict=True))
    )


def _is_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and is_plain(name)
