"""What is done on the pages of LMSs, by whomever: invite, let in, give access, look over."""

from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from flask import Response, make_response, redirect, render_template, request
from sqlalchemy import Connection

from bootstrap.access import CAPABILITIES, NEEDED, RIGHTS, USEFUL
from bootstrap.presets import CANVAS, MOODLE
from lti_tool import lms_changes
from lti_tool.guards import NotThere
from lti_tool.launch.api_access import CALLBACK_PATH, make_link
from lti_tool.launch.form import is_plain
from lti_tool.launch.services import services
from lti_tool.lms_changes import WantedLms
from lti_tool.pages.lms.addresses import lms_address
from lti_tool.pages.lms.connections import connected
from lti_tool.pages.lms.here import Here
from mapping.records import PlatformId
from store import api_access, invitations, registrations
from store.registrations import Platform, PlatformState
from store.session import reading, writing
from workers.platform_checks import begin_check

_NAMES = {CANVAS: "Canvas", MOODLE: "Moodle"}
_LONGEST_NAME = 100
_LONGEST_SECRET = 4096
_LONGEST_ID = 255
_STATES: tuple[PlatformState, ...] = ("active", "suspended")


def overview(here: Here) -> str:
    """Every LMS, how it stands, and what comes next."""
    return _page(here)


def invite(here: Here) -> Response:
    """Make an invitation, and go to where it stands."""
    kind = _kind()
    given = {name: request.form.get(name, "").strip() for name in ("url", "name")}
    url = lms_address(kind, given["url"]) if given["url"] else None
    problems = _invitation_problems(url, given["name"])
    if url is None or problems:
        return _unprocessable(_page(here, problems=problems, given={**given, "kind": kind}))
    name = given["name"] or _NAMES[kind]
    wanted = WantedLms(kind=kind, name=name, url=url)
    with writing(services().engine) as connection:
        token = lms_changes.invite(connection, here.tenant, wanted, author=here.author())
    return _to(f"{here.base}/invitations/{token}")


def invitation(here: Here, token: str) -> Response:
    """What to paste into the LMS, until it is registered; from then on how it stands."""
    with reading(services().engine) as connection:
        found = invitations.find_invitation(connection, token, services().now())
    if found is None or found.tenant != here.tenant:
        if "HX-Request" in request.headers:
            response = make_response("", HTTPStatus.NO_CONTENT)
            response.headers["HX-Redirect"] = here.base
            return response
        return _to(here.base)
    origin = services().origin
    return make_response(
        render_template(
            "lms/invitation.html",
            here=here,
            invitation=found,
            lms=_NAMES[found.kind],
            token=token,
            paste=f"{origin}/lti/register?invite={token}",
            by_hand=f"{origin}/lti/setup?invite={token}",
            **_visit_of(here),
        )
    )


def enter_state(here: Here, platform_id: int) -> Response:
    """Let an LMS in, or shut it out.

    Raises:
        NotThere: There is no such LMS or state.
    """
    state = next((one for one in _STATES if one == request.form.get("state")), None)
    if state is None:
        raise NotThere

    platform = _platform(here, platform_id)
    with writing(services().engine) as connection:
        lms_changes.enter_state(connection, platform, state, author=here.author())
    return _after(here, platform)


def approve(here: Here, platform_id: int) -> Response:
    """Let one installation of Waymark in an LMS in.

    Raises:
        NotThere: The LMS has no such installation.
    """
    ref = request.form.get("deployment", "")
    platform = _platform(here, platform_id)
    with writing(services().engine) as connection:
        is_known = is_plain(ref) and lms_changes.let_in(
            connection, platform, ref, author=here.author()
        )
    if not is_known:
        raise NotThere
    return _after(here, platform)


def give_token(here: Here, platform_id: int) -> Response:
    """Keep the API token of a service user, and look at once what it may do."""
    token = request.form.get("token", "").strip()
    if not token or len(token) > _LONGEST_SECRET or not is_plain(token) or " " in token:
        problem = {"token": "Paste the token again, whole: it has no spaces and is not empty."}
        return _unprocessable(_page(here, problems=problem, about=platform_id))

    def keep(connection: Connection, platform: Platform) -> str:
        registrations.keep_api_token(
            *(connection, here.tenant, platform.id),
            token=token,
            secrets=services().container.secrets,
        )
        return "an API token was given"

    return _changed(here, platform_id, keep, is_looked_over=True)


