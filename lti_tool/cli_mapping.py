"""``waymark mapping``: mapping sets, published and in the making."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import click
from sqlalchemy import Connection

from interchange.errors import FileRefused
from interchange.mapping_csv import read_mapping, write_mapping
from lti_tool.cli_context import (
    container_of_today,
    day_typed,
    district_option,
    print_table,
    printable,
    tenant_of,
    zone_of,
)
from lti_tool.cli_courses import author, editor
from mapping.records import MappingRule, TenantId
from store import mapping_drafts, mapping_matching, mapping_publishing
from store.alignments import UnknownCompetencyError, competency_ids, rules_in_force, rules_of
from store.mapping_drafts import Draft, TooManyRules, draft_digest, rule_words
from store.mapping_publishing import Publication, PublishingRefused
from store.remapping import MappingEffect, effect_on_alignments
from store.session import reading, writing

_yes_option = click.option("--yes", "is_meant", is_flag=True, help="Do it; else only say what.")
_reason_option = click.option("--reason", default="", help="Why; kept with the mapping set.")
_draft_option = click.option("--draft", "number", type=int, help="A draft; else what is in force.")
_version_option = click.option("--version", type=int, help="A version; else what is in force.")
_MOST = 20


@click.group("mapping")
def mapping_sets() -> None:
    """Mapping sets: which work counts for which competency. See them, change, publish, undo."""


@mapping_sets.command("list")
@district_option
def list_sets(*, district: str | None) -> None:
    """Show the sets that are or were in force, and the drafts."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        versions = mapping_publishing.versions_of(connection, tenant)
        drafts = mapping_drafts.drafts_of(connection, tenant)
    if not versions and not drafts:
        click.echo("There is no mapping set yet. Make a draft: waymark mapping import FILE --yes")
        return
    print_table(
        ("version", "state", "title", "rules", "published (UTC)", "by", "why"),
        [
            (
                *(str(one.version), "published" if one.is_in_force else "retired", one.title),
                *(str(one.rules), f"{one.published_at:%Y-%m-%d %H:%M}", one.author, one.reason),
            )
            for one in versions
        ],
    )
    print_table(
        ("draft", "title", "rules", "by", "changed (UTC)", "takes force from (UTC)"),
        [
            (
                *(str(one.id), one.title, str(one.rules), one.author),
                f"{one.changed_at:%Y-%m-%d %H:%M}",
                f"{one.effective_from:%Y-%m-%d %H:%M}" if one.effective_from else "",
            )
            for one in drafts
        ],
    )


@mapping_sets.command()
@_draft_option
@_version_option
@district_option
def show(*, number: int | None, version: int | None, district: str | None) -> None:
    """Show the rules of the set in force, of a version or of a draft, in their order."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        rules = _rules(connection, tenant, draft=number, version=version)
    for at, rule in enumerate(rules, start=1):
        click.echo(f"{at:>5}  {printable(rule_words(rule))}")


@mapping_sets.command()
@_draft_option
@_version_option
@district_option
def export(*, number: int | None, version: int | None, district: str | None) -> None:
    """Print the rules of the set in force, of a version or of a draft as CSV."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        rules = _rules(connection, tenant, draft=number, version=version)
    click.echo(write_mapping(rules), nl=False)


@mapping_sets.command("import")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--title", default="", help="What the draft is called; else the file's name.")
@_yes_option
@district_option
def import_file(*, path: Path, title: str, is_meant: bool, district: str | None) -> None:
    """Make a draft of the rules in a CSV file, all of them or none.

    Raises:
        ClickException: A line is wrong; every one that is, is told.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        try:
            rules = read_mapping(path.read_bytes())
            with reading(container.engine) as connection:
                competency_ids(connection, tenant, rules)
                _tell(effect_on_alignments(connection, tenant, rules), len(rules))
            if not is_meant:
                click.echo("No draft was made. To make it, run the same with --yes.")
                return
            with writing(container.engine) as connection:
                draft = mapping_drafts.new_draft(
                    *(connection, tenant, title or path.stem[:255]),
                    editor=editor(container),
                    rules=rules,
                )
        except (FileRefused, UnknownCompetencyError, TooManyRules) as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"This is draft {draft} now. To publish it: waymark mapping publish {draft}")


@mapping_sets.command()
@click.argument("number", metavar="DRAFT", type=int)
@click.option("--from", "begins", default="", help="From which day on; else now.")
@_reason_option
@_yes_option
@district_option
def publish(*, number: int, begins: str, reason: str, is_meant: bool, district: str | None) -> None:
    """Put a draft in force, now or on the first night from a day to come on.

    Raises:
        ClickException: It cannot be published; why is told.
        UsageError: No reason was given.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            draft = _draft(connection, tenant, number)
            rules = mapping_drafts.rules_in(connection, draft.id)
            seen = draft_digest(connection, draft.id)
            _tell(effect_on_alignments(connection, tenant, rules), len(rules))
            zone = zone_of(connection, tenant)
        day = day_typed(begins, zone).astimezone(UTC) if begins else None
        if not is_meant:
            click.echo("Nothing was published. To publish it, run the same with --yes and --reason")
            return
        if not reason:
            raise click.UsageError("Say why with --reason; it is kept with the mapping set.")
        said = Publication(by=editor(container, reason), effective_from=day, seen=seen)
        try:
            with writing(container.engine) as connection:
                done = mapping_publishing.publish_draft(
                    connection, tenant, draft.id, publication=said
                )
        except (PublishingRefused, UnknownCompetencyError) as error:
            raise click.ClickException(str(error)) from error
    if done is None:
        click.echo(f"It takes force on the first night from {begins} on.")
    else:
        click.echo(f"Version {done.version} is in force. The next run works it into statuses.")


