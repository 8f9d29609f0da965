"""``waymark token``: what programs of a district ask the API with."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import click

from lti_tool.api.openapi import ADDRESS
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    json_option,
    print_json,
    print_table,
    printable,
    tenant_of,
)
from lti_tool.cli_courses import author
from store import api_tokens
from store.api_tokens import LONGEST, ApiToken, Scope, TokenRefused
from store.session import reading, writing

_DAYS = 90


def _bounded(_context: click.Context, _option: click.Parameter, days: int) -> int:
    """Days that a span of time can hold; whether so many are good is said where a token is made."""
    return max(0, min(days, LONGEST.days + 1))


@click.group()
def token() -> None:
    """Tokens of programs that ask the JSON API: make one, list them, revoke one."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([one.value for one in Scope]),
    help="What it is good for; may be given several times.",
)
@click.option(
    "--days",
    default=_DAYS,
    show_default=True,
    callback=_bounded,
    type=int,
    help="How long it is good.",
)
@click.option("--reason", default="", help="Why; it stays in the trail of changes.")
@district_option
def create(
    *, name: str, scopes: Sequence[str], days: int, reason: str, district: str | None
) -> None:
    """Make a token called NAME, and show it this once.

    read opens runs, courses, frameworks, mappings, rules and the trail of changes; people opens
    learners' names and standings; operate begins runs, pauses and sets modes; design changes
    frameworks, mappings and rules.

    Raises:
        ClickException: It cannot be made as asked.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        try:
            with writing(container.engine) as connection:
                made = api_tokens.make_token(
                    *(connection, tenant, name),
                    scopes={Scope(one) for one in scopes},
                    good_for=timedelta(days=days),
                    author=author(container, reason=reason),
                )
        except TokenRefused as error:
            raise click.ClickException(str(error)) from error
        address = f"{container.settings.public_url}{ADDRESS}"
    click.echo(made)
    click.echo("Keep it now: it is not kept here and is not shown again.", err=True)
    click.echo(
        f"Send it to {address} as: Authorization: Bearer {api_tokens.PREFIX}... "
        f"What there is to ask stands in {address}/openapi.json.",
        err=True,
    )


@token.command("list")
@json_option
@district_option
def list_tokens(*, is_json: bool, district: str | None) -> None:
    """Show every token that was made, by whom, what it is good for and when it was last used."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            found = api_tokens.tokens_of(connection, tenant)
        now = container.now()
    if is_json:
        print_json([_as_dict(one, now) for one in found])
        return
    if not found:
        click.echo("No token was made. Make one: waymark token create NAME --scope read")
        return
    print_table(
        ("name", "state", "good for", "made by", "until", "last used"),
        [_row(one, now) for one in found],
    )


@token.command()
@click.argument("name")
@click.option("--reason", default="", help="Why; it stays in the trail of changes.")
@district_option
def revoke(*, name: str, reason: str, district: str | None) -> None:
    """Have the token called NAME open nothing any more, at once.

    Raises:
        ClickException: There is no good one of this name.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with writing(container.engine) as connection:
            by = author(container, reason=reason)
            is_done = api_tokens.revoke_token(connection, tenant, name, author=by)
    if not is_done:
        raise click.ClickException(f'There is no good token "{printable(name)}".')
    click.echo(f"{printable(name)} opens nothing any more.")


def _state(one: ApiToken, now: datetime) -> str:
    if one.revoked_at is not None:
        return "revoked"
    return "good" if one.is_good(now) else "ended"


def _row(one: ApiToken, now: datetime) -> tuple[str, ...]:
    used = "never" if one.used_at is None else f"{one.used_at:%Y-%m-%d}"
    scopes = " ".join(sorted(scope.value for scope in one.scopes))
    until = f"{one.expires_at:%Y-%m-%d}"
    return (printable(one.name), _state(one, now), scopes, printable(one.made_by), until, used)


def _as_dict(one: ApiToken, now: datetime) -> dict[str, object]:
    return {
        "name": one.name,
        "state": _state(one, now),
        "scopes": sorted(scope.value for scope in one.scopes),
        "made_by": one.made_by,
        "made_at": one.made_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "used_at": None if one.used_at is None else one.used_at.isoformat(),
    }