def give_key(here: Here, platform_id: int) -> Response:
    """Keep the developer key of Canvas's own API, and go on to the consent."""
    number = request.form.get("client_id", "").strip()
    secret = request.form.get("client_secret", "").strip()
    problems = _key_problems(number, secret)
    if problems:
        page = _page(here, problems=problems, about=platform_id, given={"client_id": number})
        return _unprocessable(page)

    def keep(connection: Connection, platform: Platform) -> str:
        if platform.kind != CANVAS:
            raise NotThere
        api_access.save_developer_key(
            connection,
            here.tenant,
            platform.id,
            client_id=number,
            client_secret=secret,
            secrets=services().container.secrets,
        )
        return f"developer key {number}"

    return _changed(here, platform_id, keep)


def consent(here: Here, platform_id: int) -> Response:
    """On to the page on which the service user authorises Waymark in Canvas.

    Raises:
        NotThere: There is no such Canvas, or it has no developer key yet.
    """
    platform = _platform(here, platform_id)
    if not platform.api_access.client_id:
        raise NotThere
    return _to(make_link(services().container, platform))


def look_over(here: Here, platform_id: int) -> Response:
    """Have an LMS looked over."""
    begin_check(services().container, _platform(here, platform_id).id)
    return _to(f"{here.base}#lms-{platform_id}")


def _changed(
    here: Here,
    platform_id: int,
    change: Callable[[Connection, Platform], str],
    *,
    is_looked_over: bool = False,
) -> Response:
    """Change an LMS, and put it into the trail; then back to how it stands."""
    platform = _platform(here, platform_id)
    with writing(services().engine) as connection:
        told = change(connection, platform)
        lms_changes.note(connection, platform, told, author=here.author())
    if is_looked_over:
        begin_check(services().container, platform.id)
    return _after(here, platform)


def _after(here: Here, platform: Platform) -> Response:
    """Back to how an LMS stands, once all processes know that it was changed."""
    services().container.registrations_changed()
    return _to(f"{here.base}#lms-{platform.id}")


def _platform(here: Here, platform_id: int) -> Platform:
    """A platform of this district.

    Raises:
        NotThere: It has none of this number.
    """
    with reading(services().engine) as connection:
        found = registrations.platform_of(connection, PlatformId(platform_id))
    if found is None or found.tenant != here.tenant:
        raise NotThere
    return found


def _page(
    here: Here,
    *,
    problems: dict[str, str] | None = None,
    about: int = 0,
    given: dict[str, str] | None = None,
) -> str:
    with reading(services().engine) as connection:
        found = connected(connection, here.tenant, services().container)
    return render_template(
        "lms/overview.html",
        here=here,
        found=found,
        problems=problems or {},
        about=about,
        given=given or {},
        names=_NAMES,
        rights=RIGHTS,
        capabilities=CAPABILITIES,
        needed=NEEDED,
        useful=USEFUL,
        callback=services().origin + CALLBACK_PATH,
        **_visit_of(here),
    )


def _visit_of(here: Here) -> dict[str, object]:
    # Pages of a visit have its sections above them; before there is one they have none.
    return {"is_shell": True} if here.visit is None else {"visit": here.visit}


def _kind() -> str:
    kind = request.form.get("kind", "")
    if kind not in _NAMES:
        raise NotThere
    return kind


def _invitation_problems(url: str | None, name: str) -> dict[str, str]:
    problems = {}
    if url is None:
        problems["url"] = (
            "Copy the address out of your browser while your LMS is open, "
            "for example https://moodle.school.example."
        )
    if len(name) > _LONGEST_NAME or not is_plain(name):
        problems["name"] = f"A name has at most {_LONGEST_NAME} characters, in one line."
    return problems


def _key_problems(number: str, secret: str) -> dict[str, str]:
    problems = {}
    if not number or len(number) > _LONGEST_ID or not is_plain(number) or " " in number:
        problems["client_id"] = "Copy the number under Details again: it has no spaces."
    if not secret or len(secret) > _LONGEST_SECRET or not is_plain(secret) or " " in secret:
        problems |= {"client_secret": "Press Show Key in Canvas and copy it again, whole."}
    return problems


def _unprocessable(page: str) -> Response:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _to(address: str) -> Response:
    return cast("Response", redirect(address, HTTPStatus.SEE_OTHER, Response))