@mapping_sets.command()
@click.argument("version", type=int)
@_reason_option
@_yes_option
@district_option
def rollback(*, version: int, reason: str, is_meant: bool, district: str | None) -> None:
    """Put the rules of a former VERSION in force again.

    Raises:
        ClickException: There is no such version, or its rules are in force.
        UsageError: No reason was given.
    """
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            rules = _rules(connection, tenant, draft=None, version=version)
            _tell(effect_on_alignments(connection, tenant, rules), len(rules))
        if not is_meant:
            click.echo("Nothing was changed. To roll back, run the same with --yes and --reason")
            return
        if not reason:
            raise click.UsageError("Say why with --reason; it is kept with the mapping set.")
        try:
            with writing(container.engine) as connection:
                who = author(container, reason=reason)
                done = mapping_publishing.roll_back(connection, tenant, version, author=who)
        except PublishingRefused as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"Version {done.version if done else version} is in force.")


@mapping_sets.command()
@_draft_option
@district_option
def coverage(*, number: int | None, district: str | None) -> None:
    """Say what the set in force, or a draft, covers and what it does not."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        rules = _rules(connection, tenant, draft=number, version=None)
        found = mapping_matching.survey(connection, tenant, rules)
        drifted = () if number is not None else mapping_matching.drift(connection, tenant)
    unmapped = sum(found.unmapped.values())
    idle = [(at, rule) for at, rule in enumerate(rules) if not found.hits[at]]
    click.echo(f"{found.items - unmapped} of {found.items} line items speak for something.")
    click.echo(f"{unmapped} in {len(found.unmapped)} courses speak for nothing.")
    click.echo(f"{found.doubles_count} are given to one competency by several rules.")
    click.echo(f"{len(idle)} of {len(rules)} rules match nothing.")
    for at, rule in idle[:_MOST]:
        click.echo(f"  {at + 1}  {printable(rule_words(rule))}")
    if found.strange:
        click.echo(f"{len(found.strange)} outcomes linked in the LMS are in no framework here.")
    for name, rows in found.strange.most_common(_MOST):
        click.echo(printable(f"  {name} ({rows} rows)"))
    click.echo(f"{len(drifted)} line items were renamed or are gone since it was published.")
    for one in drifted[:_MOST]:
        click.echo(printable(f"  {one.course}: {one.then}, now {one.now or 'gone'}"))


def _draft(connection: Connection, tenant: TenantId, number: int) -> Draft:
    found = mapping_drafts.find_draft(connection, tenant, number)
    if found is None:
        raise click.ClickException(f"There is no draft {number}; see waymark mapping list.")
    return found


def _rules(
    connection: Connection, tenant: TenantId, *, draft: int | None, version: int | None
) -> Sequence[MappingRule]:
    """The rules that are meant.

    Raises:
        ClickException: There is no such draft or version.
    """
    if draft is not None:
        return mapping_drafts.rules_in(connection, _draft(connection, tenant, draft).id)
    if version is None:
        return rules_in_force(connection, tenant)
    known = mapping_publishing.versions_of(connection, tenant)
    found = next((one for one in known if one.version == version), None)
    if found is None:
        raise click.ClickException(f"There is no version {version}; see waymark mapping list.")
    return rules_of(connection, found.id)


def _tell(effect: MappingEffect, rules: int) -> None:
    click.echo(
        f"{rules} rules. Alignments: {effect.added} added, {effect.removed} removed, "
        f"{effect.changed} with another weight, kind or steps, in {len(effect.courses)} courses; "
        f"{effect.learners} learners have a score in such work."
    )
    for one in effect.examples[:_MOST]:
        was = "none" if one.before is None else one.before.words
        then = "none" if one.after is None else one.after.words
        click.echo(printable(f"  {one.course}, {one.item}: {one.competency}: {was} -> {then}"))
