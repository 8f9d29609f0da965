"""``waymark keys``: Waymark's own signing keys."""

import sys
from datetime import datetime

import click

from lti_tool.cli_context import container_of_today, json_option, print_json, print_table
from workers import keys as use_case
from workers.keys import ListedKey, Rotation

_COST = """\
This is for keys that somebody else may have. All keys are given up, and a new one signs at once:
- An LMS that keeps the key set it fetched refuses Waymark's services and links until it fetches
  the set again, up to a day. Canvas fetches it each time; Moodle again when a signature fails.
- Processes of Waymark that run already sign with the former key for up to a minute.
- An LMS that was given a key by hand goes on trusting it until you paste another one there."""


@click.group()
def keys() -> None:
    """Waymark's own keys: they rotate by themselves each month."""


@keys.command("list")
@json_option
def list_keys(*, is_json: bool) -> None:
    """Show every key, until when it is published, and which platform was given it by hand."""
    with container_of_today() as container:
        listed = use_case.listed(container.engine)
        now = container.now()
    if is_json:
        print_json([_as_dict(one, now) for one in listed])
        return
    print_table(
        ("key", "state", "made", "signs from", "published until", "pinned by"),
        [_row(one, now) for one in listed],
    )


@keys.command()
@click.option("--now", "is_emergency", is_flag=True, help="At once: somebody may have the keys.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate(*, is_emergency: bool, yes: bool) -> None:
    """Have a new key sign as soon as every LMS can know it: 24 hours after it was published."""
    if is_emergency:
        click.echo(_COST, err=True)
        if not yes:
            click.confirm("Give up all keys now?", abort=True, err=True)
    with container_of_today() as container:
        rotation = use_case.rotate(
            container.engine, container.secrets, now=container.now(), is_emergency=is_emergency
        )
        container.registrations_changed()
        now = container.now()
    _tell(rotation, now)


@keys.command()
def reseal() -> None:
    """Seal everything in the database with the present WAYMARK_SECRET_KEY.

    What was sealed before is opened with the keys in WAYMARK_FORMER_SECRET_KEYS.
    """
    with container_of_today() as container:
        tokens, own = use_case.reseal(container.engine, container.secrets)
        container.registrations_changed()
    click.echo(f"Sealed anew: {tokens.count} API tokens, {own.count} keys.")
    for name in tokens.unopened:
        click.echo(f"  The API access of {name} cannot be opened; enter it anew.", err=True)
    for kid in own.unopened:
        click.echo(f"  The key {kid} cannot be opened; waymark keys rotate --now", err=True)
    if tokens.unopened or own.unopened:
        sys.exit(1)
    click.echo("WAYMARK_FORMER_SECRET_KEYS is no longer needed for the database.")


def _tell(rotation: Rotation, now: datetime) -> None:
    for change in rotation.changes:
        click.echo(f"{change.kid}: {change.step}")
    if rotation.signs_from <= now:
        click.echo(f"{rotation.kid} signs now.")
    else:
        click.echo(
            f"{rotation.kid} is published and signs from {_shown(rotation.signs_from)}, when "
            "every LMS can know it; the schedule process (waymark cron) sees to it."
        )
    for platform in rotation.pinned:
        click.echo(
            f"{platform.name} was given {platform.pinned_kid} by hand and goes on with it. To "
            "give it the new one, see docs/operator.md, pinned keys.",
            err=True,
        )


def _row(one: ListedKey, now: datetime) -> tuple[str, ...]:
    until = "" if one.published_until is None else _shown(one.published_until)
    if not one.stored.is_published(now):
        until = "not published"
    return (
        one.stored.kid,
        one.stored.state.value,
        _shown(one.stored.created_at),
        _shown(one.stored.signs_from),
        until,
        ", ".join(platform.name for platform in one.pinned_by),
    )


def _as_dict(one: ListedKey, now: datetime) -> dict[str, object]:
    key, until = one.stored, one.published_until
    return {
        "kid": key.kid,
        "state": key.state.value,
        "created_at": key.created_at.isoformat(),
        "signs_from": key.signs_from.isoformat(),
        "published_until": until and until.isoformat(),
        "is_published": key.is_published(now),
        "pinned_by": [platform.name for platform in one.pinned_by],
    }


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
