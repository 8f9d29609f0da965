"""``waymark school``: which accounts and categories of the LMSs are which school."""

from collections.abc import Sequence

import click
from sqlalchemy import Connection

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
from lti_tool.school_names import school_name
from mapping.records import TenantId
from store import modes, schools
from store.policy_changes import Author
from store.schools import NameRefused, Place
from store.session import reading, writing


@click.group()
def school() -> None:
    """Which accounts (Canvas) and categories (Moodle) are which school, and what it is called."""


@school.command("list")
@json_option
@district_option
def list_schools(*, is_json: bool, district: str | None) -> None:
    """Show whatever LMSs file courses under, and which school each of it is."""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            found = schools.places(connection, tenant)
    if is_json:
        fields = ("lms", "kind", "ref", "school", "courses", "examples")
        print_json([{name: getattr(one, name) for name in fields} for one in found])
        return
    rows = [
        (one.lms, one.ref, one.school or schools.NO_SCHOOL, str(one.courses), _examples(one))
        for one in found
    ]
    print_table(("LMS", "number", "school", "courses", "such as"), rows)


@school.command()
@click.argument("name")
@click.argument("refs", nargs=-1, required=True)
@click.option("--platform", "lms", required=True, help="The LMS, by its name.")
@click.option("--reason", default="", help="Why; it stands in the trail.")
@district_option
def fill(*, name: str, refs: tuple[str, ...], lms: str, reason: str, district: str | None) -> None:
    """Say that accounts or categories, by their numbers, are a school; NAME "" for none.

    A name that there is not yet makes a school from which nothing leaves before you choose its
    mode and its way.
    """
    wanted = _name(name) if name else ""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with writing(container.engine) as connection:
            meant = _meant(schools.places(connection, tenant), lms, refs)
            done = schools.fill(
                connection,
                tenant,
                {(one.platform, one.ref): wanted for one in meant},
                author=author(container, reason=reason),
            )
    for made in done.made:
        click.echo(f"Made the school {printable(made)}: nothing leaves for it yet.")
    click.echo(f"Changed: {done.places}, with {done.courses} courses.")


@school.command()
@click.argument("name")
@click.argument("then")
@click.option("--reason", default="", help="Why; it stands in the trail.")
@district_option
def rename(*, name: str, then: str, reason: str, district: str | None) -> None:
    """Call a school something else."""
    wanted = _name(then)
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with writing(container.engine) as connection:
            who = author(container, reason=reason)
            _rename(connection, tenant, name, wanted=wanted, who=who)
    click.echo(f"It is called {printable(wanted)} now.")


def _rename(
    connection: Connection, tenant: TenantId, name: str, *, wanted: str, who: Author
) -> None:
    """Rename a school that is named.

    Raises:
        UsageError: There is none of that name, or it cannot be called so.
    """
    known = {one.name: one.id for one in modes.school_modes(connection, tenant)}
    if name not in known:
        told = ", ".join(printable(one) for one in known) or "none"
        raise click.UsageError(f"There is no such school. There are: {told}.")
    try:
        schools.rename(connection, tenant, known[name], name=wanted, author=who)
    except NameRefused as error:
        raise click.UsageError(str(error)) from error


def _name(text: str) -> str:
    """A name as it is kept.

    Raises:
        UsageError: It is none.
    """
    try:
        return school_name(text)
    except NameRefused as error:
        raise click.UsageError(str(error)) from error


def _meant(found: Sequence[Place], lms: str, refs: Sequence[str]) -> list[Place]:
    """The accounts or categories of an LMS that are named.

    Raises:
        UsageError: The LMS files no course under one of them.
    """
    there = {str(one.ref): one for one in found if one.lms == lms}
    unknown = ", ".join(printable(ref) for ref in refs if ref not in there)
    if unknown:
        raise click.UsageError(
            f"No course is filed under {unknown} of {printable(lms)}; see waymark school list."
        )
    return [there[ref] for ref in refs]


def _examples(one: Place) -> str:
    return ", ".join(one.examples)
