"""``waymark framework``: competency frameworks that an LMS keeps."""

from collections.abc import Sequence

import click

from bootstrap import framework_import
from bootstrap.framework_import import Import, ImportRefused, MoodleFramework
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    platform_named,
    print_table,
    printable,
    tenant_of,
)


@click.group()
def framework() -> None:
    """Competency frameworks: bring them in from Moodle."""


@framework.command("import")
@click.option("--platform", "name", required=True, help="Which Moodle, by its name.")
@click.option("--framework", "wanted", help="Which one, by its number or its ID number there.")
@click.option("--yes", "is_meant", is_flag=True, help="Save it; else only say what would come.")
@district_option
def import_framework(
    *, name: str, wanted: str | None, is_meant: bool, district: str | None
) -> None:
    """Bring a framework in, or up to date, from a Moodle.

    Without --framework, show which ones there are. What a framework no longer holds is
    archived, and its statuses are kept.

    Raises:
        ClickException: There is no such framework, or the LMS does not let it be read.
    """
    with container_of_today() as container:
        platform = platform_named(container, tenant_of(container, district), name)
        try:
            offered = framework_import.offered_frameworks(container, platform)
            if wanted is None:
                _show(offered)
                return
            act = framework_import.save if is_meant else framework_import.preview
            done = act(container, platform, _chosen(offered, wanted))
        except ImportRefused as error:
            raise click.ClickException(str(error)) from error
    _tell(done, is_saved=is_meant)


def _show(offered: Sequence[MoodleFramework]) -> None:
    print_table(
        ("number", "ID number", "title", "competencies"),
        [(str(one.id), one.idnumber, one.title, str(one.count)) for one in offered],
    )


def _chosen(offered: Sequence[MoodleFramework], wanted: str) -> MoodleFramework:
    for one in offered:
        if wanted in (str(one.id), one.idnumber):
            return one
    numbers = ", ".join(str(one.id) for one in offered) or "none"
    raise click.ClickException(f'There is no framework "{wanted}"; there is {numbers}.')


def _tell(done: Import, *, is_saved: bool) -> None:
    found, saved = done.framework, done.saved
    click.echo(f"{printable(found.title)}: {len(found.competencies)} competencies.")
    for one in found.competencies:
        indent = "" if one.parent is None else "  "
        click.echo(f"  {indent}{printable(one.code)}  {printable(one.statement)}")
    would = "" if is_saved else "would be "
    click.echo(
        f"{saved.added} {would}added, {saved.changed} {would}changed, "
        f"{saved.archived} {would}archived."
    )
    if not is_saved:
        click.echo("Nothing was saved. To save it, run the same with --yes.")
