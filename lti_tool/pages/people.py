"""Who may change what at the desk: everybody who was here as an administrator, and their roles."""

from flask import Blueprint, Response, render_template, request

from lti_tool.guards import NotThere, Visit
from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from store import desk_roles, modes
from store.desk_roles import DeskRole, Right, RoleRefused, Wanted
from store.second_person import needs_second, set_needs_second
from store.session import reading, writing

blueprint = Blueprint("people", __name__)

_NONE = "none"
_LONGEST_REASON = 1000
_MOST_DIGITS = 18


@blueprint.get("/people")
def people(launch_id: str) -> str:
    """Everybody who was here, with the role that holds for them."""
    return _page(administrator(launch_id))


@blueprint.post("/people")
def give(launch_id: str) -> Response | tuple[str, int]:
    """Give somebody a role, or take it back.

    Raises:
        NotThere: There is no such person or role.
    """
    visit = changing_administrator(launch_id, Right.PEOPLE)
    who = request.form.get("administrator", "")
    if not (who.isascii() and who.isdecimal() and len(who) <= _MOST_DIGITS):
        raise NotThere
    role, _, school = request.form.get("role", "").partition(" of ")
    author = author_of(visit, request.form.get("reason", "")[:_LONGEST_REASON])
    try:
        with writing(services().engine) as connection:
            is_done = desk_roles.give_role(
                *(connection, visit.record.tenant, Wanted(role=_role(role), school=school)),
                administrator=int(who),
                author=author,
            )
    except RoleRefused as error:
        return _page(visit, problem=str(error)), 422
    if not is_done:
        raise NotThere
    return to_page(visit, "people")


@blueprint.post("/people/second")
def second(launch_id: str) -> Response | tuple[str, int]:
    """Say whether rules and mappings take force only with a second person's yes."""
    visit = changing_administrator(launch_id, Right.PEOPLE)
    reason = request.form.get("reason", "").strip()[:_LONGEST_REASON]
    if not reason:
        return _page(visit, problem="Say why; it is kept in the trail of changes."), 422
    with writing(services().engine) as connection:
        set_needs_second(
            *(connection, visit.record.tenant),
            is_needed=request.form.get("second") == "yes",
            author=author_of(visit, reason),
        )
    return to_page(visit, "people#second")


def _page(visit: Visit, problem: str = "") -> str:
    with reading(services().engine) as connection:
        found = desk_roles.administrators_of(connection, visit.record.tenant)
        schools = modes.school_modes(connection, visit.record.tenant)
        is_second = needs_second(connection, visit.record.tenant)
    return render_template(
        "people.html",
        visit=visit,
        people=found,
        roles=tuple(DeskRole),
        schools=[one.name for one in schools],
        may_give=visit.may(Right.PEOPLE),
        own=visit.record.subject,
        needs_second=is_second,
        problem=problem,
    )


def _role(text: str) -> DeskRole | None:
    if text == _NONE:
        return None
    known = {one.value: one for one in DeskRole}
    if text not in known:
        raise NotThere
    return known[text]
