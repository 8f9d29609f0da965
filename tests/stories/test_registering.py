"""An LMS's administrator registers Waymark, ours approves it, and people come in by it."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bootstrap.checkup import check_platform
from simulators.state import refresh
from store import invitations, registrations
from store.deployments import approve_deployment, deployments_of
from store.session import reading, writing
from tests.stories.walking import Walker, launched

pytestmark = pytest.mark.story


def invite(stage, kind: str) -> str:
    issuer = "https://canvas.instructure.com" if kind == "canvas" else stage.moodle
    with writing(stage.container.engine) as connection:
        return invitations.invite(
            connection,
            stage.tenant,
            kind=kind,
            name=f"Second {kind}",
            issuer=issuer,
            api_url=stage.lms(kind),
            now=stage.container.now(),
            life=timedelta(hours=72),
        )


def tool(stage) -> str:
    return stage.container.settings.public_url


def platform_named(stage, name: str):
    with reading(stage.container.engine) as connection:
        found = registrations.platforms(connection, stage.tenant)
    return next(platform for platform in found if platform.name == name)


def approve(stage, platform) -> None:
    with writing(stage.container.engine) as connection:
        assert registrations.set_platform_state(
            connection, stage.tenant, platform.id, "active", now=stage.container.now()
        )
    stage.container.registrations_changed()


def approve_waiting(stage, platform) -> str:
    with writing(stage.container.engine) as connection:
        (waiting,) = deployments_of(connection, platform.id)
        assert approve_deployment(connection, stage.tenant, platform.id, waiting.ref)
    stage.container.registrations_changed()
    return waiting.about


def deployment_of(stage, platform) -> str:
    with reading(stage.container.engine) as connection:
        (found,) = deployments_of(connection, platform.id)
    return found.ref


def canvas_frame(stage, walker, token: str):
    links = walker.get(stage.canvas + "/").links
    school = next(link for link in links if link.endswith("/apps")).split("/")[2]
    apps = walker.get(f"{stage.canvas}/accounts/{school}/apps")
    register = f"{tool(stage)}/lti/register?invite={token}"
    return walker.submit(apps, apps.forms[0], url=register), school


def test_canvas_registers_itself_and_people_come_in_by_the_new_key(stage):
    walker = Walker()
    page, school = canvas_frame(stage, walker, invite(stage, "canvas"))
    confirm = walker.get(page.frames[0])
    done = walker.submit(confirm, confirm.form("/lti/register"))
    platform = platform_named(stage, "Second canvas")
    assert platform.state == "pending"
    assert done.status == 200
    assert platform.client_id in done.text

    apps = walker.get(f"{stage.canvas}/accounts/{school}/apps")
    walker.submit(apps, apps.form(platform.client_id))
    course = f"{stage.canvas}/accounts/{school}?user=1&client_id={platform.client_id}"
    assert "does not know this LMS" in launched(walker, walker.get(course)).text

    approve(stage, platform)
    assert "waiting for approval" in launched(walker, walker.get(course)).text

    approve_waiting(stage, platform)
    entered = launched(walker, walker.get(course))
    assert entered.status == 200
    assert urlsplit(entered.url).path.startswith("/l/")


def test_canvas_may_name_the_deployment_at_once(stage):
    refresh(stage.folder / "district" / "canvas.db", {"registration_deployment": "1"})
    walker = Walker()
    page, school = canvas_frame(stage, walker, invite(stage, "canvas"))
    confirm = walker.get(page.frames[0])
    walker.submit(confirm, confirm.form("/lti/register"))
    platform = platform_named(stage, "Second canvas")
    apps = walker.get(f"{stage.canvas}/accounts/{school}/apps")
    walker.submit(apps, apps.form(platform.client_id))

    approve(stage, platform)

    address = f"{stage.canvas}/accounts/{school}?user=1&client_id={platform.client_id}"
    assert urlsplit(launched(walker, walker.get(address)).url).path.startswith("/l/")


def moodle_frame(stage, walker, token: str):
    tools = walker.get(f"{stage.moodle}/mod/lti/toolconfigure.php")
    register = f"{tool(stage)}/lti/register?invite={token}"
    page = walker.submit(tools, tools.forms[0], url=register)
    choice = walker.get(f"{stage.moodle}{page.frames[0]}")
    return walker.get(f"{stage.moodle}{choice.links[-1]}")


def test_moodle_registers_itself_and_people_come_in_by_the_new_tool(stage):
    walker = Walker()
    confirm = moodle_frame(stage, walker, invite(stage, "moodle"))
    walker.submit(confirm, confirm.form("/lti/register"))
    platform = platform_named(stage, "Second moodle")
    approve(stage, platform)
    deployment = deployment_of(stage, platform)

    tools = walker.get(f"{stage.moodle}/mod/lti/toolconfigure.php")
    walker.submit(tools, next(form for form in tools.forms if "type" in form["fields"]))
    course = next(link for link in walker.get(stage.moodle + "/").links if "/course/" in link)
    address = f"/mod/lti/launch.php?course={course.rpartition('/')[2]}&user=2&type={deployment}"
    entered = launched(walker, walker.get(stage.moodle + address))

    assert entered.status == 200
    assert urlsplit(entered.url).path.startswith("/l/")


def test_moodle_is_registered_by_hand_with_what_it_shows(stage):
    walker = Walker()
    page = walker.get(f"{tool(stage)}/lti/setup?invite={invite(stage, 'moodle')}")
    typed = {"issuer": stage.moodle, "client_id": "abcDEF123456789", "deployment_id": "7"}

    done = walker.submit(page, page.form("/lti/setup"), **typed)

    platform = platform_named(stage, "Second moodle")
    assert done.status == 200
    assert platform.state == "pending"
    assert platform.auth_url == f"{stage.moodle}/mod/lti/auth.php"
    assert deployment_of(stage, platform) == "7"


def test_no_page_of_waymark_has_the_registration_token_in_its_address(stage):
    walker = Walker()
    page, _ = canvas_frame(stage, walker, invite(stage, "canvas"))

    confirm = walker.get(page.frames[0])

    assert "registration_token" in page.frames[0]
    assert "registration_token" not in confirm.url
    assert parse_qs(urlsplit(page.frames[0]).query)["registration_token"][0] not in confirm.text
    assert confirm.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("kind", ["canvas", "moodle"])
def test_the_new_registration_gets_service_tokens_with_every_scope(stage, kind):
    walker = Walker()
    if kind == "canvas":
        page, school = canvas_frame(stage, walker, invite(stage, kind))
        confirm = walker.get(page.frames[0])
    else:
        confirm = moodle_frame(stage, walker, invite(stage, kind))
    walker.submit(confirm, confirm.form("/lti/register"))
    platform = platform_named(stage, f"Second {kind}")
    if kind == "canvas":
        apps = walker.get(f"{stage.canvas}/accounts/{school}/apps")
        walker.submit(apps, apps.form(platform.client_id))

    found = {check.name: check for check in check_platform(stage.container, platform.id)}

    assert found["Service token"].ok, found["Service token"].advice
    assert found["Rights"].ok, found["Rights"].advice
