"""``waymark framework``: competency frameworks, from files and from an LMS, and out again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bootstrap import framework_import
from bootstrap.container import Container
from bootstrap.framework_import import COMMAND, Import, ImportRefused, Marks, MoodleFramework
from interchange.errors import FileRefused
from interchange.framework_csv import FIELDS, guessed_columns
from interchange.framework_file import FileFormat
from interchange.imported import Imported
from interchange.tabular import read_table
from lti_tool.cli_context import (
    container_of_today,
    district_option,
    platform_named,
    print_table,
    printable,
    tenant_of,
)
from lti_tool.framework_files import MOST_BYTES, Sent, brought, export_of, read_sent
from mapping.progressions.graph import HierarchyRefused
from mapping.records import Competency, TenantId
from store.framework_diffs import FrameworkDiff, framework_diff
from store.framework_imports import bring_in, versions_of
from store.framework_shelf import (
    Fetched,
    ListedFramework,
    all_frameworks,
    archive_framework,
    keep_fetched,
    known_framework,
    last_fetched,
    restore_framework,
)
from store.policy_changes import Author
from store.session import reading, writing

_LONGEST_ADDRESS = 1024
_SHOWN = 20
"""Lines of each list that are printed; ``--all`` prints them whole."""


@click.group()
def framework() -> None:
    """Competency frameworks: bring them in, look at them, take them out."""


@framework.command("import")
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--url", help="An address to fetch a file from, by https.")
@click.option("--platform", "name", help="A Moodle to read one from, by its name.")
@click.option("--framework", "wanted", help="Which one, by its number or its ID number there.")
@click.option("--format", "form", type=click.Choice([one.value for one in FileFormat]))
@click.option("--identifier", default="", help="What to know it by, where the file does not say.")
@click.option("--title", default="", help="What it is called, where the file does not say.")
@click.option("--language", default="", help="Its language, where the file does not say.")
@click.option("--column", "columns", multiple=True, help="Of plain CSV: statement=Description.")
@click.option("--partly", is_flag=True, help="Take what is right, although rows are wrong.")
@click.option("--all", "is_whole", is_flag=True, help="Print every line, not the first few.")
@click.option("--reason", default="", help="Why, for the trail of changes.")
@click.option("--yes", "is_meant", is_flag=True, help="Save it; else only say what would come.")
@district_option
def import_framework(**given: Any) -> None:  # noqa: ANN401 - the options
    """Bring a framework in, or up to date, from a file or from a Moodle.

    A file is CASE, or CSV of Canvas, of Moodle or of your own. With --platform and without
    --framework, show which ones that Moodle has. What a framework no longer holds is archived,
    and its statuses are kept.

    Raises:
        UsageError: Neither a file, an address nor a Moodle is named, or several are.
    """
    if sum(given[one] is not None for one in ("path", "url", "name")) != 1:
        raise click.UsageError("Name a file, an address with --url, or a Moodle with --platform.")
    with container_of_today() as container:
        tenant = tenant_of(container, given["district"])
        if given["name"] is not None:
            _from_moodle(container, tenant, given)
            return
        with _told():
            if given["url"] is None:
                _bring(container, tenant, _sent(given), given=given)
            else:
                _from_address(container, tenant, given)


@framework.command("list")
@district_option
def list_frameworks(*, district: str | None) -> None:
    """The frameworks there are."""
    with container_of_today() as container, reading(container.engine) as connection:
        listed = all_frameworks(connection, tenant_of(container, district))
    print_table(
        ("number", "identifier", "title", "competencies", "archived", "versions", "state"),
        [
            (
                *(str(one.id), one.identifier, one.title, str(one.present), str(one.archived)),
                *(str(one.versions), "archived" if one.archived_at else "in use"),
            )
            for one in listed
        ],
    )


@framework.command("show")
@click.argument("called")
@district_option
def show_framework(*, called: str, district: str | None) -> None:
    """A framework: its versions and its competencies, by its number or identifier."""
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        listed = _called(all_frameworks(connection, tenant), called)
        versions = versions_of(connection, listed.id)
        known = known_framework(connection, tenant, listed.id)
    rows = known[1].rows.values() if known else ()
    click.echo(f"{printable(listed.title)} ({printable(listed.identifier)})")
    for version in versions:
        click.echo(
            f"  version {version.number}, {version.at:%Y-%m-%d}, {printable(version.by)}, from "
            f"{printable(version.source)}: {version.added} added, {version.changed} changed, "
            f"{version.archived} archived, {version.restored} restored"
        )
    for row in rows:
        if not row.is_archived:
            _print_competency(row.competency)


@framework.command("export")
@click.argument("called")
@click.option("--format", "form", type=click.Choice(["case", "csv"]), default="case")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True)
@district_option
def export_framework(*, called: str, form: str, output: Path, district: str | None) -> None:
    """Write a framework to a file: CASE 1.1, or CSV that is safe to open in a spreadsheet.

    Raises:
        ClickException: The file cannot be written.
    """
    with container_of_today() as container, reading(container.engine) as connection:
        tenant = tenant_of(container, district)
        listed = _called(all_frameworks(connection, tenant), called)
        base = container.settings.public_url
        found = export_of(connection, tenant, listed.id, form=form, base=base)
    try:
        output.write_bytes(found.content if found else b"")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from error
    click.echo(f"{printable(listed.title)} is in {output}.")


@framework.command("archive")
@click.argument("called")
@click.option("--back", is_flag=True, help="Take it up again.")
@click.option("--reason", default="", help="Why, for the trail of changes.")
@click.option("--yes", "is_meant", is_flag=True, help="Do it; else only say what would be done.")
@district_option
def archive(*, called: str, back: bool, reason: str, is_meant: bool, district: str | None) -> None:
    """Put a framework away, or take it up again; statuses in it are kept."""
    with container_of_today() as container, writing(container.engine) as connection:
        tenant = tenant_of(container, district)
        listed = _called(all_frameworks(connection, tenant), called)
        if is_meant:
            act = restore_framework if back else archive_framework
            author = Author(by=COMMAND, at=container.now(), reason=reason)
            act(connection, tenant, listed, author=author)
    would = "is" if is_meant else "would be"
    click.echo(f"{printable(listed.title)} {would} {'in use' if back else 'archived'}.")
    if not is_meant:
        click.echo("Nothing was changed. To do it, run the same with --yes.")


def _called(listed: Sequence[ListedFramework], called: str) -> ListedFramework:
    for one in listed:
        if called in (str(one.id), one.identifier):
            return one
    names = ", ".join(one.identifier for one in listed) or "none yet"
    raise click.ClickException(f'There is no framework "{called}"; there is {printable(names)}.')


def _from_moodle(container: Container, tenant: TenantId, given: Mapping[str, Any]) -> None:
    platform = platform_named(container, tenant, given["name"])
    is_meant = given["is_meant"]
    try:
        offered = framework_import.offered_frameworks(container, platform)
        if given["wanted"] is None:
            _show(offered)
            return
        act = framework_import.save if is_meant else framework_import.preview
        done = act(container, platform, _chosen(offered, given["wanted"]))
    except ImportRefused as error:
        raise click.ClickException(str(error)) from error
    _tell(done, is_saved=is_meant)


def _from_address(container: Container, tenant: TenantId, given: Mapping[str, Any]) -> None:
    url: str = given["url"]
    if len(url) > _LONGEST_ADDRESS:
        raise click.BadParameter("The address is longer than 1,024 characters.")
    with reading(container.engine) as connection:
        known = last_fetched(connection, tenant, url)
    marks = Marks(etag=known.etag, last_modified=known.last_modified)
    found = framework_import.fetched(container, url, marks)
    if found is None:
        click.echo("Nothing has changed there since it was brought in.")
        return
    answer = Fetched(address=url, etag=found.marks.etag, last_modified=found.marks.last_modified)
    _bring(container, tenant, _said(url, found.content, given), given=given, fetched=answer)


def _bring(
    container: Container,
    tenant: TenantId,
    sent: Sent,
    *,
    given: Mapping[str, Any],
    fetched: Fetched | None = None,
) -> None:
    sent = replace(sent, form=sent.found_form().value)
    limit = None if given["is_whole"] else _SHOWN
    with writing(container.engine) as connection:
        imported = read_sent(connection, tenant, sent)
        diff = framework_diff(connection, tenant, imported.framework)
        _tell_file(imported, diff, limit=limit)
        if not given["partly"]:
            imported.whole()
        if given["is_meant"]:
            author = Author(by=COMMAND, at=container.now(), reason=given["reason"])
            found = brought(sent, imported)
            bring_in(connection, tenant, imported.framework, brought=found, author=author)
            if fetched is not None:
                keep_fetched(connection, tenant, imported.framework.identifier, fetched=fetched)
    if not given["is_meant"]:
        click.echo("Nothing was saved. To save it, run the same with --yes.")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (FileRefused, HierarchyRefused, ImportRefused) as error:
        raise click.ClickException(f"{error}\nNothing was saved.") from error


def _sent(given: Mapping[str, Any]) -> Sent:
    path: Path = given["path"]
    try:
        if path.stat().st_size > MOST_BYTES:
            raise click.ClickException(f"{path} is larger than {MOST_BYTES >> 20} MB. Divide it.")
        content = path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error
    return _said(path.name, content, given)


def _said(name: str, content: bytes, given: Mapping[str, Any]) -> Sent:
    """A file with what was typed of it."""
    columns = _columns(content, given["columns"]) if given["columns"] else None
    said = {name: given[name] or "" for name in ("form", "identifier", "title", "language")}
    return Sent(name=name, content=content, columns=columns, **said)


def _columns(content: bytes, pairs: Sequence[str]) -> dict[str, int]:
    """Columns as typed over what their names say.

    Raises:
        BadParameter: There is no such column, or nothing that it could be.
    """
    header = list(read_table(content).header)
    found = guessed_columns(header)
    for pair in pairs:
        field, _, column = pair.partition("=")
        if field not in FIELDS or column not in header:
            raise click.BadParameter(
                f"{pair!r}: write one of {', '.join(FIELDS)}, =, and one of the columns "
                f"{', '.join(header)}."
            )
        found = {name: at for name, at in found.items() if at != header.index(column)}
        found[field] = header.index(column)
    return found


def _tell_file(imported: Imported, diff: FrameworkDiff, *, limit: int | None) -> None:
    click.echo(f"{printable(diff.found.title)}: {len(diff.found.competencies)} competencies.")
    click.echo(
        f"{len(diff.added)} to be added, {sum(bool(one.fields) for one in diff.changed)} to be "
        f"changed, {len(diff.archived)} to be archived, {diff.restored} to come back."
    )
    if diff.is_nothing:
        click.echo("All of it is there already.")
    lists: Mapping[str, Sequence[str]] = {
        "Added": [_line(one) for one in diff.added],
        "Changed": [
            f"{one.now.code}: {name}: {old} -> {getattr(one.now, name)}"
            for one in diff.changed
            for name, old in one.fields.items()
        ],
        "Archived": [_line(row.competency) for row in diff.archived],
        "Left out": imported.skipped,
        "Points outside the file": [str(one) for one in imported.unresolved],
        "To be looked at": imported.warnings,
    }
    for title, lines in lists.items():
        _print_lines(title, lines, limit=limit)


def _print_lines(title: str, lines: Sequence[str], *, limit: int | None) -> None:
    if not lines:
        return
    click.echo(f"{title} ({len(lines)}):")
    for line in lines[:limit]:
        click.echo(f"  {printable(line)}")
    if limit is not None and len(lines) > limit:
        click.echo(f"  and {len(lines) - limit} more; --all prints them.")


def _line(one: Competency) -> str:
    return f"{one.code}  {one.statement}"


def _print_competency(one: Competency) -> None:
    indent = "" if one.parent is None else "  "
    click.echo(f"  {indent}{printable(_line(one))}")


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
        _print_competency(one)
    would = "" if is_saved else "would be "
    click.echo(
        f"{saved.added} {would}added, {saved.changed} {would}changed, "
        f"{saved.archived} {would}archived."
    )
    if not is_saved:
        click.echo("Nothing was saved. To save it, run the same with --yes.")
