"""How the LMSs of a district look in a terminal."""

from collections.abc import Iterable
from datetime import datetime

import click

from bootstrap.checks import Check
from bootstrap.container import Container
from lti_tool.cli_context import print_table, printable
from store.api_access import ApiAccess
from store.deployments import Deployment
from store.registrations import Platform, PlatformEntry


def tell_added(container: Container, entry: PlatformEntry) -> None:
    """Say what to enter in the LMS, now that it is registered."""
    origin = container.settings.public_url
    click.echo(f"{entry.name} is registered: {entry.issuer}, client id {entry.client_id}.")
    click.echo("In the LMS the tool has these addresses:")
    click.echo(f"  login        {origin}/lti/login")
    click.echo(f"  redirection  {origin}/lti/launch")
    if entry.pinned_kid is None:
        click.echo(f"  key set      {origin}/lti/jwks")
    else:
        click.echo("and this key, which it keeps when Waymark's others rotate:")
        click.echo(container.tool_key().public_pem().strip())
    click.echo(f'Then look it over: waymark platform test "{entry.name}"')


def print_pending(one: Platform) -> None:
    """Print a platform that waits, with every address that its registration brought."""
    click.echo(f"{one.name} ({one.kind}) was registered and waits for approval:")
    facts = {
        "issuer": one.issuer,
        "client id": one.client_id,
        "LMS": one.api_url,
        "login": one.auth_url,
        "tokens": one.token_url,
        "key set": one.jwks_url,
    }
    for name, value in facts.items():
        click.echo(f"  {name:<10}{printable(value)}")


def print_waiting(asking: Iterable[tuple[str, Deployment]]) -> None:
    """Print deployments that wait, each with the name of its platform."""
    rows = [
        (
            name,
            one.ref,
            one.about,
            one.requested_at.isoformat(timespec="minutes") if one.requested_at else "",
        )
        for name, one in asking
    ]
    print_table(("platform", "deployment", "what the LMS says of itself", "since"), rows)


def platform_row(
    one: Platform, known: tuple[Deployment, ...], *, has_token: bool
) -> tuple[str, ...]:
    """A platform in one line of a table; ``has_token`` says whether one was pasted."""
    approved, waiting = _counts(known)
    asked = f", {waiting} waiting" if waiting else ""
    return (
        one.name,
        one.kind,
        one.state,
        one.issuer,
        one.client_id,
        f"{approved} approved{asked}",
        "fetched" if one.pinned_kid is None else f"pinned: {one.pinned_kid}",
        access_in_words(one.api_access, has_token=has_token),
    )


def access_in_words(access: ApiAccess, *, has_token: bool) -> str:
    """How a platform's own API is reached, by whose leave and since when."""
    if access.revoked_at is not None:
        return f"taken back, noticed {_day(access.revoked_at)}"
    if access.is_authorized:
        return f"authorised by {access.user}, {_day(access.authorized_at)}"
    return "a token" if has_token else "none"


def platform_as_dict(
    one: Platform, known: tuple[Deployment, ...], *, has_token: bool
) -> dict[str, object]:
    """A platform and its deployments as plain JSON values; no secret is among them."""
    access = one.api_access
    return {
        "name": one.name,
        "kind": one.kind,
        "state": one.state,
        "issuer": one.issuer,
        "client_id": one.client_id,
        "auth_url": one.auth_url,
        "token_url": one.token_url,
        "jwks_url": one.jwks_url,
        "api_url": one.api_url,
        "audience": one.audience,
        "pinned_kid": one.pinned_kid,
        "suspended_at": one.suspended_at and one.suspended_at.isoformat(),
        "api_access": {
            "has_token": has_token,
            "client_id": access.client_id or None,
            "authorized_by": access.user or None,
            "authorized_at": access.authorized_at and access.authorized_at.isoformat(),
            "revoked_at": access.revoked_at and access.revoked_at.isoformat(),
        },
        "deployments": [
            {
                "id": deployment.ref,
                "is_approved": deployment.is_approved,
                "about": deployment.about,
                "requested_at": deployment.requested_at and deployment.requested_at.isoformat(),
            }
            for deployment in known
        ],
    }


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"


def _counts(known: tuple[Deployment, ...]) -> tuple[int, int]:
    approved = sum(one.is_approved for one in known)
    return approved, len(known) - approved


def tell_check(check: Check) -> None:
    """Print what came of a check."""
    mark = "ok  " if check.ok and not check.advice else "look" if check.ok else "FAIL"
    said = "; ".join(text for text in (check.found, check.advice) if text)
    click.echo(printable(f"{mark}  {check.name}{': ' if said else ''}{said}"))


def check_as_dict(check: Check) -> dict[str, object]:
    """What came of a check as plain JSON values."""
    return {"name": check.name, "ok": check.ok, "found": check.found, "advice": check.advice}
