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
from store.school_moves import Holds, Marks, MovedCourse, Moves, moves
from store.schools import NameRefused, Place
from store.session import reading, writing

_MOST_SHOWN = 50
_MARKS = {
    Marks.WRITTEN: "marks written",
    Marks.WAITING: "waits for a yes",
    Marks.NOT_WRITTEN: "not written",
}


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
@click.option("--yes", "is_meant", is_flag=True, help="Do not ask when courses move.")
@district_option
def fill(
    *,
    name: str,
    refs: tuple[str, ...],
    lms: str,
    reason: str,
    is_meant: bool,
    district: str | None,
) -> None:
    """Say that accounts or categories, by their numbers, are a school; NAME "" for none.

    A name that there is not yet makes a school from which nothing leaves before you choose its
    mode and its way. Where courses move, it says which and what changes for them, and asks.
    """
    wanted = _name(name) if name else ""
    with container_of_today() as container:
        tenant = tenant_of(container, district)
        with reading(container.engine) as connection:
            meant = _meant(schools.places(connection, tenant), lms, refs)
            said = {(one.platform, one.ref): wanted for one in meant}
            found = moves(connection, tenant, said)
        _ask(found, is_meant=is_meant)
        with writing(container.engine) as connection:
            _must_be_seen(found, moves(connection, tenant, said))
            done = schools.fill(connection, tenant, said, author=author(container, reason=reason))
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


def _ask(found: Moves, *, is_meant: bool) -> None:
    """Say what would move, and go on where that is meant."""
    if not found.courses:
        return
    for (before, after), count in found.ways.items():
        names = (printable(one) if one else schools.NO_SCHOOL for one in (before, after))
        click.echo(f"{_counted(count)} from {next(names)} to {next(names)}.")
    rows = [
        (one.title, one.place, _holding(one.before), _holding(one.after), _rules(one))
        for one in found.courses[:_MOST_SHOWN]
    ]
    print_table(("course", "filed under", "now", "then", "mapping rules"), rows)
    left = len(found.courses) - len(rows)
    if left:
        click.echo(f"And {left} more.")
    for count, what in (
        (found.begin, "marks come to be written, or go another way"),
        (found.end, "marks are written no more; what stands in gradebooks stays"),
        (found.wait, "marks come to wait for a first yes"),
    ):
        if count:
            click.echo(f"▲ In {count} of them {what}.")
    if not is_meant:
        click.confirm("Save this?", abort=True, err=True)


def _must_be_seen(seen: Moves, now: Moves) -> None:
    """Go on where nothing changed while somebody was asked.

    Raises:
        UsageError: Something else would move by now.
    """
    if seen.digest != now.digest:
        raise click.UsageError("Something else would move by now. Nothing was saved; run it again.")


def _counted(count: int) -> str:
    return f"{count} {'course moves' if count == 1 else 'courses move'}"


def _holding(one: Holds) -> str:
    return f"{one.mode.value}, {one.way.value.replace('_', ' ')}, {_MARKS[one.marks]}"


def _rules(one: MovedCourse) -> str:
    parts = (f"+{one.rules_come}" * bool(one.rules_come), f"-{one.rules_go}" * bool(one.rules_go))
    return " ".join(part for part in parts if part)


def _examples(one: Place) -> str:
    return ", ".join(one.examples)
