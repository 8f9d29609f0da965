"""``waymark platform access``: Canvas's own API by a developer key and somebody's consent."""

from urllib.parse import urlsplit

import click

from bootstrap.access import RIGHTS
from bootstrap.container import Container
from bootstrap.presets import CANVAS
from bootstrap.settings import environment_value
from lti_tool import lms_changes
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    platform_named,
    printable,
    tenant_of,
)
from lti_tool.cli_courses import author
from lti_tool.launch.api_access import CALLBACK_PATH, make_link
from lti_tool.launch.form import is_plain
from mapping.records import TenantId
from store import api_access
from store.registrations import Platform
from store.session import writing

_LONGEST_ID = 255


def _number(_context: click.Context, option: click.Parameter, text: str) -> str:
    """The number of a developer key.

    Raises:
        BadParameter: It cannot be one.
    """
    is_odd = len(text) > _LONGEST_ID or not is_plain(text) or " " in text
    if is_odd:
        raise click.BadParameter("copy it again: it has no spaces", param=option)
    return text


@click.command()
@click.argument("name")
@click.option("--client-id", default="", callback=_number, help="Of the API developer key.")
@click.option("--client-secret-env", help="Read the key's secret from this variable.")
@click.option("--forget", is_flag=True, help="Forget the key and the consent.")
@district_option
def access(
    *,
    name: str,
    client_id: str,
    client_secret_env: str | None,
    forget: bool,
    district: str | None,
) -> None:
    """Have Canvas's administrator authorise Waymark in the browser.

    Without a client id, and where none is known yet, say how to make the developer key. The
    key's secret is asked for; it is never an argument, which other users of the machine see.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        platform = _canvas_named(container, tenant, name)
        if forget:
            _forget(container, platform)
            return
        if client_id:
            secret = _secret(client_secret_env)
            _save_key(container, platform, client_id=client_id, secret=secret)
            platform = platform_named(container, tenant, name)
        if not platform.api_access.client_id:
            _tell_how_to_make_a_key(container, name)
            return
        link = make_link(container, platform)
    click.echo("Give this address to the administrator of Canvas, or open it yourself:")
    click.echo(f"  {link}")
    click.echo(
        f"It is good for 72 hours and one authorisation of {platform.api_url}. Log in to Canvas "
        "as the service user first: Waymark acts in the name of whoever is logged in."
    )


def _canvas_named(container: Container, tenant: TenantId, name: str) -> Platform:
    """The platform of a name.

    Raises:
        ClickException: It is no Canvas.
    """
    platform = platform_named(container, tenant, name)
    if platform.kind != CANVAS:
        raise click.ClickException(
            "Moodle has no such authorisation. Give it a token of a service user: waymark "
            f'platform add --kind moodle --name "{name}" ...'
        )
    if urlsplit(platform.api_url).hostname is None:
        raise click.ClickException(f"{name} has no address; enter it with waymark platform add.")
    return platform


def _secret(name: str | None) -> str:
    """The key's secret from where it was promised to be.

    Raises:
        ClickException: There is none.
    """
    if name is None:
        typed = click.prompt("Secret of the developer key (Show Key)", hide_input=True)
        return str(typed).strip()
    value = environment_value(name)
    if not value:
        raise click.ClickException(f"The environment variable {name} is not set.")
    return value.strip()


def _save_key(container: Container, platform: Platform, *, client_id: str, secret: str) -> None:
    was = platform.api_access
    with writing(container.engine) as connection:
        api_access.save_developer_key(
            connection,
            platform.tenant,
            platform.id,
            client_id=client_id,
            client_secret=secret,
            secrets=container.secrets,
        )
        told = f"developer key {client_id}"
        lms_changes.note(connection, platform, told, author=author(container))
    click.echo(f"The developer key {client_id} is kept for {platform.name}.")
    if was.is_authorized and was.client_id != client_id:
        click.echo(
            f"What {printable(was.user)} authorised belonged to the key {was.client_id} and is "
            "forgotten: authorise anew."
        )


def _forget(container: Container, platform: Platform) -> None:
    with writing(container.engine) as connection:
        api_access.forget_access(connection, platform.tenant, platform.id)
        told = "developer key and consent forgotten"
        lms_changes.note(connection, platform, told, author=author(container))
    click.echo(
        f"Waymark forgot the developer key and the authorisation of {platform.name}; a pasted API "
        "token counts again, where there is one. Delete the authorisation in Canvas, too: "
        "Account, Settings, Approved Integrations."
    )


def _tell_how_to_make_a_key(container: Container, name: str) -> None:
    click.echo("In Canvas: Admin, Developer Keys, + Developer Key, + API Key. Enter there:")
    click.echo("  Key Name       Waymark")
    click.echo(f"  Redirect URIs  {container.settings.public_url}{CALLBACK_PATH}")
    click.echo("Switch Enforce Scopes on, and Allow Include Parameters, and choose these scopes:")
    for right in RIGHTS:
        click.echo(f"  {right.purpose}:")
        for scope in right.scopes:
            click.echo(f"    {scope}")
    click.echo("Save, switch the key on, and come back with the number under Details:")
    click.echo(f'  waymark platform access "{name}" --client-id NUMBER')
