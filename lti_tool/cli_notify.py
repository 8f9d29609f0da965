"""``waymark notify``: who is told of nights, alarms and marks that were not written."""

import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

import click

from bootstrap.container import Container
from bootstrap.notifying import is_mail_address, new_webhook_secret
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    json_option,
    print_json,
    print_table,
    tenant_of,
)
from mapping.records import TenantId
from store import notice_targets, notices
from store.notice_targets import TROUBLES, Channel, NewTarget, NoticeKind, Target
from store.notices import Message
from store.session import reading, writing
from workers.notices import send_these

_KINDS = [kind.value for kind in NoticeKind]
_kinds_option = click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS),
    help="Of what; may be repeated. Without it: of all but nights that went well.",
)


@click.group()
def notify() -> None:
    """Who is told of nights, alarms and marks that were not written."""


@notify.command("add")
@click.option("--email", help="An e-mail address.")
@click.option("--webhook", help="The https address of a webhook.")
@_kinds_option
@district_option
def add(
    *, email: str | None, webhook: str | None, kinds: Sequence[str], district: str | None
) -> None:
    """Tell somebody from now on, or of other things than before.

    A webhook's secret is printed once: its receiver checks with it that a message is Waymark's.
    """
    channel, address = _address(email, webhook)
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        is_known = _find(container, tenant, address) is not None
        secret = "" if channel is Channel.EMAIL else new_webhook_secret()
        wanted = NewTarget(
            channel=channel,
            address=address,
            secret=container.secrets.seal(secret) if secret else "",
            kinds=tuple(NoticeKind(kind) for kind in kinds) or TROUBLES,
        )
        with writing(container.engine) as connection:
            target = notice_targets.save_target(connection, tenant, wanted, now=container.now())
        if channel is Channel.EMAIL and container.settings.mail is None:
            click.echo("No mail server is set yet; set WAYMARK_SMTP_URL.", err=True)
    click.echo(f"{address} is told of: {_words(target.kinds)}.")
    if secret and not is_known:
        click.echo(f"Its secret, shown only now: {secret}")
    click.echo(f"Try it: waymark notify test {address}")


@notify.command("list")
@json_option
@district_option
def list_targets(*, is_json: bool, district: str | None) -> None:
    """Show who is told of what, and why the newest message did not arrive."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        found = notice_targets.targets_of(connection, tenant)
        errors = notices.last_errors(connection, tenant)
    if is_json:
        print_json([_as_dict(one, errors.get(one.id, "")) for one in found])
        return
    print_table(
        ("channel", "address", "is told of", "trouble"),
        [
            (one.channel.value, one.address, _words(one.kinds), errors.get(one.id, ""))
            for one in found
        ],
    )


@notify.command("remove")
@click.argument("address")
@district_option
def remove(*, address: str, district: str | None) -> None:
    """Tell somebody no longer."""
    with container_of_today() as container:
        target = _known(container, tenant_of(container, district), address)
        with writing(container.engine) as connection:
            notice_targets.remove_target(connection, target)
    click.echo(f"{address} is told of nothing any more.")


@notify.command("test")
@click.argument("address")
@district_option
def test(*, address: str, district: str | None) -> None:
    """Send a message now, and say whether it was taken."""
    message = Message(
        kind=NoticeKind.NIGHT_DONE,
        subject="this is a test",
        body="Somebody asked Waymark to show that its messages arrive. There is nothing to do.",
    )
    with container_of_today() as container:
        target = _known(container, tenant_of(container, district), address)
        with writing(container.engine) as connection:
            number = notices.tell_one(connection, target, message, now=container.now())
        is_sent = send_these(container, [number]) == 1
        with writing(container.engine) as connection:
            error = notices.error_of(connection, number)
            if not is_sent:
                # Whoever tests reads the error here: the message shall not arrive some hours later.
                notices.withdraw(connection, number)
    click.echo(f"{address} took it." if is_sent else error, err=not is_sent)
    sys.exit(0 if is_sent else 1)


def _address(email: str | None, webhook: str | None) -> tuple[Channel, str]:
    if (email is None) == (webhook is None):
        raise click.UsageError("Give --email ADDRESS or --webhook ADDRESS.")
    if email is not None:
        if not is_mail_address(email):
            raise click.BadParameter(f"{email!r} is no e-mail address.")
        return Channel.EMAIL, email
    assert webhook is not None  # noqa: S101 - one of the two is given
    parts = urlsplit(webhook)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise click.BadParameter("A webhook's address begins with https:// and names a host.")
    return Channel.WEBHOOK, webhook


def _find(container: Container, tenant: TenantId, address: str) -> Target | None:
    with reading(container.engine) as connection:
        known = notice_targets.targets_of(connection, tenant)
    return next((one for one in known if one.address == address), None)


def _known(container: Container, tenant: TenantId, address: str) -> Target:
    found = _find(container, tenant, address)
    if found is None:
        raise click.ClickException(
            f"Nobody is told at {address}. waymark notify list shows who is."
        )
    return found


def _words(kinds: Sequence[NoticeKind]) -> str:
    return ", ".join(kind.value for kind in kinds)


def _as_dict(target: Target, error: str) -> dict[str, object]:
    return {
        "channel": target.channel.value,
        "address": target.address,
        "kinds": [kind.value for kind in target.kinds],
        "error": error,
    }
