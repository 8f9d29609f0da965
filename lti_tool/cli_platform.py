"""``waymark platform``: the LMSs of a district, as its administrator registers them."""

import sys
from typing import TypedDict, Unpack
from urllib.parse import urlsplit

import click

from bootstrap import checkup
from bootstrap.access import has_token
from bootstrap.container import Container
from bootstrap.presets import endpoints_of, issuer_of
from bootstrap.settings import environment_value
from lti_tool import lms_changes
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    json_option,
    platform_named,
    print_json,
    print_table,
    printable,
    tenant_of,
)
from lti_tool.cli_courses import author
from lti_tool.cli_platform_shown import (
    check_as_dict,
    platform_as_dict,
    platform_row,
    print_pending,
    print_waiting,
    tell_added,
    tell_check,
)
from lti_tool.lms_changes import WantedLms
from mapping.records import TenantId
from store import deployments, registrations
from store.registrations import Platform, PlatformEntry, PlatformState
from store.session import reading, writing

_KINDS = click.Choice(["canvas", "moodle"])
_PLATFORM = click.argument("name")


class _Given(TypedDict):
    """What ``platform add`` was given; None and the empty text where an option was left out."""

    kind: str
    name: str
    url: str
    client_id: str
    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str
    audience: str
    deployment: tuple[str, ...]
    api_token_env: str | None
    is_pinned: bool | None
    district: str | None


def _address(_context: click.Context, option: click.Parameter, text: str) -> str:
    """An address as it is kept: whole, without a slash at the end.

    Raises:
        BadParameter: It is no web address.
    """
    if text and not (text.startswith(("https://", "http://")) and urlsplit(text).hostname):
        raise click.BadParameter("give a whole address such as https://lms.example", param=option)
    return text.rstrip("/")


@click.group()
def platform() -> None:
    """LMSs: register, look over, suspend, approve, invite."""


@platform.command()
@click.option("--kind", type=_KINDS, required=True, help="Which LMS it is.")
@click.option("--name", required=True, help="What to call it.")
@click.option("--url", required=True, callback=_address, help="The LMS's own address.")
@click.option("--client-id", required=True, help="Waymark's client id there.")
@click.option("--issuer", default="", help="Where it is not the usual one.")
@click.option("--auth-url", default="", callback=_address, help="As above.")
@click.option("--token-url", default="", callback=_address, help="As above.")
@click.option("--jwks-url", default="", callback=_address, help="As above.")
@click.option("--audience", default="", help="Of token requests, where not the token address.")
@click.option("--deployment", multiple=True, help="A deployment id to approve; may be repeated.")
@click.option("--api-token-env", help="Read the API token from this environment variable.")
@click.option(
    "--pinned-key/--fetched-keys",
    "is_pinned",
    default=None,
    help="Whether the LMS is given a key by hand, or fetches Waymark's keys.",
)
@district_option
def add(**given: Unpack[_Given]) -> None:
    """Register an LMS, or bring its registration up to date.

    For Canvas hosted by Instructure and for Moodle, the address and the client id are enough.
    The API token is asked for; it is never an argument, which other users of the machine see.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, given["district"])
        entry = _entry(container, tenant, given)
        with writing(container.engine) as connection:
            saved = registrations.save_platform(
                connection, tenant, entry, secrets=container.secrets
            )
            lms_changes.registered(connection, tenant, entry, author=author(container))
            if given["deployment"]:
                deployments.save_deployments(connection, saved, given["deployment"])
            if given["is_pinned"] is False:
                registrations.pin_key(connection, tenant, saved, kid=None)
        container.registrations_changed()
        tell_added(container, entry)


@platform.command("list")
@json_option
@district_option
def list_platforms(*, is_json: bool, district: str | None) -> None:
    """Show the district's LMSs and how they stand."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            found = [
                (one, deployments.deployments_of(connection, one.id), has_token(container, one))
                for one in registrations.platforms(connection, tenant)
            ]
    if is_json:
        print_json([platform_as_dict(one, known, has_token=has) for one, known, has in found])
        return
    print_table(
        ("name", "LMS", "state", "issuer", "client id", "deployments", "key", "API access"),
        [platform_row(one, known, has_token=has) for one, known, has in found],
    )


@platform.command()
@_PLATFORM
@json_option
@district_option
def test(*, name: str, is_json: bool, district: str | None) -> None:
    """Check what can be checked without a browser; ends with 1 where something must be done."""
    with container_of_today() as container:
        found = platform_named(container, tenant_of(container, district), name)
        checks = []
        for check in checkup.check_platform(container, found.id):
            checks.append(check)
            if not is_json:
                tell_check(check)
    if is_json:
        print_json([check_as_dict(check) for check in checks])
    sys.exit(0 if all(check.ok for check in checks) else 1)


