"""``waymark platform events``: let Canvas tell of what happens in its courses."""

import click

from bootstrap.container import Container
from bootstrap.presets import CANVAS
from lti_tool.cli_context import container_of_today, district_option, platform_named, tenant_of
from lti_tool.signals.live_events import EVENTS_PATH
from store import event_sources
from store.event_sources import EventSource
from store.registrations import Platform
from store.session import reading, writing


def _https(_context: click.Context, option: click.Parameter, text: str) -> str:
    """An address that can be trusted with keys.

    Raises:
        BadParameter: It is none.
    """
    if text and not text.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise click.BadParameter("give an address that begins with https://", param=option)
    return text


@click.command()
@click.argument("name")
@click.option("--keys", "key_url", default="", callback=_https, help="Where Canvas's keys are.")
@click.option("--off", is_flag=True, help="Take no event any more, and give the address up.")
@district_option
def events(*, name: str, key_url: str, off: bool, district: str | None) -> None:
    """Print the address to which Canvas sends its Live Events.

    With --keys, the address (a JWKS) of the keys that Canvas signs events with; Canvas's own
    documentation of Live Events over HTTPS names it.
    """
    with container_of_today() as container:
        platform = _canvas_named(container, name, district)
        if off:
            _close(container, platform)
            return
        source = _opened(container, platform, key_url)
        origin = container.settings.public_url
    click.echo("In Canvas: Admin, Data Services, Add. Format Canvas, delivery HTTPS, and as URL:")
    click.echo(f"  {origin}{EVENTS_PATH}/{source.token}")
    click.echo(
        "Choose these events: grade_change, submission_created, submission_updated, "
        "assignment_created, assignment_updated, enrollment_created, enrollment_updated, "
        "rubric_assessed. A course with news is read a minute after the last of it, once in five "
        "minutes at most. Whatever Canvas does not send, the night reads."
    )


def _opened(container: Container, platform: Platform, key_url: str) -> EventSource:
    """Where the platform sends events.

    Raises:
        ClickException: It may send none yet, and no keys were named.
    """
    if key_url:
        with writing(container.engine) as connection:
            return event_sources.open_source(
                connection, platform.tenant, platform.id, key_url=key_url
            )
    with reading(container.engine) as connection:
        known = event_sources.source_of(connection, platform.id)
    if known is None:
        raise click.ClickException("Say where the keys are that sign the events: --keys ADDRESS")
    return known


def _close(container: Container, platform: Platform) -> None:
    with writing(container.engine) as connection:
        event_sources.close_source(connection, platform.tenant, platform.id)
    click.echo(f"No event of {platform.name} is taken any more. Delete the stream in Canvas, too.")


def _canvas_named(container: Container, name: str, district: str | None) -> Platform:
    """The Canvas of a name.

    Raises:
        ClickException: It is none.
    """
    platform = platform_named(container, tenant_of(container, district), name)
    if platform.kind != CANVAS:
        raise click.ClickException("Only Canvas sends events; Moodle has nothing of the kind.")
    return platform
