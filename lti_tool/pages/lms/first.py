"""Setting Waymark up in the browser, before anybody can come in from an LMS."""

from http import HTTPStatus
from typing import cast
from zoneinfo import available_timezones

from flask import Blueprint, Response, make_response, redirect, render_template, request

from lti_tool.launch import doors
from lti_tool.launch.form import is_plain
from lti_tool.launch.own_page import require_own_page
from lti_tool.launch.refusals import SetupRefused
from lti_tool.launch.services import services
from lti_tool.launch.setup_links import TOKEN_LENGTH, find_setup, use_for
from lti_tool.pages.lms.here import Here
from lti_tool.pages.lms.routes import Door, add_pages
from lti_tool.pages.shown import use_timezone
from mapping.records import TenantId
from store import registrations
from store.session import reading, writing

blueprint = Blueprint(
    "setup", __name__, url_prefix=f"/setup/<string(length={TOKEN_LENGTH}):setup_token>"
)

_BY = "setup address"
_LONGEST_NAME = 255
_NO_PLACES = ("Etc/", "SystemV/", "US/", "posix/", "right/")


@blueprint.get("")
def begin(setup_token: str) -> Response:
    """The district, where there is none yet; else its LMSs."""
    tenant = _tenant(setup_token)
    return _district_page() if tenant is None else _to(f"/setup/{setup_token}/lms")


@blueprint.post("")
def make_district(setup_token: str) -> Response:
    """Make the first district, and go on to its LMSs."""
    tenant = _tenant(setup_token)
    require_own_page()
    if tenant is None:
        given = {name: request.form.get(name, "").strip() for name in ("name", "timezone")}
        problems = _problems(**given)
        if problems:
            return _district_page(problems, given)
        with writing(services().engine) as connection:
            made = registrations.save_tenant(connection, given["name"], given["timezone"])
        use_for(setup_token, made, services())
    return _to(f"/setup/{setup_token}/lms")


def _looking(setup_token: str) -> Here:
    tenant = _tenant(setup_token)
    if tenant is None:
        raise SetupRefused("setup_no_district_yet")
    with reading(services().engine) as connection:
        use_timezone(registrations.timezone_of(connection, tenant))
    return Here(tenant=tenant, base=f"/setup/{setup_token}/lms", by=_BY)


def _changing(setup_token: str) -> Here:
    here = _looking(setup_token)
    require_own_page()
    return here


def _tenant(setup_token: str) -> TenantId | None:
    services().doors.enter(doors.SETUP, request.remote_addr or "")
    return find_setup(setup_token, services()).tenant


def _problems(*, name: str, timezone: str) -> dict[str, str]:
    problems = {}
    if not name or len(name) > _LONGEST_NAME or not is_plain(name):
        problems["name"] = f"Say what your district is called, in at most {_LONGEST_NAME} letters."
    if timezone not in available_timezones():
        problems["timezone"] = (
            "Choose one of the list: begin to type the name of the nearest large city, "
            "for example America/Sao_Paulo."
        )
    return problems


def _district_page(
    problems: dict[str, str] | None = None, given: dict[str, str] | None = None
) -> Response:
    zone = services().container.settings.sync_timezone
    usual = {"name": "", "timezone": "" if zone is None else zone.key}
    page = render_template(
        "lms/district.html",
        is_shell=True,
        given=given or usual,
        problems=problems or {},
        zones=sorted(
            one for one in available_timezones() if "/" in one and not one.startswith(_NO_PLACES)
        ),
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK)


def _to(address: str) -> Response:
    return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))


add_pages(blueprint, Door(key="setup_token", looking=_looking, changing=_changing))