@platform.command()
@_PLATFORM
@district_option
def suspend(*, name: str, district: str | None) -> None:
    """Refuse every launch of an LMS, and end its sessions, from now on."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        _enter(container, platform_named(container, tenant, name), "suspended")
    click.echo(f'{name} is suspended. To let it in again: waymark platform resume "{name}"')


@platform.command()
@_PLATFORM
@district_option
def resume(*, name: str, district: str | None) -> None:
    """Let a suspended LMS in again.

    Raises:
        ClickException: It never was approved.
    """
    with container_of_today() as container:
        found = platform_named(container, tenant_of(container, district), name)
        if found.state == "pending":
            raise click.ClickException(f'It waits for approval: waymark platform approve "{name}"')
        _enter(container, found, "active")
    click.echo(f"{name} may launch.")


@platform.command()
@click.argument("name", required=False)
@click.option("--deployment", multiple=True, help="A deployment to approve; may be repeated.")
@click.option("--all-deployments", is_flag=True, help="Approve every one that waits.")
@district_option
def approve(
    *, name: str | None, deployment: tuple[str, ...], all_deployments: bool, district: str | None
) -> None:
    """Approve an LMS that was registered by invitation, or deployments that wait.

    Without a name, show what waits. With a name alone, approve the LMS itself.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        if name is None:
            _show_waiting(container, tenant)
            return
        found = platform_named(container, tenant, name)
        if found.state == "pending":
            _enter(container, found, "active")
            click.echo(f"{name} may launch, from deployments that are approved.")
        _approve_deployments(container, found, deployment, is_all=all_deployments)


@platform.command()
@click.option("--kind", type=_KINDS, required=True, help="Which LMS it is.")
@click.option("--name", required=True, help="What to call it.")
@click.option("--url", required=True, callback=_address, help="The LMS's own address.")
@click.option("--issuer", default="", help="The issuer, where it is not the usual one.")
@district_option
def invite(*, kind: str, name: str, url: str, issuer: str, district: str | None) -> None:
    """Print an address with which an LMS's administrator registers Waymark, once."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with writing(container.engine) as connection:
            wanted = WantedLms(kind=kind, name=name, url=url, issuer=issuer)
            token = lms_changes.invite(connection, tenant, wanted, author=author(container))
        origin = container.settings.public_url
    click.echo("Paste into the LMS, as the address for dynamic registration:")
    click.echo(f"  {origin}/lti/register?invite={token}")
    if kind == "moodle":
        click.echo("Or open this page to register by hand:")
        click.echo(f"  {origin}/lti/setup?invite={token}")
    click.echo("It is good for 72 hours and one registration, which then waits for approval:")
    click.echo(f'  waymark platform approve "{name}"')


def _entry(container: Container, tenant: TenantId, given: _Given) -> PlatformEntry:
    token = _api_token(given["api_token_env"])
    issuer = given["issuer"] or issuer_of(given["kind"], api_url=given["url"])
    usual = endpoints_of(given["kind"], issuer=issuer, api_url=given["url"])
    pinned = container.tool_key().kid if given["is_pinned"] else None
    return PlatformEntry(
        kind=given["kind"],
        name=given["name"],
        issuer=issuer,
        client_id=given["client_id"],
        auth_url=given["auth_url"] or usual.auth_url,
        token_url=given["token_url"] or usual.token_url,
        jwks_url=given["jwks_url"] or usual.jwks_url,
        api_url=given["url"],
        api_token=token
        or _known_token(container, tenant, issuer=issuer, client_id=given["client_id"]),
        pinned_kid=pinned,
        audience=given["audience"],
    )


def _api_token(name: str | None) -> str:
    """The token from where it was promised to be.

    Raises:
        ClickException: The named variable is not set.
    """
    if name is None:
        return str(
            click.prompt(
                "API token of the service user (nothing: none, or the one that is known)",
                default="",
                show_default=False,
                hide_input=True,
            )
        ).strip()
    value = environment_value(name)
    if not value:
        raise click.ClickException(f"The environment variable {name} is not set.")
    return value.strip()


def _known_token(container: Container, tenant: TenantId, *, issuer: str, client_id: str) -> str:
    with reading(container.engine) as connection:
        known = registrations.platforms(connection, tenant)
    for one in known:
        if (one.issuer, one.client_id) == (issuer, client_id):
            return registrations.api_token(one, container.secrets)
    return ""


def _enter(container: Container, found: Platform, state: PlatformState) -> None:
    with writing(container.engine) as connection:
        lms_changes.enter_state(connection, found, state, author=author(container))
    container.registrations_changed()


def _approve_deployments(
    container: Container, found: Platform, named: tuple[str, ...], *, is_all: bool
) -> None:
    """Approve what was named, or tell what there is to name.

    Raises:
        ClickException: One is not known; none is approved then.
    """
    with reading(container.engine) as connection:
        known = deployments.deployments_of(connection, found.id)
    waiting = [one.ref for one in known if not one.is_approved]
    unknown = [ref for ref in named if ref not in {one.ref for one in known}]
    if unknown:
        raise click.ClickException(
            f"{found.name} has no deployment {', '.join(unknown)}. One is known after its first "
            f"launch; to enter it before: waymark platform add --deployment ID"
        )
    chosen = waiting if is_all else named
    with writing(container.engine) as connection:
        for ref in chosen:
            lms_changes.let_in(connection, found, ref, author=author(container))
    container.registrations_changed()
    for ref in chosen:
        click.echo(f"The deployment {printable(ref)} may launch.")
    if not chosen and waiting:
        click.echo("Deployments wait; name them with --deployment, or give --all-deployments:")
        print_waiting((found.name, one) for one in known if not one.is_approved)


def _show_waiting(container: Container, tenant: TenantId) -> None:
    with reading(container.engine) as connection:
        known = registrations.platforms(connection, tenant)
        asking = [
            (one.name, deployment)
            for one in known
            for deployment in deployments.deployments_of(connection, one.id)
            if not deployment.is_approved
        ]
    pending = [one for one in known if one.state == "pending"]
    if not pending and not asking:
        click.echo("Nothing waits for approval.")
    for one in pending:
        print_pending(one)
    if asking:
        print_waiting(asking)
